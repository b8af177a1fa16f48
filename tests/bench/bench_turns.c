/* bench_turns.c - processes that measure in turns by the wall clock. */
#include "bench.h"

#include "clock.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Between the end of a turn and the next one's beginning. */
static const double GAP_S = 0.1;

void bench_wait_until(double wall_s)
{
    struct timespec at = { .tv_sec = (time_t)wall_s,
                           .tv_nsec = (long)((wall_s - floor(wall_s)) * 1e9) };

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL) != 0)
        ;
}

void bench_pin(int core)
{
    cpu_set_t set;

    if (core < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        bench_fail("cannot pin to core %d", core);
}

bool bench_schedule_read(struct bench_schedule *out, char *const *words, int count)
{
    if (count != 5)
        return false;
    *out = (struct bench_schedule){ .start = atof(words[0]),
                                    .length = atof(words[1]),
                                    .turn = atoi(words[2]),
                                    .turns = atoi(words[3]),
                                    .cycles = atoi(words[4]) };
    return out->length > 0.0 && out->turn >= 0 && out->turn < out->turns && out->cycles > 0;
}

void bench_schedule_write(char *out, size_t size, const struct bench_schedule *schedule)
{
    snprintf(out, size, "%.3f %.3f %d %d %d", schedule->start, schedule->length, schedule->turn,
             schedule->turns, schedule->cycles);
}

double bench_take_turn(struct bench_model *model, const struct bench_schedule *schedule,
                       int cycle, enum bench_kind kind, int *steps)
{
    double length = schedule->length, turns = schedule->turns;
    double cycle_at = schedule->start + 1.5 * cycle * turns * length;
    double begin = cycle_at + schedule->turn * length;
    int done = 0;

    if (kind == BENCH_EVALUATION) {
        length /= 2;
        begin = cycle_at + 2 * turns * length + schedule->turn * length;
    }
    if (clock_wall_s() > begin)
        bench_fail("a process was not ready for its turn; is the machine busy?");
    bench_wait_until(begin);
    double from = clock_wall_s(), end = from;
    /* Not a step that would run into another's turn. */
    while (done == 0 || end + (end - from) / done < begin + length - GAP_S) {
        if (kind == BENCH_TRAINING)
            bench_train_step(model, NULL);
        else
            bench_evaluate_step(model);
        done++;
        end = clock_wall_s();
    }
    *steps += done;
    return done / (end - from);
}

cJSON *bench_child_turns(const struct bench_case *c, const struct bench_schedule *schedule,
                         int core)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *steps = cJSON_AddArrayToObject(out, "steps_per_s");
    cJSON *evaluations = cJSON_AddArrayToObject(out, "evaluations_per_s");
    struct bench_model model;
    int done = 0;

    bench_pin(core);
    bench_model_create(&model, c);
    bench_train_step(&model, NULL);
    bench_evaluate_step(&model);
    for (int i = 0; i < schedule->cycles; i++) {
        double rate = bench_take_turn(&model, schedule, i, BENCH_TRAINING, &done);

        cJSON_AddItemToArray(steps, cJSON_CreateNumber(rate));
        rate = bench_take_turn(&model, schedule, i, BENCH_EVALUATION, &done);
        cJSON_AddItemToArray(evaluations, cJSON_CreateNumber(rate));
    }
    bench_model_destroy(&model);
    return out;
}
