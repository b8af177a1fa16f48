/* record_event.c - applies one journal event to the tables (docs/formats.md lists
 * the types). */
#include "record.h"

#include "checkpoint_header.h"
#include "error.h"
#include "json.h"
#include "measure.h"
#include "measure_rows.h"
#include "sql.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_member(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

/* ERROR_DAMAGED unless each of these members (NULL ends the list) is a number: a
 * missing number must not become 0. */
static int need_numbers(const cJSON *body, const char *type, const char *const *keys,
                        struct error *err)
{
    for (; *keys != NULL; keys++)
        if (!cJSON_IsNumber(json_member(body, *keys)))
            return error_set(err, ERROR_DAMAGED, "event %s: %s is not a number", type, *keys);
    return 0;
}

/* Likewise for texts, which must not be empty. */
static int need_texts(const cJSON *body, const char *type, const char *const *keys,
                      struct error *err)
{
    for (; *keys != NULL; keys++)
        if (text_member(body, *keys)[0] == '\0')
            return error_set(err, ERROR_DAMAGED, "event %s: %s is not a text", type, *keys);
    return 0;
}

#define NEED(kind, body, type, ...)                                                            \
    need_##kind(body, type, (const char *const[]){ __VA_ARGS__, NULL }, err)

/* What an attempt's bits depend on besides its run: the kernels, and the number of
 * threads, because several threads use another GEMM. */
#define ARITHMETIC                                                                             \
    "kernel_set || '/' || coalesce(blas_core, '') || '/'"                                      \
    " || coalesce(provenance ->> '$.provenance.threads', 1)"

/* Whether the attempt's arithmetic differs from that of an earlier attempt of the
 * run. */
static int is_mixed(struct store *store, bool *mixed, const struct record_attempt *attempt,
                    struct error *err)
{
    int64_t sets;
    int rc = sql_int(store, &sets, NULL, err,
                     "SELECT count(DISTINCT " ARITHMETIC
                     ") FROM attempt WHERE run_id = ?1 AND kernel_set IS NOT NULL",
                     "i", attempt->run_id);

    *mixed = sets > 1;
    return rc;
}

/* Reports a value that differs from the one in the database. */
static int differs(struct store *store, const struct record_attempt *attempt, const char *what,
                   double before, double now, struct error *err)
{
    bool mixed;
    int rc = is_mixed(store, &mixed, attempt, err);

    if (rc < 0)
        return rc;
    if (!mixed)
        return error_set(err, ERROR_DAMAGED,
                         "attempt %d says %s = %.17g where an earlier one said %.17g",
                         attempt->number, what, now, before);
    return sql_run(store, err, "UPDATE run SET mixed = 1 WHERE run_id = ?1", "i",
                   attempt->run_id);
}

/* Applies a resume event: training continues from an earlier attempt's checkpoint,
 * possibly with other kernels or threads. */
static int apply_resume(struct store *store, const struct record_attempt *attempt,
                        const cJSON *body, struct error *err)
{
    int rc = NEED(numbers, body, "resume", "step");

    if (rc < 0)
        return rc;
    return sql_run(store, err,
                   "UPDATE run SET mixed = 1 WHERE run_id = ?1 AND"
                   " (SELECT count(DISTINCT " ARITHMETIC
                   ") FROM attempt JOIN job USING (job_id) WHERE attempt.run_id = ?1"
                   "  AND job.kind = 'train' AND kernel_set IS NOT NULL) > 1",
                   "i", attempt->run_id);
}

static int apply_begin(struct store *store, const struct record_attempt *attempt,
                       const cJSON *body, struct error *err)
{
    const cJSON *p = json_member(body, "provenance");
    const char *hash = text_member(body, "run_hash"), *kind = text_member(body, "kind");
    int64_t number = json_integer_or(body, "attempt", 0);
    int rc = NEED(texts, body, "begin", "run_hash", "kind");

    if (rc == 0)
        rc = NEED(numbers, body, "begin", "attempt", "parameters", "puzzle_parameters",
                  "total_steps", "train_flops");
    if (rc < 0)
        return rc;
    if (number != attempt->number)
        return error_set(err, ERROR_DAMAGED, "the journal is of attempt %" PRId64 ", not %d",
                         number, attempt->number);
    if (strstr(attempt->directory, hash) == NULL) /* runs/HASH/attempts/N */
        return error_set(err, ERROR_DAMAGED, "the journal is of run %.12s", hash);
    char *whole = json_canonical(body);
    if (whole == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for an event");
    rc = sql_run(store, err,
                 "UPDATE attempt SET engine_version = ?2, git_commit = ?3, compiler = ?4,"
                 " kernel_set = ?5, blas = ?6, blas_core = ?7, cpu = ?8, provenance = ?9"
                 " WHERE attempt_id = ?1",
                 "itttttttt", attempt->attempt_id, text_member(p, "engine_version"),
                 text_member(p, "git_commit"), text_member(p, "compiler"),
                 text_member(p, "kernel_set"), text_member(p, "blas"),
                 text_member(p, "blas_core"), text_member(p, "cpu"), whole);
    free(whole);
    if (rc == 0 && strcmp(kind, "train") == 0)
        /* what all seeds report is mostly there already */
        rc = sql_run(store, err,
                     "UPDATE training SET parameters = ?2, puzzle_parameters = ?3,"
                     " total_steps = ?4, train_flops = ?5"
                     " WHERE training_id = (SELECT training_id FROM run WHERE run_id = ?1)"
                     " AND (parameters IS NOT ?2 OR puzzle_parameters IS NOT ?3"
                     "  OR total_steps IS NOT ?4 OR train_flops IS NOT ?5)",
                     "iiiir", attempt->run_id, json_integer_or(body, "parameters", 0),
                     json_integer_or(body, "puzzle_parameters", 0),
                     json_integer_or(body, "total_steps", 0),
                     json_real_or(body, "train_flops", 0.0));
    return rc;
}

static int apply_metric(struct store *store, const struct record_attempt *attempt,
                        const cJSON *body, struct error *err)
{
    const cJSON *values = json_member(body, "values");
    int64_t step = json_integer_or(body, "step", 0);
    int rc = NEED(numbers, body, "metric", "step");

    if (rc == 0 && !cJSON_IsObject(values))
        rc = error_set(err, ERROR_DAMAGED, "event metric: values is not an object");
    for (const cJSON *item = rc == 0 ? values->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        sqlite3_stmt *s;
        if (!cJSON_IsNumber(item))
            return error_set(err, ERROR_DAMAGED, "event metric: %.60s is not a number",
                             item->string);
        rc = sql_query(store, &s, err,
                       "SELECT value FROM metric WHERE run_id = ?1 AND name = ?2 AND step = ?3",
                       "iti", attempt->run_id, item->string, step);
        if (rc == 0)
            rc = sql_step(store, &s, err);
        if (rc > 0) {
            double before = sqlite3_column_double(s, 0), now = item->valuedouble;
            sql_end(&s);
            rc = before < now || before > now
                     ? differs(store, attempt, item->string, before, now, err)
                     : 0;
        }
        if (rc == 0)
            rc = sql_run(store, err,
                         "INSERT OR REPLACE INTO metric (run_id, name, step, value)"
                         " VALUES (?1, ?2, ?3, ?4)",
                         "itir", attempt->run_id, item->string, step, item->valuedouble);
    }
    return rc;
}

static int find_evaluation(struct store *store, int64_t *id,
                           const struct record_attempt *attempt, const cJSON *body,
                           struct error *err)
{
    const cJSON *object = json_member(body, "evaluation");
    char *canonical = object != NULL ? json_canonical(object) : NULL;
    bool found = false;
    int rc = 0;

    if (object != NULL && canonical == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for an event");
    if (canonical != NULL)
        rc =
            sql_int(store, id, &found, err,
                    "SELECT evaluation_id FROM run_inference WHERE run_id = ?1 AND inference_id"
                    " = (SELECT inference_id FROM inference WHERE canonical = ?2)",
                    "it", attempt->run_id, canonical);
    if (rc == 0 && !found)
        rc =
            error_set(err, ERROR_DAMAGED, "a result for an evaluation nobody asked for: %.200s",
                      canonical != NULL ? canonical : "none");
    free(canonical);
    return rc;
}

/* Checks the numbers of tasks and rows against those of an earlier attempt. */
static int check_counts(struct store *store, const struct record_attempt *attempt, int64_t id,
                        int64_t step, const cJSON *body, struct error *err)
{
    static const char *const NAMES[] = { "tasks", "rows_count" };
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT tasks, rows_count FROM evaluation_result"
                       " WHERE evaluation_id = ?1 AND step = ?2",
                       "ii", id, step);

    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc <= 0)
        return rc;
    rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        int64_t before = sqlite3_column_int64(s, i), now = json_integer_or(body, NAMES[i], 0);
        if (before != now)
            rc = differs(store, attempt, NAMES[i], (double)before, (double)now, err);
    }
    sql_end(&s);
    return rc;
}

/* Checks the measures against those of an earlier attempt at the same step. */
static int check_measures(struct store *store, const struct record_attempt *attempt, int64_t id,
                          int64_t step, const struct measure_list *list, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < list->count && rc == 0; i++) {
        const struct measure_item *item = &list->items[i];
        double before;
        bool found;

        rc = measure_rows_find(store, &before, &found, id, step, item, err);
        if (rc == 0 && found && (before < item->value || before > item->value))
            rc = differs(store, attempt, METRICS[item->metric].name, before, item->value, err);
    }
    return rc;
}

/* Reads a chunk of a list measure: its values from position `first` on; null: no
 * value at that position. */
static int read_vector(struct measure_item **out, int *count, enum metric measure,
                       const cJSON *body, int64_t outer_steps, struct error *err)
{
    const cJSON *values = json_member(body, "values"), *value;
    int64_t position = json_integer_or(body, "first", 0);
    int rc = 0;

    *count = 0;
    *out = calloc((size_t)cJSON_GetArraySize(values) + 1, sizeof **out);
    if (*out == NULL)
        return error_no_memory(err, "an event");
    cJSON_ArrayForEach(value, values)
    {
        rc = measure_check_position(measure, position, outer_steps, "event vector", err);
        if (rc == 0 && !cJSON_IsNull(value) && !cJSON_IsNumber(value))
            rc = error_set(err, ERROR_DAMAGED, "event vector: a value of %s is no number",
                           METRICS[measure].name);
        if (rc == 0 && cJSON_IsNumber(value)) {
            rc = measure_check(measure, value->valuedouble, "event vector", err);
            (*out)[(*count)++] = (struct measure_item){ measure, position, value->valuedouble };
        }
        if (rc < 0)
            return rc;
        position++;
    }
    return 0;
}

static int apply_vector(struct store *store, const struct record_attempt *attempt,
                        const cJSON *body, struct error *err)
{
    int64_t id = 0, step = json_integer_or(body, "step", 0), outer_steps = 0;
    struct measure_list list = { 0 };
    struct measure_item *items = NULL;
    enum metric measure = measure_of_name(text_member(body, "name"));
    int rc = NEED(numbers, body, "vector", "step", "first");

    if (rc == 0 && (measure < METRIC_COUNT || measure == MEASURE_COUNT))
        rc = error_set(err, ERROR_DAMAGED, "event vector: \"%.60s\" is no list of values",
                       text_member(body, "name"));
    if (rc == 0 && !cJSON_IsArray(json_member(body, "values")))
        rc = error_set(err, ERROR_DAMAGED, "event vector: values is not a list");
    if (rc == 0)
        rc = find_evaluation(store, &id, attempt, body, err);
    if (rc == 0)
        rc = sql_int(store, &outer_steps, NULL, err,
                     "SELECT outer_steps FROM evaluation WHERE evaluation_id = ?1", "i", id);
    if (rc == 0)
        rc = read_vector(&items, &list.count, measure, body, outer_steps, err);
    list.items = items;
    if (rc == 0)
        rc = check_measures(store, attempt, id, step, &list, err);
    if (rc == 0)
        rc = measure_rows_write(store, id, step, &list, err);
    free(items);
    return rc;
}

/* Stores an evaluation at a step and its measures; they replace earlier ones. */
static int apply_evaluation(struct store *store, const struct record_attempt *attempt,
                            const cJSON *body, struct error *err)
{
    int64_t id = 0, step = json_integer_or(body, "step", 0);
    struct measure_item items[METRIC_RECORDED];
    struct measure_list list = { .items = items };
    int rc = NEED(numbers, body, "evaluation", "step", "seconds", "tasks", "rows_count");

    if (rc == 0)
        rc = find_evaluation(store, &id, attempt, body, err);
    if (rc == 0)
        rc = measure_list_read(items, &list.count, body, err);
    if (rc == 0)
        rc = check_counts(store, attempt, id, step, body, err);
    if (rc == 0)
        rc = check_measures(store, attempt, id, step, &list, err);
    if (rc == 0)
        rc = sql_run(store, err,
                     "INSERT OR REPLACE INTO evaluation_result (evaluation_id, step,"
                     " checkpoint, tasks, rows_count, seconds)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     "iitiir", id, step, text_member(body, "checkpoint"),
                     json_integer_or(body, "tasks", 0), json_integer_or(body, "rows_count", 0),
                     json_real_or(body, "seconds", 0.0));
    if (rc == 0)
        rc = measure_rows_write(store, id, step, &list, err);
    return rc;
}

/* Whether a row is [task, test_index, rank or null, votes, predictions,
 * per_token_accuracy]. */
static bool is_outcome(const cJSON *const cell[6], const cJSON *row, int count)
{
    return count == 6 && cJSON_IsArray(row) && cell[5]->next == NULL &&
           cJSON_IsString(cell[0]) && cJSON_IsNumber(cell[1]) &&
           (cJSON_IsNumber(cell[2]) || cJSON_IsNull(cell[2])) && cJSON_IsNumber(cell[3]) &&
           cJSON_IsNumber(cell[4]) && cJSON_IsNumber(cell[5]);
}

static int apply_outcomes(struct store *store, const struct record_attempt *attempt,
                          const cJSON *body, struct error *err)
{
    const cJSON *tasks = json_member(body, "tasks");
    int64_t id;
    int rc = find_evaluation(store, &id, attempt, body, err);

    if (rc == 0 && !cJSON_IsArray(tasks))
        rc = error_set(err, ERROR_DAMAGED, "event outcome: tasks is not a list");
    for (const cJSON *row = rc == 0 ? tasks->child : NULL; row != NULL && rc == 0;
         row = row->next) {
        const cJSON *cell[6] = { NULL };
        int n = 0;
        for (const cJSON *item = row->child; item != NULL && n < 6; item = item->next)
            cell[n++] = item;
        if (!is_outcome(cell, row, n))
            return error_set(err, ERROR_DAMAGED,
                             "event outcome: a row is not [task, test, rank or null, votes, "
                             "predictions, accuracy]");
        bool solved = cJSON_IsNumber(cell[2]);
        rc = sql_run(
            store, err,
            "INSERT OR REPLACE INTO task_outcome (evaluation_id, task, test_index, rank,"
            " votes, predictions, per_token_accuracy)"
            " VALUES (?1, ?2, ?3, iif(?4, ?5, NULL), ?6, ?7, ?8)",
            "itiiiiir", id, cell[0]->valuestring, json_to_integer(cell[1]->valuedouble),
            (int64_t)solved, solved ? json_to_integer(cell[2]->valuedouble) : (int64_t)0,
            json_to_integer(cell[3]->valuedouble), json_to_integer(cell[4]->valuedouble),
            cell[5]->valuedouble);
    }
    return rc;
}

/* The file's name becomes part of a path, so only one name is accepted. */
static int apply_checkpoint(struct store *store, const struct record_attempt *attempt,
                            const cJSON *body, struct error *err)
{
    char file[256];
    int rc = NEED(numbers, body, "checkpoint", "step");

    if (rc == 0)
        rc = NEED(texts, body, "checkpoint", "file", "weights_hash");
    if (rc < 0)
        return rc;
    if (!cJSON_IsTrue(json_member(body, "final")))
        return 0; /* checkpoints before the final one are not recorded */
    if (strcmp(text_member(body, "file"), CHECKPOINT_FINAL_NAME) != 0)
        return error_set(
            err, ERROR_DAMAGED,
            "event checkpoint: the final one is %.60s; expected " CHECKPOINT_FINAL_NAME,
            text_member(body, "file"));
    snprintf(file, sizeof file, "%s/" CHECKPOINT_FINAL_NAME, attempt->directory);
    return sql_run(store, err,
                   "INSERT OR REPLACE INTO checkpoint (run_id, attempt_id, step, file,"
                   " weights_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
                   "iiitt", attempt->run_id, attempt->attempt_id,
                   json_integer_or(body, "step", 0), file, text_member(body, "weights_hash"));
}

static int apply_baseline(struct store *store, const struct record_attempt *attempt,
                          const cJSON *body, struct error *err)
{
    static const enum metric COLUMNS[] = { METRIC_PER_TOKEN_ACCURACY, METRIC_EXACT_ROWS,
                                           METRIC_PASS_AT_1, METRIC_PASS_AT_2 };
    double v[4];
    int rc = NEED(texts, body, "baseline", "name", "split");

    for (int i = 0; i < 4 && rc == 0; i++) {
        const cJSON *member = measure_member(body, COLUMNS[i]);

        if (member == NULL)
            rc = error_set(err, ERROR_DAMAGED, "event baseline: %s is missing",
                           METRICS[COLUMNS[i]].name);
        else
            v[i] = member->valuedouble;
    }
    if (rc < 0)
        return rc;
    return sql_run(store, err,
                   "INSERT OR REPLACE INTO baseline (run_id, name, split, per_token_accuracy,"
                   " exact_rows, pass_at_1, pass_at_2) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                   "ittrrrr", attempt->run_id, text_member(body, "name"),
                   text_member(body, "split"), v[0], v[1], v[2], v[3]);
}

static int apply_end(struct store *store, const struct record_attempt *attempt,
                     const cJSON *body, struct error *err)
{
    const cJSON *hash = json_member(body, "weights_hash");
    const cJSON *train = json_member(body, "train_seconds");
    const cJSON *evaluation = json_member(body, "evaluation_seconds");
    int rc = NEED(texts, body, "end", "status");

    if (rc < 0)
        return rc;
    rc = sql_run(store, err,
                 "UPDATE attempt SET weights_hash = ?3, outcome ="
                 " iif(?2 = 'failed' AND outcome IS NOT NULL, outcome, ?2)"
                 " WHERE attempt_id = ?1",
                 "itt", attempt->attempt_id, text_member(body, "status"),
                 cJSON_IsString(hash) ? hash->valuestring : NULL);
    /* events of the first release lack them */
    if (rc == 0 && cJSON_IsNumber(train) && cJSON_IsNumber(evaluation))
        rc = sql_run(store, err,
                     "UPDATE attempt SET train_seconds = ?2, evaluation_seconds = ?3"
                     " WHERE attempt_id = ?1",
                     "irr", attempt->attempt_id, train->valuedouble, evaluation->valuedouble);
    return rc;
}

static int apply_error(struct store *store, const struct record_attempt *attempt,
                       const cJSON *body, struct error *err)
{
    int rc = NEED(texts, body, "error", "cause", "message");

    if (rc < 0)
        return rc;
    return sql_run(
        store, err, "UPDATE attempt SET outcome = ?2, message = ?3 WHERE attempt_id = ?1",
        "itt", attempt->attempt_id, text_member(body, "cause"), text_member(body, "message"));
}

int record_event(struct store *store, const struct record_attempt *attempt, const char *type,
                 const cJSON *body, struct error *err)
{
    static const struct {
        const char *type;
        int (*apply)(struct store *, const struct record_attempt *, const cJSON *,
                     struct error *);
    } table[] = {
        { "begin", apply_begin },
        { "resume", apply_resume },
        { "metric", apply_metric },
        { "evaluation", apply_evaluation },
        { "vector", apply_vector },
        { "outcome", apply_outcomes },
        { "checkpoint", apply_checkpoint },
        { "baseline", apply_baseline },
        { "end", apply_end },
        { "error", apply_error },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].type, type) == 0) {
            int rc = table[i].apply(store, attempt, body, err);
            /* The schema refuses the value: the journal is at fault, not the
             * database. */
            if (rc == ERROR_DATABASE &&
                (sqlite3_errcode(store_connection(store)) & 0xff) == SQLITE_CONSTRAINT)
                return error_set(err, ERROR_DAMAGED, "event %s has a value that cannot be",
                                 type);
            return rc;
        }
    return 0;
}
