/* bench_pair.c - two cores: two workers, one of two threads, one of two ranks, in turns. */
#include "bench.h"

#include "clock.h"
#include "mpi_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANK_COUNTS = 3, MOST_CYCLES = 50 };
static const int RANKS[RANK_COUNTS] = { 2, 4, 8 };

/* What is compared, in this order within a cycle. Ranks take part if MPI is built in. */
enum contestant { ONE, THREADS, WORKERS, RANKS_OF_TWO, CONTESTANTS };

/* What a configuration's cycles have measured. */
struct pair {
    int cycles;
    double rates[BENCH_KINDS][CONTESTANTS][MOST_CYCLES]; /* steps per second */
};

static double item(const cJSON *object, const char *key, int index)
{
    return cJSON_GetNumberValue(cJSON_GetArrayItem(cJSON_GetObjectItem(object, key), index));
}

static double number(const cJSON *object, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(object, key));
}

static double median_rate(const struct pair *pair, enum bench_kind kind, enum contestant who)
{
    double sorted[MOST_CYCLES];

    for (int i = 0; i < pair->cycles; i++)
        sorted[i] = pair->rates[kind][who][i];
    return bench_median(sorted, pair->cycles);
}

int bench_phase_seconds(double train_ms, bool quick)
{
    int least = quick ? 2 : 3, long_enough = (int)ceil(2.5e-3 * train_ms);

    return long_enough > least ? long_enough : least;
}

cJSON *bench_start_threads(const char *name, int threads, int seconds)
{
    char words[100], number_text[12];

    snprintf(words, sizeof words, "threads %s %d", name, seconds);
    snprintf(number_text, sizeof number_text, "%d", threads);
    setenv("BENCH_THREADS", number_text, 1);
    cJSON *out = bench_start(words);
    unsetenv("BENCH_THREADS");
    if (out == NULL)
        bench_fail("%s: the measurement of %d threads failed", name, threads);
    return out;
}

/* ---- A configuration's cycles. ---- */

static FILE *open_turns(const char *name, const char *threads, int core,
                        const struct bench_schedule *schedule)
{
    char words[200], times[100];

    bench_schedule_write(times, sizeof times, schedule);
    snprintf(words, sizeof words, "turns %s %d %s", name, core, times);
    setenv("BENCH_THREADS", threads, 1);
    FILE *child = bench_open_child(words);
    unsetenv("BENCH_THREADS");
    return child;
}

/* Adds a process's rates to those of its contestant. Ends with a message if it failed. */
static cJSON *take_rates(struct pair *pair, enum contestant who, FILE *child)
{
    cJSON *out = bench_read_child(child);

    if (out == NULL)
        bench_fail("a measurement failed");
    for (int i = 0; i < pair->cycles; i++) {
        pair->rates[BENCH_TRAINING][who][i] += item(out, "steps_per_s", i);
        pair->rates[BENCH_EVALUATION][who][i] += item(out, "evaluations_per_s", i);
    }
    return out;
}

/* Starts all processes, which take their turns. step_s: of a training step of one thread.
 * Returns what two ranks measured of themselves, or NULL. */
static cJSON *measure(struct pair *pair, const char *name, double step_s)
{
    bool has_ranks = mpi_exchange_is_built();
    struct bench_schedule schedule = { .length = fmax(2.0, 4.5 * step_s),
                                       .turns = has_ranks ? CONTESTANTS : RANKS_OF_TWO,
                                       .cycles = pair->cycles };
    FILE *children[CONTESTANTS], *second;
    char words[200], times[100];
    cJSON *ranks = NULL;

    /* by then all have made a step of each kind, on two cores */
    schedule.start = clock_wall_s() + 5.0 + 8.0 * step_s;
    children[ONE] = open_turns(name, "1", -1, &schedule);
    schedule.turn = THREADS;
    children[THREADS] = open_turns(name, "2", -1, &schedule);
    schedule.turn = WORKERS;
    children[WORKERS] = open_turns(name, "1", 0, &schedule);
    second = open_turns(name, "1", 1, &schedule);
    if (has_ranks) {
        schedule.turn = RANKS_OF_TWO;
        bench_schedule_write(times, sizeof times, &schedule);
        snprintf(words, sizeof words, "ranks %s %s", name, times);
        children[RANKS_OF_TWO] = bench_open_ranks(2, words);
    }
    for (int who = ONE; who <= WORKERS; who++)
        cJSON_Delete(take_rates(pair, (enum contestant)who, children[who]));
    cJSON_Delete(take_rates(pair, WORKERS, second));
    if (has_ranks)
        ranks = take_rates(pair, RANKS_OF_TWO, children[RANKS_OF_TWO]);
    return ranks;
}

/* ---- What is printed. ---- */

static double fastest_rate(const struct pair *pair, enum bench_kind kind, enum contestant who)
{
    double most = 0.0;

    for (int i = 0; i < pair->cycles; i++)
        most = fmax(most, pair->rates[kind][who][i]);
    return most;
}

/* The median of the cycles' ratios, the least and the largest; and the ratio of the fastest
 * turns, in which others disturbed least. */
static void print_ratio(const char *what, const struct pair *pair, enum bench_kind kind,
                        enum contestant over, enum contestant under)
{
    double ratios[MOST_CYCLES];

    for (int i = 0; i < pair->cycles; i++)
        ratios[i] = pair->rates[kind][over][i] / pair->rates[kind][under][i];
    double middle = bench_median(ratios, pair->cycles);
    printf("       %-25s %5.2f (%.2f to %.2f); fastest turns %.2f\n", what, middle, ratios[0],
           ratios[pair->cycles - 1],
           fastest_rate(pair, kind, over) / fastest_rate(pair, kind, under));
}

static void print_kind(const char *name, const char *what, const struct pair *pair,
                       enum bench_kind kind)
{
    printf("%-6s %-10s %8.3f %12.3f %12.3f", name, what, median_rate(pair, kind, ONE),
           median_rate(pair, kind, THREADS), median_rate(pair, kind, WORKERS));
    if (mpi_exchange_is_built())
        printf(" %12.3f", median_rate(pair, kind, RANKS_OF_TWO));
    putchar('\n');
    print_ratio("two threads / one", pair, kind, THREADS, ONE);
    print_ratio("two threads / two workers", pair, kind, THREADS, WORKERS);
    if (mpi_exchange_is_built())
        print_ratio("two ranks / two threads", pair, kind, RANKS_OF_TWO, THREADS);
    fflush(stdout);
}

/* What two ranks swap, and sums of gradients over 2, 4 and 8 ranks by themselves: these share
 * two cores, so that a step of theirs tells nothing. The share is that of a step whose rows are
 * shared out over ranks with a core each. */
static void print_ranks(const char *name, const struct pair *pair, const cJSON *two)
{
    printf("       two ranks: swaps %.1f ms of a step of %.0f ms, %.1f of them after the "
           "backward pass, before which %.0f %% were swapped; rank 0 waited %.0f ms for the "
           "other's rows; gradients %.1f MiB; their sum over ranks:",
           number(two, "swap_ms"), 1e3 / median_rate(pair, BENCH_TRAINING, RANKS_OF_TWO),
           number(two, "wait_ms"), 100 * number(two, "early_share"), number(two, "pause_ms"),
           number(two, "gradient_mib"));
    for (int i = 0; i < RANK_COUNTS; i++) {
        char words[100];

        snprintf(words, sizeof words, "ranks %s", name);
        cJSON *ranks = bench_read_child(bench_open_ranks(RANKS[i], words));
        if (ranks == NULL)
            bench_fail("%s: the sum over %d ranks failed", name, RANKS[i]);
        double sum_ms = number(ranks, "reduction_ms");
        printf("%s %d ranks %.1f ms (%.1f %%)", i > 0 ? "," : "", RANKS[i], sum_ms,
               100 * sum_ms /
                   (sum_ms + 1e3 / median_rate(pair, BENCH_TRAINING, ONE) / RANKS[i]));
        fflush(stdout);
        cJSON_Delete(ranks);
    }
    putchar('\n');
}

int bench_pair(const char *const *names, int count, bool quick)
{
    const char *text = getenv("ROUNDS");
    int cycles = text != NULL ? atoi(text) : quick ? 2 : 5;

    if (cycles < 1 || cycles > MOST_CYCLES)
        bench_fail("ROUNDS is 1 to %d", MOST_CYCLES);
    printf("steps per second, all in turn, medians of %d turns; ratios within a round: median "
           "(least to largest); of the fastest turns\n%-6s %-10s %8s %12s %12s %12s\n",
           cycles, "", "", "one", "two threads", "two workers",
           mpi_exchange_is_built() ? "two ranks" : "");
    for (int i = 0; i < count; i++) {
        struct pair pair = { .cycles = cycles };
        char words[100];

        snprintf(words, sizeof words, "times %s q", names[i]);
        cJSON *times = bench_start(words);
        cJSON *ranks = measure(&pair, names[i], 1e-3 * number(times, "train_ms"));
        cJSON_Delete(times);
        print_kind(names[i], "training", &pair, BENCH_TRAINING);
        print_kind("", "evaluation", &pair, BENCH_EVALUATION);
        if (ranks != NULL)
            print_ranks(names[i], &pair, ranks);
        cJSON_Delete(ranks);
    }
    if (!mpi_exchange_is_built())
        printf(
            "ranks: not measured; make MPI=1 bench-pair (libopenmpi-dev, openmpi-bin) does\n");
    return 0;
}
