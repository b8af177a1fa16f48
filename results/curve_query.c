/* curve_query.c - loads values over training steps, of trainings and of evaluations. */
#include "curve_query.h"

#include "error.h"
#include "evaluation_keys.h"
#include "evaluation_words.h"
#include "file.h"
#include "id_range.h"
#include "measure.h"
#include "run_facts.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char CURVES_DEFAULT[] = "train/lm_loss";

void curves_release(struct curves *curves)
{
    for (int i = 0; i < curves->count; i++) {
        free(curves->items[i].label);
        free(curves->items[i].points);
    }
    free(curves->items);
    *curves = (struct curves){ 0 };
}

/* Appends an empty curve. Takes ownership of label. */
static int add_curve(struct curves *curves, int arm, int64_t seed, char *label,
                     struct error *err)
{
    struct curve *items =
        label == NULL ? NULL
                      : realloc(curves->items, ((size_t)curves->count + 1) * sizeof *items);

    if (items == NULL) {
        free(label);
        return error_no_memory(err, "curves");
    }
    curves->items = items;
    items[curves->count++] = (struct curve){ .label = label, .arm = arm, .seed = seed };
    return 0;
}

static int add_point(struct curve *curve, int64_t step, double value, struct error *err)
{
    /* capacity doubles: an array with a power of two points is full */
    if ((curve->count & (curve->count - 1)) == 0) {
        size_t room = curve->count == 0 ? 1 : 2 * (size_t)curve->count;
        struct curve_point *points = realloc(curve->points, room * sizeof *points);

        if (points == NULL)
            return error_no_memory(err, "curves");
        curve->points = points;
    }
    curve->points[curve->count++] = (struct curve_point){ step, value };
    return 0;
}

/* Removes the last curve if it has no points. */
static void drop_empty(struct curves *curves)
{
    if (curves->count > 0 && curves->items[curves->count - 1].count == 0)
        free(curves->items[--curves->count].label);
}

static int load_training(struct curves *out, struct store *store, const struct results *results,
                         const struct result_row *row, struct error *err)
{
    sqlite3_stmt *s;
    int rc = add_curve(out, row->arm, row->seed, strdup(results->arms[row->arm].label), err);

    if (rc == 0)
        rc = sql_query(store, &s, err,
                       "SELECT step, value FROM metric WHERE run_id = ?1 AND name = ?2"
                       " ORDER BY step",
                       "it", row->run_id, out->name);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = add_point(&out->items[out->count - 1], sqlite3_column_int64(s, 0),
                       sqlite3_column_double(s, 1), err);
        if (rc < 0)
            sql_end(&s);
    }
    if (rc == 0)
        drop_empty(out);
    return rc;
}

static bool same_evaluation(const struct result_row *a, const struct result_row *b)
{
    return a->arm == b->arm && strcmp(a->evaluation, b->evaluation) == 0;
}

/* Whether training has recorded anything of any run of the experiment. */
static int have_recorded(bool *out, struct store *store, const struct results *results,
                         struct error *err)
{
    struct id_list runs;
    int rc = run_ids_of(&runs, store, results, err);
    struct id_query q = id_query_begin(
        store, &runs,
        "SELECT run_id FROM metric WHERE run_id BETWEEN ?1 AND ?2 ORDER BY run_id");

    if (rc == 0)
        rc = id_query_step(&q, err);
    id_query_end(&q);
    id_list_release(&runs);
    *out = rc > 0;
    return rc < 0 ? rc : 0;
}

/* Loads each run of each arm once; rows are sorted by arm, evaluation, seed. */
static int load_trainings(struct curves *out, struct store *store,
                          const struct results *results, struct error *err)
{
    const struct result_row *first = NULL;
    int rc = 0;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        const struct result_row *row = &results->rows[i];

        first = first == NULL || first->arm != row->arm ? row : first;
        if (!same_evaluation(first, row) || (row != first && row->seed == row[-1].seed))
            continue;
        rc = load_training(out, store, results, row, err);
    }
    return rc;
}

/* What the labels of an arm's evaluations depend on. */
struct arm_evaluations {
    bool several;
    const char *kinds[2]; /* borrowed: without its trajectory, with it; NULL: none */
};

/* Those of the arm whose first row is number first. Rows are sorted by arm, then by
 * evaluation. */
static struct arm_evaluations find_evaluations(const struct results *results, int first)
{
    const struct result_row *rows = &results->rows[first];
    struct arm_evaluations out = { .several = false };

    for (int i = 0; first + i < results->row_count && rows[i].arm == rows[0].arm; i++) {
        if (i > 0 && same_evaluation(&rows[i - 1], &rows[i]))
            continue;
        out.several = i > 0;
        out.kinds[evaluation_keys_has_trajectory(rows[i].evaluation)] = rows[i].evaluation;
    }
    return out;
}

/* The label of a row's curve, with its evaluation if the arm has several. */
static char *evaluation_label(const struct results *results, const struct result_row *row,
                              const struct arm_evaluations *all)
{
    const char *arm = results->arms[row->arm].label;
    const char *other = all->kinds[!evaluation_keys_has_trajectory(row->evaluation)];
    char *words =
        all->several ? evaluation_words_of(row, other != NULL ? other : row->evaluation) : NULL;
    char *label = !all->several   ? strdup(arm)
                  : words == NULL ? NULL
                                  : format_string("%s, %s", arm, words);

    free(words);
    return label;
}

static int load_evaluations(struct curves *out, const struct results *results,
                            enum metric metric, struct error *err)
{
    const struct result_row *before = NULL;
    struct arm_evaluations all = { .several = false }; /* of the row's arm */
    int rc = 0;

    for (int i = 0; i < results->row_count && rc == 0; i++) {
        const struct result_row *row = &results->rows[i];
        double value = result_value(results, row, metric);

        if (i == 0 || row->arm != row[-1].arm)
            all = find_evaluations(results, i);
        if (isnan(value))
            continue;
        if (before == NULL || !same_evaluation(before, row) || before->seed != row->seed)
            rc = add_curve(out, row->arm, row->seed, evaluation_label(results, row, &all), err);
        if (rc == 0)
            rc = add_point(&out->items[out->count - 1], row->step, value, err);
        before = row;
    }
    return rc;
}

/* any: whether training has recorded anything. */
static int error_no_series(struct store *store, const struct results *results, const char *name,
                           bool any, struct error *err)
{
    char list[400] = "";
    size_t used = 0;
    sqlite3_stmt *s;
    int rc = 0;

    if (any)
        rc = sql_query(store, &s, err,
                       "SELECT DISTINCT m.name FROM arm a JOIN arm_run x USING (arm_id)"
                       " JOIN metric m USING (run_id) WHERE a.experiment_id = ?1 ORDER BY 1",
                       "i", results->experiment_id);

    while (any && rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (used + strlen(sql_text(s, 0)) + 3 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     used > 0 ? ", " : "", sql_text(s, 0));
    }
    if (rc < 0)
        return rc;
    return error_set(
        err, ERROR_ABSENT,
        "experiment \"%s\" has no values of %.60s; recorded while training: %s; of "
        "the interim evaluations (train.eval_interval): the measures",
        results->experiment, name, used > 0 ? list : "nothing yet");
}

static bool is_of_training(const char *name)
{
    return strchr(name, '/') != NULL;
}

enum results_scope curves_scope(const char *name)
{
    return is_of_training(name) ? RESULTS_BARE : RESULTS_ALL;
}

int curves_load(struct curves *out, struct store *store, const struct results *results,
                const char *name, struct error *err)
{
    bool training = is_of_training(name), any = true;
    enum metric metric = METRIC_PASS_AT_2;
    int rc = training ? 0 : metric_find(&metric, name, err);

    *out = (struct curves){ .name = training ? name : METRICS[metric].name };
    if (rc == 0 && !training && (int)metric >= METRIC_RECORDED)
        rc = error_set(err, ERROR_FORMAT,
                       "--metric %s is worked out for the last checkpoint only: no curve",
                       METRICS[metric].name);
    if (rc == 0 && training)
        rc = have_recorded(&any, store, results, err);
    if (rc == 0 && !training)
        rc = load_evaluations(out, results, metric, err);
    else if (rc == 0 && any)
        rc = load_trainings(out, store, results, err);
    if (rc == 0 && out->count == 0)
        rc = error_no_series(store, results, name, any, err);
    if (rc < 0)
        curves_release(out);
    return rc;
}
