/* run_facts.c - reads runs, their jobs and their attempts, one query for each. */
#include "run_facts.h"

#include "error.h"
#include "job_state.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run while its jobs and attempts are read. */
struct reading {
    int64_t last_training;                 /* job_id; 0: it has none yet */
    int64_t train_number, evaluate_number; /* of the attempt that reported the time */
};

enum run_state run_state_of_job(char cause[24], const char *state, const char *job_cause)
{
    enum job_state known = JOB_QUEUED;

    cause[0] = '\0';
    if (strcmp(state, "done") == 0 && outcome_parse(job_cause) == OUTCOME_DIVERGED)
        return RUN_DIVERGED;
    if (!job_state_parse(&known, state) || known == JOB_QUEUED)
        return RUN_QUEUED;
    if (job_state_is_open(known))
        return RUN_RUNNING;
    if (known == JOB_DONE)
        return RUN_DONE;
    if (known == JOB_CANCELLED)
        return RUN_CANCELLED;
    snprintf(cause, 24, "%s", job_cause);
    return RUN_FAILED;
}

static int compare_facts(const void *a, const void *b)
{
    const struct run_fact *x = a, *y = b;

    return x->run_id < y->run_id ? -1 : x->run_id > y->run_id;
}

void run_facts_release(struct run_facts *facts)
{
    free(facts->items);
    *facts = (struct run_facts){ 0 };
}

const struct run_fact *run_facts_find(const struct run_facts *facts, int64_t run_id)
{
    const struct run_fact wanted = { .run_id = run_id };

    return facts->count == 0 ? NULL
                             : bsearch(&wanted, facts->items, (size_t)facts->count,
                                       sizeof *facts->items, compare_facts);
}

/* The position of the run of the statement's first column; -1: it was queued since. */
static int position_of(const struct run_facts *facts, sqlite3_stmt *s)
{
    const struct run_fact *fact = run_facts_find(facts, sqlite3_column_int64(s, 0));

    return fact != NULL ? (int)(fact - facts->items) : -1;
}

static double column_real(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? (double)NAN
                                                         : sqlite3_column_double(s, column);
}

/* The order of the tables is the order of the nested loops, each through an index. */
#define OF_ARMS " FROM arm a CROSS JOIN arm_run x USING (arm_id)"
#define WHICH_ARMS " WHERE a.experiment_id = ?1 AND a.arm_id BETWEEN ?2 AND ?3"

/* Reads every run once. *shared: some serve several of the arms. */
static int load_runs(struct run_facts *out, bool *shared, struct store *store,
                     const struct arm_range *arms, struct error *err)
{
    sqlite3_stmt *s;
    int room = 0, count = 0;
    *shared = false;
    int rc = sql_query(store, &s, err,
                       "SELECT r.run_id, r.seed, r.hash, r.train_flops" OF_ARMS
                       " CROSS JOIN run r USING (run_id)" WHICH_ARMS,
                       "iii", arms->experiment_id, arms->first, arms->last);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (out->count == room) {
            room = 2 * room + 16;
            struct run_fact *larger = realloc(out->items, (size_t)room * sizeof *larger);

            if (larger == NULL) {
                sql_end(&s);
                return error_no_memory(err, "results");
            }
            out->items = larger;
        }
        struct run_fact *fact = &out->items[out->count++];

        *fact = (struct run_fact){ .run_id = sqlite3_column_int64(s, 0),
                                   .seed = sqlite3_column_int64(s, 1),
                                   .state = RUN_QUEUED,
                                   .train_flops = column_real(s, 3),
                                   .cpu_seconds = (double)NAN,
                                   .train_seconds = (double)NAN,
                                   .evaluation_seconds = (double)NAN };
        snprintf(fact->hash, sizeof fact->hash, "%s", sql_text(s, 2));
    }
    if (rc < 0 || out->count == 0)
        return rc;
    qsort(out->items, (size_t)out->count, sizeof *out->items, compare_facts);
    for (int i = 0; i < out->count; i++)
        if (count == 0 || out->items[i].run_id != out->items[count - 1].run_id)
            out->items[count++] = out->items[i];
    *shared = count < out->count;
    out->count = count;
    return 0;
}

/* Reads the states of the trainings, in any order. */
static int load_states(struct run_facts *facts, struct reading *readings, struct store *store,
                       const struct arm_range *arms, struct error *err)
{
    sqlite3_stmt *s;
    int rc =
        sql_query(store, &s, err,
                  "SELECT j.run_id, j.job_id, j.state, j.cause" OF_ARMS
                  " CROSS JOIN job j ON j.run_id = x.run_id AND j.kind = 'train'" WHICH_ARMS,
                  "iii", arms->experiment_id, arms->first, arms->last);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        int at = position_of(facts, s);
        int64_t job = sqlite3_column_int64(s, 1);
        char cause[24];

        rc = 0;
        if (at < 0 || facts->items[at].state == RUN_DONE)
            continue;
        enum run_state state = run_state_of_job(cause, sql_text(s, 2), sql_text(s, 3));

        if (state != RUN_DONE && job <= readings[at].last_training)
            continue;
        readings[at].last_training = job;
        facts->items[at].state = state;
        snprintf(facts->items[at].cause, sizeof cause, "%s", cause);
    }
    return rc;
}

/* Takes over the value of a column where it has one, and the attempt is later than that
 * of the value before. */
static void take_latest(double *value, int64_t *number, sqlite3_stmt *s, int column)
{
    int64_t mine = sqlite3_column_int64(s, 1);

    if (sqlite3_column_type(s, column) == SQLITE_NULL || mine <= *number)
        return;
    *value = sqlite3_column_double(s, column);
    *number = mine;
}

#define COSTS_OF(runs)                                                                         \
    "SELECT t.run_id, t.number, t.user_seconds + t.system_seconds, t.train_seconds,"           \
    " t.evaluation_seconds FROM " runs " o CROSS JOIN attempt t ON t.run_id = o.run_id"        \
    " CROSS JOIN job j ON j.job_id = t.job_id AND j.kind = 'train'"

/* Reads what the attempts to train them took, of each run once. */
static int load_costs(struct run_facts *facts, struct reading *readings, bool shared,
                      struct store *store, const struct arm_range *arms, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       shared ? COSTS_OF("(SELECT DISTINCT x.run_id" OF_ARMS WHICH_ARMS ")")
                              : COSTS_OF("(SELECT x.run_id" OF_ARMS WHICH_ARMS ")"),
                       "iii", arms->experiment_id, arms->first, arms->last);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        int at = position_of(facts, s);

        rc = 0;
        if (at < 0)
            continue;
        struct run_fact *fact = &facts->items[at];

        if (sqlite3_column_type(s, 2) != SQLITE_NULL)
            fact->cpu_seconds = (isnan(fact->cpu_seconds) ? 0.0 : fact->cpu_seconds) +
                                sqlite3_column_double(s, 2);
        take_latest(&fact->train_seconds, &readings[at].train_number, s, 3);
        take_latest(&fact->evaluation_seconds, &readings[at].evaluate_number, s, 4);
    }
    return rc;
}

int run_facts_load(struct run_facts *out, struct store *store, const struct arm_range *arms,
                   struct error *err)
{
    struct reading *readings = NULL;
    bool shared;

    *out = (struct run_facts){ 0 };
    int rc = load_runs(out, &shared, store, arms, err);

    if (rc == 0) {
        readings = calloc((size_t)out->count + 1, sizeof *readings);
        rc = readings == NULL ? error_no_memory(err, "results") : 0;
    }
    if (rc == 0)
        rc = load_states(out, readings, store, arms, err);
    if (rc == 0)
        rc = load_costs(out, readings, shared, store, arms, err);
    free(readings);
    if (rc != 0)
        run_facts_release(out);
    return rc;
}
