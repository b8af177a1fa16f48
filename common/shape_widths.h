/*
 * shape_widths.h - widths that follow from single sizes.
 */
#ifndef COMMON_SHAPE_WIDTHS_H
#define COMMON_SHAPE_WIDTHS_H

#include <stdint.h>

/* In training at most so many threads work on one gradient lane: of its chunks of rows,
 * forward passes run at the same time, but backward passes, a quarter of the work of
 * HRM as published, one after the other. */
enum { SHAPE_THREADS_OF_A_LANE = 4 };

/* The multiple of `multiple` at or above round(expansion * width * 2 / 3), half to
 * even; at least one. */
int shape_intermediate_size(double expansion, int width, int multiple);

/* P: len if that is set, else the number of positions of hidden_size values that hold
 * ndim values; 0 without a puzzle embedding (ndim 0). */
int64_t shape_prefix(int64_t ndim, int64_t len, int64_t hidden_size);

#endif
