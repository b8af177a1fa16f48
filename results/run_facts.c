/* run_facts.c - reads runs, their jobs and their attempts, each table once. */
#include "run_facts.h"

#include "error.h"
#include "id_range.h"
#include "job_state.h"
#include "large_array.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run while its jobs and attempts are read. */
struct reading {
    int64_t first_training; /* job_id; 0: it has none yet */
    int64_t last_training;  /* of those not done */
    int64_t newest_training;
    bool several;                          /* trainings */
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
    text_set_release(&facts->data_hashes);
    *facts = (struct run_facts){ 0 };
}

const struct run_fact *run_facts_find(const struct run_facts *facts, int64_t run_id, int near)
{
    const struct run_fact wanted = { .run_id = run_id };
    const struct run_fact *fact;

    if (near >= 0 && near < facts->count && facts->items[near].run_id == run_id)
        fact = &facts->items[near];
    else
        fact = facts->count == 0 ? NULL
                                 : bsearch(&wanted, facts->items, (size_t)facts->count,
                                           sizeof *facts->items, compare_facts);
    return fact != NULL && fact->hash[0] != '\0' ? fact : NULL;
}

static double column_real(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? (double)NAN
                                                         : sqlite3_column_double(s, column);
}

/* Reads the ids that a statement returns, and ends it. */
static int read_ids(struct id_list *out, struct store *store, sqlite3_stmt **s,
                    struct error *err)
{
    int room = 0, rc;

    while ((rc = sql_step(store, s, err)) > 0) {
        if (out->count == room) {
            room = 2 * room + 16;
            int64_t *larger = realloc(out->ids, (size_t)room * sizeof *larger);

            if (larger == NULL) {
                sql_end(s);
                return error_no_memory(err, "results");
            }
            out->ids = larger;
        }
        out->ids[out->count++] = sqlite3_column_int64(*s, 0);
    }
    id_list_order(out);
    return rc;
}

/* The numbers of these arms' runs; to be released after an error, too. */
static int load_ids(struct id_list *out, struct store *store, const struct arm_range *arms,
                    struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT x.run_id FROM arm a CROSS JOIN arm_run x USING (arm_id)"
                       " WHERE a.experiment_id = ?1 AND a.arm_id BETWEEN ?2 AND ?3",
                       "iii", arms->experiment_id, arms->first, arms->last);

    *out = (struct id_list){ 0 };
    return rc < 0 ? rc : read_ids(out, store, &s, err);
}

int run_ids_named(struct id_list *out, struct store *store, const char *experiment,
                  struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT x.run_id FROM experiment e CROSS JOIN arm a USING"
                       " (experiment_id) CROSS JOIN arm_run x USING (arm_id) WHERE e.name = ?1",
                       "t", experiment);

    *out = (struct id_list){ 0 };
    return rc < 0 ? rc : read_ids(out, store, &s, err);
}

int run_ids_of(struct id_list *out, struct store *store, const struct results *results,
               struct error *err)
{
    const struct arm_range all = { results->experiment_id, INT64_MIN, INT64_MAX };
    const struct run_facts *facts = results->facts;

    if (facts == NULL)
        return load_ids(out, store, &all, err);
    if (!id_list_init(out, facts->count))
        return error_no_memory(err, "results");
    for (int i = 0; i < facts->count; i++)
        out->ids[out->count++] = facts->items[i].run_id;
    return 0;
}

/* Reads the runs. What a damaged database lacks has no hash. */
static int load_runs(struct run_facts *facts, const struct id_list *ids, struct store *store,
                     struct error *err)
{
    struct id_query q = id_query_begin(
        store, ids,
        "SELECT run_id, seed, hash, data_hash, train_flops, config_id, parameters,"
        " puzzle_parameters, total_steps FROM run CROSS JOIN training USING (training_id)"
        " WHERE run_id BETWEEN ?1 AND ?2 ORDER BY run_id");
    int rc;

    for (int i = 0; i < ids->count; i++)
        facts->items[i] = (struct run_fact){ .run_id = ids->ids[i],
                                             .state = RUN_QUEUED,
                                             .cpu_seconds = (double)NAN,
                                             .train_seconds = (double)NAN,
                                             .evaluation_seconds = (double)NAN };
    facts->count = ids->count;
    while ((rc = id_query_step(&q, err)) > 0) {
        struct run_fact *fact = &facts->items[q.place];

        fact->seed = sqlite3_column_int64(q.s, 1);
        sql_copy_text(fact->hash, sizeof fact->hash, q.s, 2);
        fact->train_flops = column_real(q.s, 4);
        fact->config_id = sqlite3_column_int64(q.s, 5);
        fact->parameters = sqlite3_column_int64(q.s, 6);
        fact->puzzle_parameters = sqlite3_column_int64(q.s, 7);
        fact->total_steps = sqlite3_column_int64(q.s, 8);
        fact->data_hash = text_set_add(&facts->data_hashes, sql_text(q.s, 3));
        if (fact->data_hash == NULL) {
            id_query_end(&q);
            return error_no_memory(err, "results");
        }
    }
    return rc;
}

/* Reads the states of the trainings, in any order. */
static int load_states(struct run_facts *facts, struct reading *readings,
                       const struct id_list *ids, struct store *store, struct error *err)
{
    struct id_query q = id_query_begin(store, ids,
                                       "SELECT run_id, job_id, state, cause FROM job"
                                       " WHERE run_id BETWEEN ?1 AND ?2 AND kind = 'train'"
                                       " ORDER BY run_id");
    int rc;

    while ((rc = id_query_step(&q, err)) > 0) {
        struct run_fact *fact = &facts->items[q.place];
        int64_t job = sqlite3_column_int64(q.s, 1);
        char cause[24] = "";

        if (readings[q.place].first_training == 0)
            readings[q.place].first_training = job;
        readings[q.place].several = readings[q.place].first_training != job;
        enum run_state state = run_state_of_job(cause, sql_text(q.s, 2), sql_text(q.s, 3));

        if (job > readings[q.place].newest_training) {
            readings[q.place].newest_training = job;
            fact->failed =
                state == RUN_FAILED || state == RUN_DIVERGED || state == RUN_CANCELLED;
        }
        if (fact->state == RUN_DONE)
            continue;
        if (state != RUN_DONE && job <= readings[q.place].last_training)
            continue;
        readings[q.place].last_training = job;
        fact->state = state;
        memcpy(fact->cause, cause, sizeof cause);
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

/* Whether a job of the run trains it. */
static int is_training(bool *out, struct store *store, const struct reading *reading,
                       int64_t job, struct error *err)
{
    int64_t ignored;

    *out = job == reading->first_training;
    if (*out || !reading->several)
        return 0;
    return sql_int(store, &ignored, out, err,
                   "SELECT 1 FROM job WHERE job_id = ?1 AND kind = 'train'", "i", job);
}

/* Reads what the attempts to train them took. */
static int load_costs(struct run_facts *facts, struct reading *readings,
                      const struct id_list *ids, struct store *store, struct error *err)
{
    /* the order is that in which sums are made */
    struct id_query q =
        id_query_begin(store, ids,
                       "SELECT run_id, number, user_seconds + system_seconds, train_seconds,"
                       " evaluation_seconds, job_id FROM attempt"
                       " WHERE run_id BETWEEN ?1 AND ?2 ORDER BY run_id, number");
    int rc;

    while ((rc = id_query_step(&q, err)) > 0) {
        struct run_fact *fact = &facts->items[q.place];
        struct reading *reading = &readings[q.place];
        bool training;

        rc = is_training(&training, store, reading, sqlite3_column_int64(q.s, 5), err);
        if (rc < 0)
            break;
        if (!training)
            continue;
        if (sqlite3_column_type(q.s, 2) != SQLITE_NULL)
            fact->cpu_seconds = (isnan(fact->cpu_seconds) ? 0.0 : fact->cpu_seconds) +
                                sqlite3_column_double(q.s, 2);
        take_latest(&fact->train_seconds, &reading->train_number, q.s, 3);
        take_latest(&fact->evaluation_seconds, &reading->evaluate_number, q.s, 4);
    }
    id_query_end(&q);
    return rc;
}

int run_facts_load(struct run_facts *out, struct store *store, const struct arm_range *arms,
                   bool costs, struct error *err)
{
    struct reading *readings = NULL;
    struct id_list ids;

    *out = (struct run_facts){ 0 };
    int rc = load_ids(&ids, store, arms, err);

    if (rc == 0) {
        readings = calloc((size_t)ids.count + 1, sizeof *readings);
        out->items = large_array_resize(NULL, ((size_t)ids.count + 1) * sizeof *out->items);
        rc = readings == NULL || out->items == NULL ? error_no_memory(err, "results") : 0;
    }
    if (rc == 0)
        rc = load_runs(out, &ids, store, err);
    if (rc == 0)
        rc = load_states(out, readings, &ids, store, err);
    if (rc == 0 && costs)
        rc = load_costs(out, readings, &ids, store, err);
    free(readings);
    id_list_release(&ids);
    if (rc != 0)
        run_facts_release(out);
    return rc;
}
