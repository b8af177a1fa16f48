/* bench_growth.c - time of a training step against each size: a table, and plots by gnuplot. */
#include "bench.h"

#include "error.h"
#include "file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *axis;
    const char *ticks; /* gnuplot's format of numbers at the axis */
} DIMENSIONS[] = {
    { "batch", "rows of a batch", "%g" },
    { "tokens", "tokens (16 rows)", "%g" },
    { "hidden", "hidden size (16 rows)", "%g" },
    { "layers", "layers of each module", "%g" },
    { "cycles", "H cycles = L cycles", "%g" },
    { "outer_steps", "outer steps in training", "%g" },
    { "identifiers", "puzzle identifiers",
      "%.0s%c" }, /* 100k, 1M: there is no room for zeros */
};
enum { DIMENSION_COUNT = sizeof DIMENSIONS / sizeof *DIMENSIONS };

/* The exponent between the last two points: 1 is linear. */
static double last_exponent(const cJSON *points)
{
    int n = cJSON_GetArraySize(points);
    const cJSON *a = cJSON_GetArrayItem(points, n - 2), *b = cJSON_GetArrayItem(points, n - 1);
    double x = cJSON_GetNumberValue(cJSON_GetObjectItem(b, "value")) /
               cJSON_GetNumberValue(cJSON_GetObjectItem(a, "value"));
    double y = cJSON_GetNumberValue(cJSON_GetObjectItem(b, "ms")) /
               cJSON_GetNumberValue(cJSON_GetObjectItem(a, "ms"));

    return log(y) / log(x);
}

int bench_growth(const char *svg)
{
    FILE *plot = bench_plot(svg, 1100, 560);

    if (plot != NULL)
        fprintf(plot,
                "set yrange [5:5000]\n"
                "set multiplot layout 2,4 title 'ms per training step (A, 32 rows unless said "
                "otherwise; both axes logarithmic)'\n"
                "set logscale xy\nset grid\nunset key\nset ylabel 'ms'\n");
    printf("%-12s %10s %12s %10s\n", "size", "value", "ms per step", "GFLOP/s");
    for (int d = 0; d < DIMENSION_COUNT; d++) {
        char words[100];
        snprintf(words, sizeof words, "growth %s", DIMENSIONS[d].name);
        cJSON *points = bench_start(words);
        if (points == NULL)
            bench_fail("growth over %s failed", DIMENSIONS[d].name);
        if (plot != NULL)
            fprintf(plot,
                    "set xlabel '%s'\nset format x '%s'\nplot '-' with linespoints pt 7 lw 2\n",
                    DIMENSIONS[d].axis, DIMENSIONS[d].ticks);
        for (const cJSON *p = points->child; p != NULL; p = p->next) {
            double value = cJSON_GetNumberValue(cJSON_GetObjectItem(p, "value"));
            double ms = cJSON_GetNumberValue(cJSON_GetObjectItem(p, "ms"));
            printf("%-12s %10.0f %12.2f %10.1f\n", DIMENSIONS[d].name, value, ms,
                   cJSON_GetNumberValue(cJSON_GetObjectItem(p, "gflops")));
            if (plot != NULL)
                fprintf(plot, "%g %g\n", value, ms);
        }
        printf("%-12s grows at the end with the power %.2f\n", DIMENSIONS[d].name,
               last_exponent(points));
        if (plot != NULL)
            fprintf(plot, "e\n");
        fflush(stdout);
        cJSON_Delete(points);
    }
    if (plot != NULL)
        fprintf(plot, "unset multiplot\n");
    bench_plot_end(plot, svg);
    return 0;
}
