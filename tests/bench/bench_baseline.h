/*
 * bench_baseline.h - the shares that later measurements are compared with: baseline.json, an object
 * with the machine (cpu, kernel_set, blas_core) and per configuration train_share and eval_share.
 */
#ifndef TESTS_BENCH_BASELINE_H
#define TESTS_BENCH_BASELINE_H

#include <cjson/cJSON.h>
#include <stdio.h>

/* The baseline after configs were measured on machine: these replace the old ones of the same
 * name, the others stay, unless old (NULL: there is none) is of another machine. Fresh. */
cJSON *baseline_merge(const cJSON *old, const cJSON *machine, const cJSON *configs);

/* Prints configs beside the baseline and returns how many shares got slower. Shares of another CPU
 * or kernel set are printed, but none of them counts. */
int baseline_compare(FILE *out, const cJSON *baseline, const cJSON *machine,
                     const cJSON *configs);

#endif
