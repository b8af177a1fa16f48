/*
 * query.c - loads an experiment's rows: arms, runs, evaluations and their measures.
 */
#include "query.h"

#include "error.h"
#include "evaluation_order.h"
#include "file.h"
#include "filter.h"
#include "json.h"
#include "large_array.h"
#include "run_facts.h"
#include "settings.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED_EXPERIMENTS = 20, FIRST_CONDITION = 5 };

void results_destroy(struct results *results)
{
    if (results == NULL)
        return;
    for (int i = 0; i < results->arm_count; i++) {
        free(results->arms[i].label);
        cJSON_Delete(results->arms[i].axes);
        cJSON_Delete(results->arms[i].active);
    }
    text_set_release(&results->evaluations);
    text_set_release(&results->data_hashes);
    if (results->facts != NULL)
        run_facts_release(results->facts);
    free(results->facts);
    for (int m = 0; m < METRIC_COUNT; m++)
        free(results->values[m]);
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
    larger = large_array_resize(old, (count == 0 ? 1 : 2 * (size_t)count) * size);
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

/* The SELECT of all rows, unsorted; ?3 and ?4 are the arms to load (0: all), and
 * conditions are parameters from ?5 on. Newly allocated or NULL. The order of the
 * tables is the order of the nested loops: from the experiment's arms on, each through
 * an index. */
static char *rows_sql(const struct filter *filters, int filter_count)
{
    char *conditions = strdup(" AND (?3 = 0 OR a.arm_id IN (?3, ?4))"), *sql = NULL;

    for (int i = 0; i < filter_count && conditions != NULL; i++) {
        char *condition = filter_sql(&filters[i], FIRST_CONDITION + 2 * i);
        char *next =
            condition != NULL ? format_string("%s AND %s", conditions, condition) : NULL;

        free(condition);
        free(conditions);
        conditions = next;
    }
    if (conditions != NULL)
        sql = format_string("SELECT a.arm_id, n.run_id, n.evaluation_id, v.canonical,"
                            " v.outer_steps, v.augmentations, v.eval_seed, v.act_inference,"
                            " v.split = 'train', x.checkpoint, x.step, x.tasks,"
                            " x.seconds, iif(x.checkpoint = 'last', x.rows_count, 0)"
                            " FROM experiment e CROSS JOIN arm a USING (experiment_id)"
                            " CROSS JOIN arm_inference ai USING (arm_id)"
                            " CROSS JOIN inference v USING (inference_id)"
                            " CROSS JOIN arm_run ar ON ar.arm_id = a.arm_id"
                            " CROSS JOIN run_inference n"
                            "  ON n.run_id = ar.run_id AND n.inference_id = v.inference_id%s"
                            " LEFT JOIN evaluation_result x"
                            "  ON x.evaluation_id = n.evaluation_id"
                            "  AND (?2 OR x.checkpoint = 'last')"
                            " WHERE e.experiment_id = ?1%s",
                            /* only conditions read it here */
                            filter_count > 0 ? " CROSS JOIN run r ON r.run_id = n.run_id" : "",
                            conditions);
    free(conditions);
    return sql;
}

const char *run_state_name(enum run_state state)
{
    static const char *const NAMES[RUN_STATE_COUNT] = {
        [RUN_DONE] = "done",     [RUN_QUEUED] = "queued",     [RUN_RUNNING] = "running",
        [RUN_FAILED] = "failed", [RUN_DIVERGED] = "diverged", [RUN_CANCELLED] = "cancelled"
    };

    return NAMES[state];
}

static bool is_pending(enum run_state state)
{
    return state == RUN_QUEUED || state == RUN_RUNNING;
}

/* Reads the evaluation and its result from the statement; run_id is all that is known
 * of the training. Without memory, evaluation is NULL. */
static void read_row(struct result_row *row, struct results *results, sqlite3_stmt *s)
{
    *row = (struct result_row){
        .run_id = sqlite3_column_int64(s, 1),
        .evaluation_id = sqlite3_column_int64(s, 2),
        .evaluation = text_set_add(&results->evaluations, sql_text(s, 3)),
        .outer_steps = sqlite3_column_int64(s, 4),
        .augmentations = sqlite3_column_int64(s, 5),
        .eval_seed = sqlite3_column_int64(s, 6),
        .act_inference = sqlite3_column_int(s, 7) != 0,
        .train_split = sqlite3_column_int(s, 8) != 0,
        .step = sqlite3_column_int64(s, 10),
        .tasks = sqlite3_column_int64(s, 11),
        .rows_count = sqlite3_column_int64(s, 13),
        .pass_seconds = sqlite3_column_double(s, 12),
    };
    sql_copy_text(row->checkpoint, sizeof row->checkpoint, s, 9);
}

/* The state of an evaluation without a result, of a training that is done: that of the
 * last job queued for it. */
static int load_outcome(struct result_row *row, struct store *store, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT j.state, j.cause FROM job j JOIN job_evaluation q USING (job_id)"
                       " WHERE j.run_id = ?1 AND j.kind = 'evaluate' AND q.evaluation_id = ?2"
                       " ORDER BY j.job_id DESC LIMIT 1",
                       "ii", row->run_id, row->evaluation_id);

    row->outcome = RUN_QUEUED;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        row->outcome = run_state_of_job(row->cause, sql_text(s, 0), sql_text(s, 1));
    }
    return rc;
}

/* Adds what is known of the row's training, and hides numbers that do not count. */
static int complete_row(struct result_row *row, const struct run_fact *fact,
                        struct store *store, struct error *err)
{
    bool shown = fact->state == RUN_DONE || is_pending(fact->state);
    int rc = 0;

    row->seed = fact->seed;
    row->config_id = fact->config_id;
    row->parameters = fact->parameters;
    row->puzzle_parameters = fact->puzzle_parameters;
    row->total_steps = fact->total_steps;
    memcpy(row->hash, fact->hash, sizeof row->hash);
    row->data_hash = fact->data_hash;
    row->state = row->outcome = fact->state;
    memcpy(row->cause, fact->cause, sizeof row->cause);
    row->train_flops = fact->train_flops;
    row->train_cpu_seconds = fact->cpu_seconds;
    row->train_seconds = fact->train_seconds;
    row->evaluation_seconds = fact->evaluation_seconds;
    if (row->state == RUN_DONE && row->checkpoint[0] == '\0')
        rc = load_outcome(row, store, err);
    /* Until its training is over, a run's last numbers may still be replaced. */
    if (is_pending(row->state) && strcmp(row->checkpoint, "last") == 0)
        shown = false;
    if (!shown) {
        row->checkpoint[0] = '\0';
        row->tasks = 0;
    }
    row->hidden = row->checkpoint[0] != '\0' && row->tasks == 0;
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
    const struct arm_choice *only = &results->only;
    char *sql = rows_sql(filters, filter_count);
    /* the filters' parameters are bound below */
    char *types = malloc((size_t)filter_count * 2 + FIRST_CONDITION);
    int rc = 0;

    if (sql == NULL || types == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for results");
    } else {
        memset(types, 'n', (size_t)filter_count * 2 + FIRST_CONDITION - 1);
        memcpy(types, "iiii", FIRST_CONDITION - 1);
        types[filter_count * 2 + FIRST_CONDITION - 1] = '\0';
        rc = sql_query(store, statement, err, sql, types, results->experiment_id,
                       (int64_t)(scope == RESULTS_ALL), only->ids[0],
                       only->ids[only->count > 1]);
    }
    free(types);
    free(sql);
    for (int i = 0; i < filter_count && rc == 0; i++)
        if (filter_bind(&filters[i], *statement, FIRST_CONDITION + 2 * i) != SQLITE_OK)
            rc = store_error(store, "bind a condition", err);
    return rc;
}

/* Loads the evaluations and their results. *arms: those that have any. */
static int load_rows(struct results *results, struct arm_range *arms, struct store *store,
                     const struct filter *filters, int filter_count, enum results_scope scope,
                     struct error *err)
{
    struct arm_place *places = places_by_id(results);
    sqlite3_stmt *statement = NULL;
    int rc = places == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for results")
                 : query_rows(&statement, results, store, filters, filter_count, scope, err);

    *arms = (struct arm_range){ results->experiment_id, INT64_MAX, INT64_MIN };
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

        read_row(row, results, statement);
        /* one transaction: the arm was loaded */
        row->arm = place != NULL ? place->index : 0;
        arms->first = wanted.id < arms->first ? wanted.id : arms->first;
        arms->last = wanted.id > arms->last ? wanted.id : arms->last;
        if (row->evaluation == NULL)
            rc = error_set(err, ERROR_NOMEM, "no memory for results");
    }
    sql_end(&statement);
    free(places);
    return rc;
}

/* Completes the rows with what is known of their runs, and counts these. */
static int complete_rows(struct results *results, const struct run_facts *facts,
                         struct store *store, struct error *err)
{
    bool *counted = calloc((size_t)facts->count + 1, sizeof *counted);
    int near = 0, rc = 0;

    if (counted == NULL)
        rc = error_set(err, ERROR_NOMEM, "no memory for results");
    for (int i = 0; i < results->row_count && rc == 0; i++) {
        const struct run_fact *fact = run_facts_find(facts, results->rows[i].run_id, near);

        if (fact == NULL) {
            rc = error_set(err, ERROR_DAMAGED,
                           "the database is damaged: experiment \"%s\" asks for an evaluation "
                           "of a run that none of its arms has; `hrmlab rebuild` makes a new "
                           "database",
                           results->experiment);
            break;
        }
        rc = complete_row(&results->rows[i], fact, store, err);
        near = (int)(fact - facts->items) + 1; /* rows mostly are in order of runs */
        if (counted[fact - facts->items])
            continue;
        counted[fact - facts->items] = true;
        results->runs.total++;
        results->runs.of[fact->state]++;
    }
    free(counted);
    return rc;
}

/* whole: all runs of the experiment are loaded, and kept. */
static int load_runs(struct results *results, const struct arm_range *arms, bool whole,
                     enum results_scope scope, struct store *store, struct error *err)
{
    const struct arm_range all = { results->experiment_id, INT64_MIN, INT64_MAX };
    struct run_facts *facts = calloc(1, sizeof *facts);

    if (facts == NULL)
        return error_no_memory(err, "results");
    int rc = run_facts_load(facts, store, whole ? &all : arms, scope != RESULTS_BARE, err);

    if (rc == 0)
        rc = complete_rows(results, facts, store, err);
    results->data_hashes = facts->data_hashes; /* which the rows name */
    facts->data_hashes = (struct text_set){ 0 };
    if (rc == 0 && whole) {
        results->facts = facts;
        return 0;
    }
    run_facts_release(facts);
    free(facts);
    return rc;
}

/* Order: arm, evaluation, seed, step. */
static int compare_rows(const void *a, const void *b)
{
    const struct result_row *x = a, *y = b;
    int order = compare_integers(x->arm, y->arm);

    if (order == 0)
        order = compare_integers(x->evaluation_place, y->evaluation_place);
    if (order == 0)
        order = compare_integers(x->seed, y->seed);
    return order != 0 ? order : compare_integers(x->step, y->step);
}

static int sort_rows(struct results *results, struct error *err)
{
    const struct text_set *evaluations = &results->evaluations;
    int *places = malloc(((size_t)evaluations->count + 1) * sizeof *places), at = 0;
    int rc = places == NULL
                 ? error_no_memory(err, "results")
                 : evaluation_order(places, evaluations->items, evaluations->count, err);
    bool sorted = true;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        struct result_row *row = &results->rows[i];

        while (evaluations->items[at] != row->evaluation)
            at = (at + 1) % evaluations->count;
        row->evaluation_place = places[at];
        sorted = sorted && (i == 0 || compare_rows(row - 1, row) <= 0);
    }
    free(places);
    if (rc == 0 && !sorted)
        qsort(results->rows, (size_t)results->row_count, sizeof *results->rows, compare_rows);
    return rc;
}

/* Finds the axes that have an effect on the arm, of which run_id is a run: a run's
 * settings are those that have one. */
static int load_active(struct result_arm *arm, int64_t run_id, struct store *store,
                       struct error *err)
{
    int rc = 0;

    for (const cJSON *axis = arm->axes->child; axis != NULL && rc == 0; axis = axis->next) {
        int id = setting_find(axis->string);
        bool found = true;

        if (id >= 0 && settings_table[id].inactive != NULL)
            rc = sql_int(store, &(int64_t){ 0 }, &found, err,
                         "SELECT 1 FROM setting WHERE run_id = ?1 AND key = ?2", "it", run_id,
                         axis->string);
        if (rc != 0 || found)
            continue;
        if (arm->active == NULL)
            arm->active = cJSON_Duplicate(arm->axes, true);
        if (arm->active == NULL)
            return error_no_memory(err, "results");
        cJSON_DeleteItemFromObjectCaseSensitive(arm->active, axis->string);
    }
    return rc;
}

bool result_arm_lacks(const struct result_arm *arm, const char *key)
{
    return json_member(arm->axes, key) != NULL &&
           json_member(result_arm_shown(arm), key) == NULL;
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
        if (rc == 0 && row->config_id != 0)
            rc = load_active(&results->arms[row->arm], row->run_id, store, err);
    }
    return rc;
}

int results_load(struct results **out, struct store *store, const char *experiment,
                 const char *const *wheres, int where_count, enum results_scope scope,
                 struct error *err)
{
    const struct arm_choice all = { .count = 0 };
    const struct given_conditions conditions = { "--where", wheres, where_count };

    return results_load_arms(out, store, experiment, &all, &conditions, scope, err);
}

int results_load_arms(struct results **out, struct store *store, const char *experiment,
                      const struct arm_choice *only, const struct given_conditions *conditions,
                      enum results_scope scope, struct error *err)
{
    struct results *results = calloc(1, sizeof *results);
    struct filter *filters = calloc((size_t)conditions->count + 1, sizeof *filters);
    struct arm_range arms = { 0 };
    int parsed = 0;
    int rc = results == NULL || filters == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for results")
                 : 0;

    *out = NULL;
    if (rc == 0)
        results->only = *only;
    if (rc == 0)
        rc = find_experiment(results, store, experiment, err);
    if (rc == 0)
        rc = load_arms(results, store, err);
    while (rc == 0 && parsed < conditions->count) {
        rc = filter_parse(&filters[parsed], conditions->texts[parsed], conditions->given_as,
                          results, err);
        parsed += rc == 0;
    }
    if (rc == 0 && scope != RESULTS_ARMS)
        rc = load_rows(results, &arms, store, filters, parsed, scope, err);
    if (rc == 0 && results->row_count > 0)
        rc = load_runs(results, &arms, parsed == 0 && only->count == 0, scope, store, err);
    if (rc == 0 && results->row_count > 0)
        rc = sort_rows(results, err);
    if (rc == 0) {
        results->scope = scope;
        results->filtered = parsed > 0;
    }
    if (rc == 0 && (scope == RESULTS_LAST || scope == RESULTS_ALL))
        rc = results_load_recorded(results, store, err);
    if (rc == 0)
        rc = load_arm_settings(results, store, err);
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

int results_have_interim(bool *out, struct store *store, const struct results *results,
                         struct error *err)
{
    struct id_list ids;
    int rc = id_list_init(&ids, results->row_count) ? 0 : error_no_memory(err, "results");

    for (int i = 0; i < results->row_count && rc == 0; i++)
        ids.ids[ids.count++] = results->rows[i].evaluation_id;
    id_list_order(&ids);
    struct id_query q = id_query_begin(
        store, &ids,
        "SELECT evaluation_id FROM evaluation_result WHERE evaluation_id BETWEEN ?1 AND ?2"
        " AND checkpoint = 'interim' ORDER BY evaluation_id");

    if (rc == 0)
        rc = id_query_step(&q, err);
    id_query_end(&q);
    id_list_release(&ids);
    *out = rc > 0;
    return rc < 0 ? rc : 0;
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
    return sql_find_text(store, out, err,
                         "SELECT value FROM setting WHERE run_id = ?1 AND key = ?2", "it",
                         run_id, key);
}
