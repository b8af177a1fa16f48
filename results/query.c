/*
 * query.c - loads an experiment's rows: arms, runs, evaluations and their measures.
 */
#include "query.h"

#include "error.h"
#include "file.h"
#include "filter.h"
#include "job_state.h"
#include "json.h"
#include "measure_rows.h"
#include "sql.h"
#include "statistics.h"
#include "store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_EXPERIMENTS = 20 };

/* SQL over a task's rows of task_outcome that computes the task's value (?2 is the
 * rank). */
static const char *const PER_TASK_SQL[] = {
    [MEASURE_NOT_PER_TASK] = NULL,
    [MEASURE_SOLVED_SHARE] = "avg(rank IS NOT NULL AND rank <= ?2)",
    [MEASURE_ALL_SOLVED] = "min(rank IS NOT NULL AND rank <= ?2)",
    [MEASURE_TOKENS] = "avg(per_token_accuracy) + 0 * ?2",
    [MEASURE_VOTES] = "avg(iif(predictions > 0, 1.0 * votes / predictions, 0.0)) + 0 * ?2",
};

void results_destroy(struct results *results)
{
    if (results == NULL)
        return;
    for (int i = 0; i < results->arm_count; i++) {
        free(results->arms[i].label);
        cJSON_Delete(results->arms[i].axes);
    }
    for (int i = 0; i < results->row_count; i++)
        free(results->rows[i].evaluation);
    free(results->arms);
    free(results->rows);
    free(results->experiment);
    free(results);
}

int error_unknown_experiment(struct store *store, const char *name, struct error *err)
{
    char list[600] = "";
    size_t used = 0;
    sqlite3_stmt *statement = NULL;
    int count = 0;
    int rc = sql_query(store, &statement, err, "SELECT name FROM experiment ORDER BY name", "");

    while (rc == 0 && (rc = sql_step(store, &statement, err)) == 1) {
        rc = 0;
        if (count < LISTED_EXPERIMENTS && used + 120 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.100s",
                                     count > 0 ? ", " : "", sql_text(statement, 0));
        else if (count == LISTED_EXPERIMENTS || used + 120 >= sizeof list) {
            snprintf(list + used, sizeof list - used, ", ...");
            sql_end(&statement);
            break;
        }
        count++;
        if (statement == NULL)
            break;
    }
    if (rc < 0)
        return rc;
    if (count == 0)
        return error_set(err, ERROR_ABSENT,
                         "this workspace has no experiments yet (`hrmlab run SPEC` makes one)");
    if (name == NULL)
        return error_set(err, ERROR_ABSENT, "say which experiment: %s", list);
    return error_set(err, ERROR_ABSENT, "no experiment \"%s\" in this workspace; there are: %s",
                     name, list);
}

int experiment_name(struct store *store, char out[EXPERIMENT_NAME_SIZE], const char *asked,
                    struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = 0;

    snprintf(out, EXPERIMENT_NAME_SIZE, "%s", asked);
    if (strcmp(asked, "last") != 0)
        return 0;
    rc = sql_query(store, &s, err,
                   "SELECT name FROM experiment ORDER BY queued_at DESC, experiment_id DESC"
                   " LIMIT 1",
                   "");
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc == 0)
        return error_unknown_experiment(store, NULL, err);
    if (rc > 0)
        snprintf(out, EXPERIMENT_NAME_SIZE, "%s", sql_text(s, 0));
    sql_end(&s);
    return rc < 0 ? rc : 0;
}

int experiment_find(struct store *store, char out[EXPERIMENT_NAME_SIZE], const char *asked,
                    struct error *err)
{
    int64_t id;
    bool found = false;
    int rc = experiment_name(store, out, asked, err);

    if (rc == 0)
        rc = sql_int(store, &id, &found, err,
                     "SELECT experiment_id FROM experiment WHERE name = ?1", "t", out);
    return rc < 0 || found ? rc : error_unknown_experiment(store, out, err);
}

static int find_experiment(struct results *results, struct store *store, const char *name,
                           struct error *err)
{
    sqlite3_stmt *statement = NULL;
    char meant[EXPERIMENT_NAME_SIZE];
    int count = 0;
    int rc = name != NULL ? experiment_name(store, meant, name, err) : 0;

    if (rc == 0)
        rc = name != NULL ? sql_query(store, &statement, err,
                                      "SELECT experiment_id, name FROM experiment"
                                      " WHERE name = ?1",
                                      "t", meant)
                          : sql_query(store, &statement, err,
                                      "SELECT experiment_id, name FROM experiment LIMIT 2", "");

    while (rc == 0 && (rc = sql_step(store, &statement, err)) == 1) {
        rc = 0;
        count++;
        results->experiment_id = sqlite3_column_int64(statement, 0);
        free(results->experiment);
        results->experiment = sql_text_copy(statement, 1);
        if (results->experiment == NULL) {
            sql_end(&statement);
            return error_set(err, ERROR_NOMEM, "no memory for results");
        }
    }
    if (rc == 0 && count != 1)
        rc = error_unknown_experiment(store, name, err);
    return rc;
}

/* Makes room for one more item; capacity doubles. */
static bool grow(void *array, int count, size_t size)
{
    void *old, *larger;

    if (count != 0 && (count & (count - 1)) != 0)
        return true;
    memcpy(&old, array, sizeof old);
    larger = realloc(old, (count == 0 ? 1 : 2 * (size_t)count) * size);
    if (larger == NULL)
        return false;
    memcpy(array, &larger, sizeof larger);
    // cppcheck-suppress memleak ; *array owns it
    return true;
}

static int load_arms(struct results *results, struct store *store, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sql_query(store, &statement, err,
                       "SELECT arm_id, label, axes FROM arm WHERE experiment_id = ?1"
                       " ORDER BY position, arm_id",
                       "i", results->experiment_id);

    while (rc == 0 && (rc = sql_step(store, &statement, err)) == 1) {
        struct result_arm arm = { .id = sqlite3_column_int64(statement, 0) };
        const char *axes = sql_text(statement, 2);

        rc = json_parse(&arm.axes, axes, strlen(axes), "arm.axes", err);
        if (rc == 0) {
            arm.label = sql_text_copy(statement, 1);
            if (arm.label == NULL ||
                !grow(&results->arms, results->arm_count, sizeof *results->arms)) {
                rc = error_set(err, ERROR_NOMEM, "no memory for results");
                free(arm.label);
                cJSON_Delete(arm.axes);
            } else {
                results->arms[results->arm_count++] = arm;
            }
        }
    }
    sql_end(&statement);
    return rc < 0 ? rc : 0;
}

/* A job's state and, of one that failed, its cause: "failed:crash". */
#define STATE_AND_CAUSE                                                                        \
    "iif(j.state = 'done' AND j.cause IS NOT NULL, j.cause,"                                   \
    " j.state || iif(j.cause IS NULL, '', ':' || j.cause))"
/* A run is done if one of its trainings is; otherwise it has the state of its last
 * training. */
#define RUN_STATE_SQL                                                                          \
    "CASE WHEN EXISTS (SELECT 1 FROM job j WHERE j.run_id = r.run_id AND j.kind = 'train'"     \
    " AND j.state = 'done' AND j.cause IS NULL) THEN 'done'"                                   \
    " ELSE coalesce((SELECT " STATE_AND_CAUSE " FROM job j"                                    \
    " WHERE j.run_id = r.run_id AND j.kind = 'train' ORDER BY j.job_id DESC LIMIT 1),"         \
    " 'queued') END"
/* The state of an evaluation without a result: that of the last job queued for it. */
#define EVALUATION_STATE_SQL                                                                   \
    "iif(x.step IS NOT NULL, 'done', coalesce((SELECT " STATE_AND_CAUSE " FROM job j"          \
    " JOIN job_evaluation q USING (job_id) WHERE j.run_id = r.run_id"                          \
    " AND j.kind = 'evaluate' AND q.evaluation_id = v.evaluation_id"                           \
    " ORDER BY j.job_id DESC LIMIT 1), 'queued'))"

/* A column of the last attempt of the run's training that has a value there. */
#define LAST_OF_TRAINING(column)                                                               \
    "(SELECT t." column " FROM attempt t JOIN job j USING (job_id)"                            \
    " WHERE t.run_id = r.run_id AND j.kind = 'train' AND t." column " IS NOT NULL"             \
    " ORDER BY t.number DESC LIMIT 1)"

/* The SELECT of all rows, unsorted; conditions are parameters from ?3 on. Newly
 * allocated or NULL. The order of the tables is the order of the nested loops: from
 * the experiment's arms on, each through an index. An arm asks for its evaluations
 * of all its runs. */
static char *rows_sql(const struct filter *filters, int filter_count)
{
    char *conditions = strdup(""), *sql = NULL;

    for (int i = 0; i < filter_count && conditions != NULL; i++) {
        char *condition = filter_sql(&filters[i], 3 + 2 * i);
        char *next =
            condition != NULL ? format_string("%s AND %s", conditions, condition) : NULL;

        free(condition);
        free(conditions);
        conditions = next;
    }
    if (conditions != NULL)
        sql = format_string(
            "SELECT a.arm_id, r.run_id, v.evaluation_id, r.seed, r.hash, v.canonical,"
            " v.outer_steps, v.augmentations, v.eval_seed, v.act_inference, v.split = 'train',"
            " %s, x.checkpoint, x.step, r.train_flops, (SELECT"
            "   sum(t.user_seconds + t.system_seconds) FROM attempt t JOIN job j USING (job_id)"
            "   WHERE t.run_id = r.run_id AND j.kind = 'train'), x.tasks, %s,"
            " " LAST_OF_TRAINING("train_seconds") ", " LAST_OF_TRAINING(
                "evaluation_seconds") " FROM experiment e CROSS JOIN arm a USING "
                                      "(experiment_id)"
                                      " CROSS JOIN arm_evaluation ae USING (arm_id)"
                                      " CROSS JOIN evaluation v USING (evaluation_id) CROSS "
                                      "JOIN run r USING (run_id)"
                                      " LEFT JOIN evaluation_result x ON x.evaluation_id = "
                                      "v.evaluation_id"
                                      "   AND (?2 OR x.checkpoint = 'last')"
                                      " WHERE e.experiment_id = ?1%s",
            RUN_STATE_SQL, EVALUATION_STATE_SQL, conditions);
    free(conditions);
    return sql;
}

static double column_real(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? (double)NAN
               : sqlite3_column_double(statement, column);
}

const char *run_state_name(enum run_state state)
{
    static const char *const NAMES[RUN_STATE_COUNT] = {
        [RUN_DONE] = "done",     [RUN_QUEUED] = "queued",     [RUN_RUNNING] = "running",
        [RUN_FAILED] = "failed", [RUN_DIVERGED] = "diverged", [RUN_CANCELLED] = "cancelled"
    };

    return NAMES[state];
}

/* Splits a job's state and cause, such as "failed:crash" or "diverged"; *cause is
 * the text after the colon, or "". */
static enum run_state state_of(const char **cause, const char *text)
{
    enum job_state state = JOB_QUEUED;
    int length = (int)strcspn(text, ":");
    char name[32];

    *cause = text[length] == ':' ? text + length + 1 : "";
    snprintf(name, sizeof name, "%.*s", length, text);
    if (outcome_parse(name) == OUTCOME_DIVERGED)
        return RUN_DIVERGED;
    if (!job_state_parse(&state, name) || state == JOB_QUEUED)
        return RUN_QUEUED;
    if (job_state_is_open(state))
        return RUN_RUNNING;
    return state == JOB_DONE ? RUN_DONE : state == JOB_CANCELLED ? RUN_CANCELLED : RUN_FAILED;
}

static bool is_pending(enum run_state state)
{
    return state == RUN_QUEUED || state == RUN_RUNNING;
}

/* Reads one row from the statement; without memory, evaluation is NULL. */
static void read_row(struct result_row *row, sqlite3_stmt *s)
{
    const char *cause;

    *row = (struct result_row){
        .run_id = sqlite3_column_int64(s, 1),
        .evaluation_id = sqlite3_column_int64(s, 2),
        .seed = sqlite3_column_int64(s, 3),
        .evaluation = sql_text_copy(s, 5),
        .outer_steps = sqlite3_column_int64(s, 6),
        .augmentations = sqlite3_column_int64(s, 7),
        .eval_seed = sqlite3_column_int64(s, 8),
        .act_inference = sqlite3_column_int(s, 9) != 0,
        .train_split = sqlite3_column_int(s, 10) != 0,
        .state = state_of(&cause, sql_text(s, 11)),
        .step = sqlite3_column_int64(s, 13),
        .train_flops = column_real(s, 14),
        .train_cpu_seconds = column_real(s, 15),
        .train_seconds = column_real(s, 18),
        .evaluation_seconds = column_real(s, 19),
    };
    snprintf(row->hash, sizeof row->hash, "%s", sql_text(s, 4));
    row->outcome = row->state;
    if (row->state == RUN_DONE)
        row->outcome = state_of(&cause, sql_text(s, 17));
    snprintf(row->cause, sizeof row->cause, "%s", row->outcome == RUN_FAILED ? cause : "");
    bool shown = row->state == RUN_DONE || is_pending(row->state);

    /* Until its training is over, a run's last numbers may still be replaced. */
    if (is_pending(row->state) && strcmp(sql_text(s, 12), "last") == 0)
        shown = false;
    if (shown)
        snprintf(row->checkpoint, sizeof row->checkpoint, "%s", sql_text(s, 12));
    for (int i = 0; i < METRIC_COUNT; i++)
        row->values[i] = (double)NAN;
    row->tasks = shown ? sqlite3_column_int64(s, 16) : 0;
    row->hidden = row->checkpoint[0] != '\0' && row->tasks == 0;
}

/* Loads the measures of the rows' evaluations. If all tests are hidden, no task is
 * scored and the measures are unknown. */
static int load_values(struct results *results, struct store *store, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        struct result_row *row = &results->rows[i];

        if (row->tasks > 0)
            rc = measure_rows_load(store, row->values, row->evaluation_id, row->step, err);
    }
    return rc;
}

static int compare_integers(int64_t x, int64_t y)
{
    return x < y ? -1 : x > y;
}

/* The position of an arm in results->arms. */
struct arm_place {
    int64_t id;
    int index;
};

static int compare_places(const void *a, const void *b)
{
    return compare_integers(((const struct arm_place *)a)->id,
                            ((const struct arm_place *)b)->id);
}

/* The positions of the arms, sorted by id; newly allocated or NULL. */
static struct arm_place *places_by_id(const struct results *results)
{
    struct arm_place *places = malloc(((size_t)results->arm_count + 1) * sizeof *places);

    if (places == NULL)
        return NULL;
    for (int i = 0; i < results->arm_count; i++)
        places[i] = (struct arm_place){ results->arms[i].id, i };
    qsort(places, (size_t)results->arm_count, sizeof *places, compare_places);
    return places;
}

/* Runs the SELECT of the rows with its conditions bound. */
static int query_rows(sqlite3_stmt **statement, const struct results *results,
                      struct store *store, const struct filter *filters, int filter_count,
                      enum results_scope scope, struct error *err)
{
    char *sql = rows_sql(filters, filter_count);
    /* the filters' parameters are bound below */
    char *types = malloc((size_t)filter_count * 2 + 3);
    int rc = 0;

    if (sql == NULL || types == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for results");
    } else {
        memset(types, 'n', (size_t)filter_count * 2 + 2);
        memcpy(types, "ii", 2);
        types[filter_count * 2 + 2] = '\0';
        rc = sql_query(store, statement, err, sql, types, results->experiment_id,
                       (int64_t)(scope == RESULTS_ALL));
    }
    free(types);
    free(sql);
    for (int i = 0; i < filter_count && rc == 0; i++)
        if (filter_bind(&filters[i], *statement, 3 + 2 * i) != SQLITE_OK)
            rc = store_error(store, "bind a condition", err);
    return rc;
}

static int load_rows(struct results *results, struct store *store, const struct filter *filters,
                     int filter_count, enum results_scope scope, struct error *err)
{
    struct arm_place *places = places_by_id(results);
    sqlite3_stmt *statement = NULL;
    int rc = places == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for results")
                 : query_rows(&statement, results, store, filters, filter_count, scope, err);

    while (rc == 0 && (rc = sql_step(store, &statement, err)) == 1) {
        rc = 0;
        if (!grow(&results->rows, results->row_count, sizeof *results->rows)) {
            rc = error_set(err, ERROR_NOMEM, "no memory for results");
            break;
        }
        struct result_row *row = &results->rows[results->row_count++];
        const struct arm_place wanted = { .id = sqlite3_column_int64(statement, 0) };
        const struct arm_place *place = bsearch(&wanted, places, (size_t)results->arm_count,
                                                sizeof *places, compare_places);

        read_row(row, statement);
        /* one transaction: the arm was loaded */
        row->arm = place != NULL ? place->index : 0;
        if (row->evaluation == NULL)
            rc = error_set(err, ERROR_NOMEM, "no memory for results");
    }
    sql_end(&statement);
    free(places);
    return rc;
}

/* "all" augmentations compare as more than any number */
static int64_t voters(const struct result_row *row)
{
    return row->augmentations == 0 ? INT64_MAX : row->augmentations;
}

/* Order: arm, evaluation, seed, step. */
static int compare_rows(const void *a, const void *b)
{
    const struct result_row *x = a, *y = b;
    int order = compare_integers(x->arm, y->arm);

    if (order == 0)
        order = compare_integers(x->outer_steps, y->outer_steps);
    if (order == 0)
        order = compare_integers(voters(x), voters(y));
    if (order == 0)
        order = strcmp(x->evaluation, y->evaluation);
    if (order == 0)
        order = compare_integers(x->seed, y->seed);
    return order != 0 ? order : compare_integers(x->step, y->step);
}

/* Loads what an arm's runs share, once per arm: they differ only in the seed. rows
 * are sorted. */
static int load_arm_settings(struct results *results, struct store *store, struct error *err)
{
    static const char sql[] = "SELECT value FROM setting WHERE run_id = ?1 AND key = ?2";
    bool found; /* whether the setting is active; otherwise its value is 0 */
    int rc = 0;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        struct result_row *row = &results->rows[i];

        if (i > 0 && row->arm == row[-1].arm) {
            row->train_outer_steps = row[-1].train_outer_steps;
            row->train_augmentations = row[-1].train_augmentations;
            continue;
        }
        rc = sql_int(store, &row->train_outer_steps, &found, err, sql, "it", row->run_id,
                     "arch.halt_max_steps");
        if (rc == 0)
            rc = sql_int(store, &row->train_augmentations, &found, err, sql, "it", row->run_id,
                         "data.num_aug");
    }
    return rc;
}

static int compare_runs(const void *a, const void *b)
{
    const struct result_row *x = *(const struct result_row *const *)a;
    const struct result_row *y = *(const struct result_row *const *)b;

    return compare_integers(x->run_id, y->run_id);
}

/* The rows sorted by run; newly allocated or NULL. */
static const struct result_row **rows_by_run(const struct results *results)
{
    const struct result_row **order = malloc(((size_t)results->row_count + 1) * sizeof *order);

    if (order == NULL)
        return NULL;
    for (int i = 0; i < results->row_count; i++)
        order[i] = &results->rows[i];
    qsort(order, (size_t)results->row_count, sizeof *order, compare_runs);
    return order;
}

static int count_runs(struct results *results, struct error *err)
{
    const struct result_row **order = rows_by_run(results);

    if (order == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for results");
    for (int i = 0; i < results->row_count; i++) {
        if (i > 0 && order[i]->run_id == order[i - 1]->run_id)
            continue;
        results->runs.total++;
        results->runs.of[order[i]->state]++;
    }
    free(order);
    return 0;
}

int results_load(struct results **out, struct store *store, const char *experiment,
                 const char *const *wheres, int where_count, enum results_scope scope,
                 struct error *err)
{
    struct results *results = calloc(1, sizeof *results);
    struct filter *filters = calloc((size_t)where_count + 1, sizeof *filters);
    int parsed = 0;
    int rc = results == NULL || filters == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for results")
                 : 0;

    *out = NULL;
    while (rc == 0 && parsed < where_count) {
        rc = filter_parse(&filters[parsed], wheres[parsed], err);
        parsed += rc == 0;
    }
    if (rc == 0)
        rc = find_experiment(results, store, experiment, err);
    if (rc == 0)
        rc = load_arms(results, store, err);
    if (rc == 0)
        rc = load_rows(results, store, filters, parsed, scope, err);
    if (rc == 0 && results->row_count > 0)
        qsort(results->rows, (size_t)results->row_count, sizeof *results->rows, compare_rows);
    if (rc == 0)
        rc = load_values(results, store, err);
    if (rc == 0)
        rc = load_arm_settings(results, store, err);
    if (rc == 0)
        rc = count_runs(results, err);
    for (int i = 0; i < parsed; i++)
        filter_release(&filters[i]);
    free(filters);
    if (rc != 0) {
        results_destroy(results);
        return rc;
    }
    *out = results;
    return 0;
}

void run_counts_describe(char *out, size_t size, const struct run_counts *counts)
{
    int missing = counts->total - counts->of[RUN_DONE], shown = 0;
    size_t used = 0;

    out[0] = '\0';
    if (missing == 0)
        return;
    used = (size_t)snprintf(out, size, "%d of %d runs not done", missing, counts->total);
    for (int i = RUN_DONE + 1; i < RUN_STATE_COUNT; i++)
        if (counts->of[i] > 0 && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%d %s", shown++ ? ", " : " (",
                                     counts->of[i], run_state_name((enum run_state)i));
    if (used < size)
        snprintf(out + used, size - used, ")");
}

int results_setting(struct store *store, char **out, int64_t run_id, const char *key,
                    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sql_query(store, &statement, err,
                       "SELECT value FROM setting WHERE run_id = ?1 AND key = ?2", "it", run_id,
                       key);

    *out = NULL;
    if (rc == 0)
        rc = sql_step(store, &statement, err);
    if (rc == 1) {
        *out = sql_text_copy(statement, 0);
        rc = *out == NULL ? error_set(err, ERROR_NOMEM, "no memory for settings") : 0;
        sql_end(&statement);
    }
    return rc;
}

void task_values_release(struct task_values *values)
{
    for (int i = 0; i < values->count; i++)
        free(values->tasks[i]);
    free(values->tasks);
    free(values->values);
    *values = (struct task_values){ 0 };
}

int task_values_load(struct task_values *out, struct store *store, int64_t evaluation_id,
                     enum metric metric, struct error *err)
{
    char sql[256];
    sqlite3_stmt *statement = NULL;

    *out = (struct task_values){ 0 };
    if (PER_TASK_SQL[METRICS[metric].per_task] == NULL)
        return error_set(err, ERROR_FORMAT,
                         "--metric %s is not kept per task, so it cannot be compared; expected "
                         "pass_at_K, pass_at_K_strict, task_token_accuracy or task_exact_votes",
                         METRICS[metric].name);
    snprintf(sql, sizeof sql,
             "SELECT task, %s FROM task_outcome WHERE evaluation_id = ?1 GROUP BY task"
             " ORDER BY task",
             PER_TASK_SQL[METRICS[metric].per_task]);
    int rc = sql_query(store, &statement, err, sql, "ii", evaluation_id,
                       (int64_t)METRICS[metric].rank);

    while (rc == 0 && (rc = sql_step(store, &statement, err)) == 1) {
        char *task = sql_text_copy(statement, 0);

        rc = 0;
        if (task == NULL || !grow(&out->tasks, out->count, sizeof *out->tasks) ||
            !grow(&out->values, out->count, sizeof *out->values)) {
            free(task);
            rc = error_set(err, ERROR_NOMEM, "no memory for outcomes");
            break;
        }
        out->tasks[out->count] = task;
        out->values[out->count++] = sqlite3_column_double(statement, 1);
    }
    sql_end(&statement);
    if (rc != 0)
        task_values_release(out);
    return rc;
}

int results_load_metric(struct results *results, struct store *store, enum metric metric,
                        struct error *err)
{
    int rc = 0;

    if ((int)metric < METRIC_RECORDED)
        return 0;
    for (int i = 0; i < results->row_count && rc == 0; i++) {
        struct result_row *row = &results->rows[i];
        struct task_values values;

        if (strcmp(row->checkpoint, "last") != 0 || row->tasks == 0)
            continue;
        rc = task_values_load(&values, store, row->evaluation_id, metric, err);
        if (rc == 0)
            row->values[metric] = statistics_mean(values.values, values.count);
        task_values_release(&values);
    }
    return rc;
}
