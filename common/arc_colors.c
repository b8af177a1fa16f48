/* arc_colors.c - those of the ARC-AGI website. */
#include "arc_colors.h"

const int32_t ARC_COLORS[ARC_COLOR_COUNT] = {
    0x000000, 0x0074D9, 0xFF4136, 0x2ECC40, 0xFFDC00,
    0xAAAAAA, 0xF012BE, 0xFF851B, 0x7FDBFF, 0x870C25
};
