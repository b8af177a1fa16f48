/*
 * bench_threads.c - how a training step grows with threads: measured up to the machine's cores, and
 * beyond them how far the work can be shared out.
 *
 * With more threads than cores a step's time tells nothing. But each thread's processor time does:
 * between two meetings of the threads, as many cores would need what the busiest thread took. A
 * step's limit is so the work of all over that of the busiest, summed over the meetings, with what
 * one thread does alone between them. It knows nothing of caches and memory that cores share,
 * nor of threads that wait for each other within a meeting.
 */
#include "bench.h"

#include "clock.h"
#include "team.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_THREADS = 64, ROUNDS = 3, MOST_STEPS = 15 };
static const int THREADS[] = { 1, 2, 4, 8 };
enum { THREAD_COUNTS = sizeof THREADS / sizeof *THREADS };

/* ---- child: one number of threads ---- */

/* Processor seconds since counting began. */
static struct {
    bool active;    /* only then is anything counted */
    double all;     /* of all threads in meetings */
    double busiest; /* of the busiest one of each meeting */
    double alone;   /* of the caller's thread between meetings */
    double left;    /* that thread's clock when it left the last one */
} counted;

/* A meeting: what is run, and what each member took. */
struct meeting {
    void (*work)(void *context, int member);
    void (*wait)(void *context);
    void *context;
    double took[MOST_THREADS];
};

static void work_counted(void *context, int member)
{
    struct meeting *meeting = context;
    double start = clock_thread_s();

    meeting->work(meeting->context, member);
    meeting->took[member] = clock_thread_s() - start;
}

static void wait_counted(void *context)
{
    struct meeting *meeting = context;

    meeting->wait(meeting->context);
}

/* The linker gives every call of team_run() to __wrap_team_run(). */
void __real_team_run(struct team *team, int members, void (*work)(void *context, int member),
                     void (*wait)(void *context), void *context);
void __wrap_team_run(struct team *team, int members, void (*work)(void *context, int member),
                     void (*wait)(void *context), void *context);

void __wrap_team_run(struct team *team, int members, void (*work)(void *context, int member),
                     void (*wait)(void *context), void *context)
{
    struct meeting meeting = { work, wait, context, { 0 } };
    double busiest = 0.0;

    if (!counted.active) {
        __real_team_run(team, members, work, wait, context);
        return;
    }
    counted.alone += clock_thread_s() - counted.left;
    __real_team_run(team, members, work_counted, wait != NULL ? wait_counted : NULL, &meeting);
    for (int i = 0; i < members; i++) {
        counted.all += meeting.took[i];
        if (meeting.took[i] > busiest)
            busiest = meeting.took[i];
    }
    counted.busiest += busiest;
    counted.left = clock_thread_s();
}

cJSON *bench_child_balance(const struct bench_case *c)
{
    struct bench_model model;
    double seconds[MOST_STEPS], spent = 0.0;
    int steps = 0;
    cJSON *out = cJSON_CreateObject();

    bench_model_create(&model, c);
    if (model.config.threads > MOST_THREADS)
        bench_fail("at most %d threads", MOST_THREADS);
    bench_train_step(&model, NULL);
    counted.active = true;
    counted.left = clock_thread_s();
    for (; steps < MOST_STEPS && (steps < 3 || spent < 3.0); steps++)
        spent += seconds[steps] = bench_train_step(&model, NULL);
    counted.alone += clock_thread_s() - counted.left;
    counted.active = false;
    cJSON_AddNumberToObject(out, "step_s", bench_median(seconds, steps));
    cJSON_AddNumberToObject(out, "alone_share", counted.alone / (counted.alone + counted.all));
    cJSON_AddNumberToObject(out, "limit",
                            (counted.alone + counted.all) / (counted.alone + counted.busiest));
    cJSON_AddNumberToObject(out, "lanes", model.config.gradient_lanes);
    bench_model_destroy(&model);
    return out;
}

/* ---- parent ---- */

/* What one number of threads has shown of a case. */
struct growth {
    double step_s, limit, alone_share;
    int lanes;
};

static double number(const cJSON *object, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(object, key));
}

/* A child's answer, with as many lanes for one thread as for eight. */
static cJSON *start(const char *name, int threads)
{
    char words[100], text[12];

    snprintf(words, sizeof words, "balance %s", name);
    snprintf(text, sizeof text, "%d", threads);
    setenv("BENCH_THREADS", text, 1);
    setenv("BENCH_LANES", "8", 1);
    cJSON *out = bench_start(words);
    unsetenv("BENCH_THREADS");
    unsetenv("BENCH_LANES");
    if (out == NULL)
        bench_fail("%s: the measurement of %d threads failed", name, threads);
    return out;
}

/* All numbers of threads in turn, so that a machine that slows down slows all of them. */
static void measure(struct growth out[THREAD_COUNTS], const char *name)
{
    double steps[THREAD_COUNTS][ROUNDS], limits[THREAD_COUNTS][ROUNDS];

    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < THREAD_COUNTS; i++) {
            cJSON *one = start(name, THREADS[i]);

            steps[i][r] = number(one, "step_s");
            limits[i][r] = number(one, "limit");
            out[i].alone_share = number(one, "alone_share");
            out[i].lanes = (int)number(one, "lanes");
            cJSON_Delete(one);
        }
    for (int i = 0; i < THREAD_COUNTS; i++) {
        out[i].step_s = bench_median(steps[i], ROUNDS);
        out[i].limit = bench_median(limits[i], ROUNDS);
    }
}

static void print_case(const char *name, const struct growth *growth, long cores)
{
    for (int i = 0; i < THREAD_COUNTS; i++) {
        printf("%-6s %7d %6d", i == 0 ? name : "", THREADS[i], growth[i].lanes);
        if (THREADS[i] <= cores)
            printf(" %10.1f %9.2f", 1e3 * growth[i].step_s,
                   growth[0].step_s / growth[i].step_s);
        else
            printf(" %10s %9s", "-", "-");
        printf(" %9.2f %11.3f %%\n", growth[i].limit, 100 * growth[i].alone_share);
    }
    fflush(stdout);
}

/* One panel for each case: measured, the limit, and as many times as there are threads. */
static void draw_case(FILE *plot, const char *name, const struct growth *growth, long cores)
{
    fprintf(plot,
            "set title '%s, %d lanes'\n"
            "plot x with lines dt 2 lc rgb '#999999' title 'as many times', "
            "'-' with linespoints pt 6 lw 1 lc rgb '#0072b2' title 'limit of the sharing', "
            "'-' with linespoints pt 7 lw 2 lc rgb '#d55e00' title 'measured'\n",
            name, growth[0].lanes);
    for (int i = 0; i < THREAD_COUNTS; i++)
        fprintf(plot, "%d %g\n", THREADS[i], growth[i].limit);
    fprintf(plot, "e\n");
    for (int i = 0; i < THREAD_COUNTS && THREADS[i] <= cores; i++)
        fprintf(plot, "%d %g\n", THREADS[i], growth[0].step_s / growth[i].step_s);
    fprintf(plot, "e\n");
}

int bench_threads(const char *svg, const char *const *names, int count)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    FILE *plot = bench_plot(svg, 260 * count, 360);

    if (plot != NULL)
        fprintf(plot,
                "set multiplot layout 1,%d title 'times as many training steps as with one "
                "thread, by threads (measured on %ld cores)'\n"
                "set logscale xy 2\nset grid\nset key below vertical maxrows 3\nset xrange "
                "[0.9:9]\n"
                "set yrange [0.9:9]\nset xtics (1,2,4,8)\nset ytics (1,2,4,8)\n",
                count, cores);
    printf("%-6s %7s %6s %10s %9s %9s %13s\n", "", "threads", "lanes", "ms a step", "measured",
           "limit", "one works");
    for (int i = 0; i < count; i++) {
        struct growth growth[THREAD_COUNTS];

        measure(growth, names[i]);
        print_case(names[i], growth, cores);
        if (plot != NULL)
            draw_case(plot, names[i], growth, cores);
    }
    if (plot != NULL)
        fprintf(plot, "unset multiplot\n");
    bench_plot_end(plot, svg);
    return 0;
}
