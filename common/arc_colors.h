/*
 * arc_colors.h - the ten colours in which ARC's grids are drawn everywhere.
 */
#ifndef COMMON_ARC_COLORS_H
#define COMMON_ARC_COLORS_H

#include <stdint.h>

enum { ARC_COLOR_COUNT = 10 };

/* 0xRRGGBB by the number in a cell. */
extern const int32_t ARC_COLORS[ARC_COLOR_COUNT];

#endif
