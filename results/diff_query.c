/* diff_query.c - the facts of two sides, side by side. */
#include "diff_query.h"

#include "arm_find.h"
#include "error.h"
#include "evaluation_words.h"
#include "file.h"
#include "number.h"
#include "query.h"
#include "settings.h"
#include "sql.h"
#include "status_query.h"
#include "store.h"
#include "text_stream.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More evaluations than these are not read in one look. */
enum { MOST_RESULTS = 12 };

enum { SHORT_HASH = 12, WHOLE_HASH = 64 };

void diff_side_release(struct diff_side *side)
{
    free(side->runs);
    *side = (struct diff_side){ 0 };
}

int diff_find_run(struct diff_side *out, struct store *store, const char *name,
                  struct error *err)
{
    char hash[65], directory[160];
    int64_t id = 0;
    int rc = status_find_run(store, name, hash, directory, err);

    *out = (struct diff_side){ 0 };
    if (rc == 0)
        rc =
            sql_int(store, &id, NULL, err, "SELECT run_id FROM run WHERE hash = ?1", "t", hash);
    if (rc < 0)
        return rc;
    snprintf(out->name, sizeof out->name, "run %.12s", hash);
    out->runs = format_string("[%lld]", (long long)id);
    out->run_count = 1;
    return out->runs == NULL ? error_no_memory(err, "a run") : 0;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The ids as a JSON list, each once. ids: sorted. */
static int write_list(struct diff_side *out, const int64_t *ids, int count, struct error *err)
{
    char *list = NULL;
    size_t size = 0;
    FILE *to = text_stream_open(&list, &size);

    if (to == NULL)
        return error_no_memory(err, "a list of runs");
    fputc('[', to);
    for (int i = 0; i < count; i++)
        if (i == 0 || ids[i] != ids[i - 1])
            fprintf(to, "%s%lld", out->run_count++ > 0 ? "," : "", (long long)ids[i]);
    fputc(']', to);
    if (fclose(to) != 0)
        return error_no_memory(err, "a list of runs");
    out->runs = list;
    return 0;
}

/* Lists the runs of the rows, each once: rows of a run may be several evaluations. */
static int list_runs(struct diff_side *out, const struct results *rows, struct error *err)
{
    int64_t *ids = calloc((size_t)rows->row_count + 1, sizeof *ids);
    int rc = ids == NULL ? error_no_memory(err, "a list of runs") : 0;

    for (int i = 0; i < rows->row_count && rc == 0; i++)
        ids[i] = rows->rows[i].run_id;
    if (rc == 0) {
        qsort(ids, (size_t)rows->row_count, sizeof *ids, compare_ids);
        rc = write_list(out, ids, rows->row_count, err);
    }
    free(ids);
    return rc;
}

int diff_find_arm(struct diff_side *out, struct store *store, const char *experiment,
                  const char *name, struct error *err)
{
    struct results *all = NULL, *found = NULL;
    char named[EXPERIMENT_NAME_SIZE];
    const char *arm;
    int rc = arm_split_name(named, &arm, store, name, err);

    *out = (struct diff_side){ 0 };
    if (rc == 0)
        rc = arm_load_experiment(&all, store, named, experiment, name, err);
    if (rc == 0)
        rc = arm_find(&found, store, all, arm, err);
    if (rc == 0)
        rc = list_runs(out, found, err);
    if (rc == 0)
        snprintf(out->name, sizeof out->name, "%s: %s", all->experiment,
                 all->arms[found->rows[0].arm].label);
    results_destroy(found);
    results_destroy(all);
    return rc;
}

/* A fact of a run, or of its last training attempt that reported its provenance. */
#define OF_RUN(number, aspect, name, value)                                                    \
    " UNION ALL SELECT " number ", '" aspect "', '" name "', run_id, " value " FROM run"       \
    "  CROSS JOIN training USING (training_id) WHERE run_id IN (SELECT run_id FROM side)"
#define OF_ATTEMPT(number, aspect, name, value)                                                \
    " UNION ALL SELECT " number ", '" aspect "', '" name "', run_id, " value " FROM told"

/* Facts of the runs ?1 and ?2, both JSON lists: aspect, name, values of either side;
 * hashes with ?3 digits. */
static const char FACTS[] =
    "WITH side (side, run_id) AS (SELECT 1, value FROM json_each(?1)"
    "  UNION SELECT 2, value FROM json_each(?2)),"
    " told AS (SELECT t.*, max(t.number) FROM attempt t JOIN job j USING (job_id)"
    "  WHERE j.kind = 'train' AND t.provenance IS NOT NULL"
    "  AND t.run_id IN (SELECT run_id FROM side) GROUP BY t.run_id),"
    " fact (n, aspect, name, run_id, value) AS ("
    " SELECT 1, 'settings', key, run_id, value FROM setting"
    "  WHERE run_id IN (SELECT run_id FROM side)"                                         //
    OF_RUN("2", "data", "hash", "substr(data_hash, 1, ?3)")                               //
    OF_ATTEMPT("3", "data", "source", "provenance ->> '$.data.source'")                   //
    OF_ATTEMPT("4", "data", "tasks trained on", "provenance ->> '$.data.tasks_training'") //
    OF_ATTEMPT("5", "data", "tasks tested", "provenance ->> '$.data.tasks_evaluation'")   //
    OF_ATTEMPT("6", "data", "test rows", "provenance ->> '$.data.test_rows'")             //
    OF_RUN("7", "provenance", "numeric version", "numeric_version")                       //
    OF_ATTEMPT("8", "provenance", "engine", "engine_version")                             //
    OF_ATTEMPT("9", "provenance", "commit", "git_commit")                                 //
    OF_ATTEMPT("10", "provenance", "compiler", "compiler")                                //
    OF_ATTEMPT("11", "provenance", "kernels", "kernel_set")                               //
    OF_ATTEMPT("12", "provenance", "BLAS", "blas")                                        //
    OF_ATTEMPT("13", "provenance", "BLAS core", "blas_core")                              //
    OF_ATTEMPT("14", "provenance", "CPU", "cpu")                                          //
    OF_ATTEMPT("15", "provenance", "host", "host")                                        //
    OF_ATTEMPT("16", "provenance", "threads", "provenance ->> '$.provenance.threads'")    //
    OF_RUN("17", "cost", "parameters", "parameters")                                      //
    OF_RUN("18", "cost", "puzzle embedding", "puzzle_parameters")                         //
    OF_RUN("19", "cost", "training steps", "total_steps")                                 //
    OF_RUN("20", "cost", "training TFLOP",
           "CAST(printf('%.4g', train_flops * 1e-12) AS REAL)") //
    "),"
    " mine AS (SELECT DISTINCT n, aspect, name, side, value FROM fact JOIN side USING (run_id)"
    "  WHERE value IS NOT NULL)"
    " SELECT aspect, name,"
    "  (SELECT group_concat(value, ', ') FROM (SELECT value FROM mine m WHERE m.side = 1"
    "   AND m.n = k.n AND m.name = k.name ORDER BY value)),"
    "  (SELECT group_concat(value, ', ') FROM (SELECT value FROM mine m WHERE m.side = 2"
    "   AND m.n = k.n AND m.name = k.name ORDER BY value))"
    " FROM (SELECT DISTINCT n, aspect, name FROM mine) k ORDER BY n, name";

/* runs: how many of each side a mean is over; NULL: the row is of a fact. */
static void add_row(struct table *table, const char *aspect, const char *name,
                    const char *first, const char *second, double difference, const int runs[2])
{
    table_row(table);
    table_text(table, aspect);
    table_text(table, name);
    table_text(table, first);
    table_text(table, second);
    table_real(table, difference);
    table_bool(table, first != NULL && second != NULL && strcmp(first, second) == 0);
    for (int side = 0; side < 2; side++)
        if (runs != NULL)
            table_int(table, runs[side]);
        else
            table_empty(table);
}

static int add_facts(struct table *table, struct store *store, const struct diff_side *first,
                     const struct diff_side *second, const struct diff_form *form, int *same,
                     struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, FACTS, "tti", first->runs, second->runs,
                       (int64_t)(form->people ? SHORT_HASH : WHOLE_HASH));

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        char *a = sql_text_copy(s, 2), *b = sql_text_copy(s, 3);
        bool alike = a != NULL && b != NULL && strcmp(a, b) == 0;
        bool lost = (a == NULL && sqlite3_column_type(s, 2) != SQLITE_NULL) ||
                    (b == NULL && sqlite3_column_type(s, 3) != SQLITE_NULL);

        rc = lost ? error_no_memory(err, "a difference") : 0;
        *same += alike;
        if (rc == 0 && (!alike || form->all)) {
            const char *name = sql_text(s, 1);

            add_row(table, sql_text(s, 0), name, form->people ? setting_word(name, a) : a,
                    form->people ? setting_word(name, b) : b, (double)NAN, NULL);
        }
        free(a);
        free(b);
        if (rc < 0)
            sql_end(&s);
    }
    return rc;
}

/* Means of a measure, for each evaluation of either side (whether it records its
 * trajectory changes no number), its place by the size of the
 * difference, how many evaluations there are, and how many of both sides; then over how
 * many runs of either side each mean is. */
static const char MEANS[] =
    "WITH x AS (SELECT DISTINCT replace(v.canonical, ',\"eval.trajectory\":true', '') AS "
    "canonical,"
    "   v.outer_steps AS outer_steps,"
    "   v.augmentations AS augmentations, v.act_inference AS act, v.split AS split,"
    "   v.run_id AS run_id, m.value AS value"
    "  FROM evaluation v JOIN evaluation_result e USING (evaluation_id)"
    "  JOIN measure_value m ON m.evaluation_id = e.evaluation_id AND m.step = e.step"
    "  WHERE e.checkpoint = 'last' AND e.tasks > 0 AND m.position = 0 AND m.name = ?3"
    "  AND v.run_id IN (SELECT value FROM json_each(?1)"
    "   UNION SELECT value FROM json_each(?2)))"
    " SELECT name, a, b, canonical, row_number() OVER (ORDER BY abs(b - a) DESC, canonical),"
    "  count(*) OVER (), count(b - a) OVER (), a_runs, b_runs"
    " FROM (SELECT 'inference ' || outer_steps || ', voted ' || iif(augmentations = 0, 'all',"
    "  augmentations) || iif(act, ', ACT', '') || iif(split = 'train', ', train split', '')"
    "   AS name,"
    "  avg(iif(run_id IN (SELECT value FROM json_each(?1)), value, NULL)) AS a,"
    "  avg(iif(run_id IN (SELECT value FROM json_each(?2)), value, NULL)) AS b, canonical,"
    "  count(iif(run_id IN (SELECT value FROM json_each(?1)), value, NULL)) AS a_runs,"
    "  count(iif(run_id IN (SELECT value FROM json_each(?2)), value, NULL)) AS b_runs,"
    "  split, outer_steps, augmentations, act FROM x GROUP BY canonical) ORDER BY split, "
    "outer_steps, augmentations, act, canonical";

/* Of more evaluations than most those are shown that differ most; those of one side
 * alone only where no evaluation is of both. */
static bool is_hidden(sqlite3_stmt *s, int most)
{
    bool one_side =
        sqlite3_column_type(s, 1) == SQLITE_NULL || sqlite3_column_type(s, 2) == SQLITE_NULL;

    return sqlite3_column_int(s, 4) > most ||
           (one_side && sqlite3_column_int(s, 5) > most && sqlite3_column_int(s, 6) > 0);
}

enum { MEAN_SIZE = NUMBER_TEXT_SIZE + 40 };

/* The mean as a text that people, or programs, read; for people with the number of runs
 * that it is over, unless they are all of the side. */
static void format_mean(char out[MEAN_SIZE], double mean, int runs,
                        const struct diff_side *side, enum metric metric,
                        const struct diff_form *form)
{
    char number[NUMBER_TEXT_SIZE];

    if (!form->people)
        snprintf(out, MEAN_SIZE, "%.15g", mean);
    else if (runs < side->run_count)
        snprintf(out, MEAN_SIZE, "%s (%d of %d runs)",
                 number_measure(number, mean, metric_decimals(metric)), runs, side->run_count);
    else
        number_measure(out, mean, metric_decimals(metric));
}

/* Adds the largest differences, or all; *hidden counts the others. */
static int add_means(struct table *table, struct store *store, const struct diff_side *first,
                     const struct diff_side *second, enum metric metric,
                     const struct diff_form *form, int *hidden, struct error *err)
{
    int most = form->all ? INT_MAX : MOST_RESULTS;
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, MEANS, "ttt", first->runs, second->runs,
                       METRICS[metric].name);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (is_hidden(s, most)) {
            *hidden += 1;
            continue;
        }
        bool has_first = sqlite3_column_type(s, 1) != SQLITE_NULL;
        bool has_second = sqlite3_column_type(s, 2) != SQLITE_NULL;
        double a = sqlite3_column_double(s, 1), b = sqlite3_column_double(s, 2);
        int runs[2] = { sqlite3_column_int(s, 7), sqlite3_column_int(s, 8) };
        char *name =
            evaluation_words_add(format_string("%s, %s", METRICS[metric].title, sql_text(s, 0)),
                                 sql_text(s, 3), NULL);
        char one[MEAN_SIZE], other[MEAN_SIZE];

        rc = name == NULL ? error_no_memory(err, "results") : 0;
        format_mean(one, a, runs[0], first, metric, form);
        format_mean(other, b, runs[1], second, metric, form);
        if (rc == 0)
            add_row(table, "results", name, has_first ? one : NULL, has_second ? other : NULL,
                    has_first && has_second ? b - a : (double)NAN, runs);
        free(name);
    }
    return rc;
}

/* Says which results are left out. */
static int note_hidden(struct table *table, const struct diff_form *form, int hidden,
                       struct error *err)
{
    const char *title = METRICS[form->metrics[0]].title, *plural = hidden == 1 ? "" : "s";
    char *note =
        form->page
            ? format_string("results: the evaluations whose %s differs most, without %d "
                            "other%s; the field measure chooses by which",
                            title, hidden, plural)
            : format_string("results: the evaluations whose %s differs most; --all adds %d "
                            "other evaluation%s and all measures, --metric shows another",
                            title, hidden, plural);

    if (note == NULL)
        return error_no_memory(err, "a table");
    table_add_note(table, note);
    free(note);
    return 0;
}

static int describe(struct table *table, const struct diff_side *first,
                    const struct diff_side *second, const struct diff_form *form, int same,
                    struct error *err)
{
    char *caption =
        format_string("first: %s (%d run%s); second: %s (%d run%s)", first->name,
                      first->run_count, first->run_count == 1 ? "" : "s", second->name,
                      second->run_count, second->run_count == 1 ? "" : "s");
    char *note = form->page
                     ? format_string("%d facts are equal; of the results only the difference "
                                     "above is tested",
                                     same)
                     : format_string("%d facts are equal (--all lists them); differences of "
                                     "results are not tested: hrmlab compare does",
                                     same);
    int rc = caption == NULL || note == NULL ? error_no_memory(err, "a table") : 0;

    if (rc == 0) {
        table_set_caption(table, caption);
        table_add_note(table, note);
    }
    free(caption);
    free(note);
    return rc;
}

int diff_table(struct table **out, struct store *store, const struct diff_side *first,
               const struct diff_side *second, const struct diff_form *form, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "aspect", .type = TABLE_TEXT, .section = true },
        { .name = "name", .type = TABLE_TEXT },
        { .name = "first", .type = TABLE_TEXT },
        { .name = "second", .type = TABLE_TEXT },
        { .name = "difference", .type = TABLE_REAL, .digits = 3, .drop = 1 },
        { .name = "equal", .type = TABLE_BOOL, .machine_only = true },
        { .name = "first_runs", .type = TABLE_INT, .machine_only = true },
        { .name = "second_runs", .type = TABLE_INT, .machine_only = true },
    };
    int same = 0, hidden = 0;
    int rc = table_create(out, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);

    if (rc == 0)
        rc = add_facts(*out, store, first, second, form, &same, err);
    for (int i = 0; i < form->metric_count && rc == 0 && hidden == 0; i++)
        rc = add_means(*out, store, first, second, form->metrics[i], form, &hidden, err);
    if (rc == 0)
        rc = describe(*out, first, second, form, same, err);
    return rc == 0 && hidden > 0 ? note_hidden(*out, form, hidden, err) : rc;
}
