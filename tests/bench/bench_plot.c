/* bench_plot.c - drawings by gnuplot. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

FILE *bench_plot(const char *svg, int width, int height)
{
    FILE *plot = NULL;

    if (system("command -v gnuplot >/dev/null") == 0)
        plot = popen("gnuplot", "w");
    else
        printf("no plot: gnuplot is not installed (apt-get install gnuplot-nox)\n");
    if (plot != NULL)
        fprintf(plot,
                "set terminal svg size %d,%d font 'sans,11' background 'white'\n"
                "set output '%s'\n",
                width, height, svg);
    return plot;
}

void bench_plot_end(FILE *plot, const char *svg)
{
    if (plot == NULL)
        return;
    if (pclose(plot) != 0)
        bench_fail("gnuplot failed");
    printf("%s is written\n", svg);
}
