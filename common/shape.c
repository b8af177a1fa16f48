/* shape.c - arithmetic of shapes: widths, parameter counts and FLOPs. */
#include "shape.h"

#include "settings.h"

#include <math.h>
#include <string.h>

int shape_intermediate_size(double expansion, int width, int multiple)
{
    double rounded = nearbyint(expansion * width * 2.0 / 3.0); /* half to even */

    return (int)ceil(rounded / multiple) * multiple;
}

void shape_compute(struct shape *out, const struct config *c, int seq_len, int vocab_size,
                   int num_puzzle_identifiers)
{
    int64_t D = config_int(c, ARCH_HIDDEN_SIZE), N = config_int(c, ARCH_NUM_HEADS), d = D / N;
    int64_t E = config_int(c, ARCH_PUZZLE_EMB_NDIM), P = config_int(c, ARCH_PUZZLE_EMB_LEN);
    int64_t H = config_int(c, ARCH_H_LAYERS), L = config_int(c, ARCH_L_LAYERS), V = vocab_size;
    int64_t H_cycles = config_int(c, ARCH_H_CYCLES), L_cycles = config_int(c, ARCH_L_CYCLES);
    bool transformer = strcmp(config_choice(c, ARCH_NAME), "transformer") == 0;
    int F = shape_intermediate_size(config_real(c, ARCH_EXPANSION), (int)D,
                                    (int)config_int(c, ARCH_FFN_MULTIPLE));

    if (E == 0)
        P = 0;
    else if (P == 0)
        P = (E + D - 1) / D;
    int64_t S = P + seq_len;
    int64_t layers = transformer ? H : H + L;
    int64_t passes = transformer ? H : H_cycles * (L_cycles * L + H);
    bool learned = strcmp(config_choice(c, ARCH_POS_ENCODINGS), "learned") == 0;
    bool target = config_bool(c, ARCH_ACT_ENABLED) && config_int(c, ARCH_HALT_MAX_STEPS) > 1;
    double every = (double)config_int(c, TRAIN_TARGET_Q_UPDATE_EVERY);
    double rows = (double)config_int(c, TRAIN_GLOBAL_BATCH_SIZE);
    double layer = (double)(8 * D * (N * d) + 6 * D * F + 4 * S * (N * d));
    double head = (double)(2 * D * V), forward = (double)passes * layer + head;
    double backward = 2.0 * ((double)layers * layer + head);

    out->positions = (int)S;
    out->prefix = (int)P;
    out->intermediate_size = F;
    out->head_size = (int)d;
    out->parameters =
        layers * (4 * D * N * d + 3 * D * F) + 2 * V * D + 2 * D + 2 + (learned ? S * D : 0);
    out->puzzle_parameters = (int64_t)num_puzzle_identifiers * E;
    out->train_step_flops =
        rows * (double)S * (forward * (1.0 + (target ? 1.0 / every : 0.0)) + backward);
    out->eval_row_step_flops = (double)S * forward;
}
