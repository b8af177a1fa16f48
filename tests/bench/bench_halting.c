/*
 * bench_halting.c - what rows that leave the batch when they halt (eval.act_inference) save: the
 * processor time of an evaluation of 16 outer steps against the steps that its rows make.
 */
#include "bench.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { MOST_STEPS = 16, ROUNDS = 7, MOST_ROWS = 128 };

/* Processor time of this process, which has one thread: others on the machine disturb it less. */
static double processor_s(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

/* The step at which a row leaves: over the rows they are spread evenly from 1 to 2 mean - 1, so
 * that at every step some leave; all at the last one if that is the mean. */
static int leaves_at(int row, int rows, int mean)
{
    return mean == MOST_STEPS ? MOST_STEPS : 1 + (2 * mean - 1) * row / rows;
}

/* Processor seconds of an evaluation whose rows leave there, and the mean of the steps that they make. */
static double evaluate(struct bench_model *model, int mean, double *steps_used)
{
    struct engine_result result;
    int rows[MOST_ROWS], kept[MOST_ROWS], count = model->config.batch_size, made = 0;

    assert(count <= MOST_ROWS);
    for (int i = 0; i < count; i++)
        rows[i] = leaves_at(i, count, mean);
    double start = processor_s();
    engine_evaluate_begin(model->engine, &model->batches[0], count);
    for (int step = 1; count > 0; step++) {
        int left = 0;
        int rc = engine_evaluate_step(model->engine, &result);

        assert(rc == 0); /* no watch stops it */
        (void)rc;
        made += count;
        for (int i = 0; i < count; i++)
            if (rows[i] > step) {
                rows[left] = rows[i];
                kept[left++] = i;
            }
        if (left > 0 && left < count)
            engine_evaluate_keep(model->engine, kept, left);
        count = left;
    }
    *steps_used = (double)made / model->config.batch_size;
    return processor_s() - start;
}

int bench_halting(const char *svg)
{
    static const int MEANS[] = { MOST_STEPS, 8, 6, 4, 3, 2, 1 };
    struct bench_model model;
    double whole = 0;
    FILE *plot = bench_plot(svg, 560, 400);

    bench_model_create(&model, bench_case_find("A"));
    if (plot != NULL)
        fprintf(plot,
                "set title 'A, batch of 64, 16 outer steps: rows leave when they halt'\n"
                "set xlabel 'outer steps made, share'\nset ylabel 'processor time, share'\n"
                "set grid\nset key left top\nset xrange [0:1.05]\nset yrange [0:1.05]\n"
                "plot x with lines dt 2 title 'time = steps', '-' with linespoints pt 7 "
                "lw 2 title 'measured'\n");
    printf("%12s %12s %12s %12s\n", "steps used", "share", "ms", "share");
    for (size_t i = 0; i < sizeof MEANS / sizeof *MEANS; i++) {
        double steps = 0, seconds = evaluate(&model, MEANS[i], &steps);

        for (int r = 1; r < ROUNDS; r++) { /* the least disturbed one */
            double other = evaluate(&model, MEANS[i], &steps);
            seconds = other < seconds ? other : seconds;
        }
        whole = i == 0 ? seconds : whole;
        printf("%12.2f %10.1f %% %12.1f %10.1f %%\n", steps, 100 * steps / MOST_STEPS,
               1e3 * seconds, 100 * seconds / whole);
        fflush(stdout);
        if (plot != NULL)
            fprintf(plot, "%g %g\n", steps / MOST_STEPS, seconds / whole);
    }
    bench_model_destroy(&model);
    if (plot != NULL)
        fprintf(plot, "e\n");
    bench_plot_end(plot, svg);
    return 0;
}
