/* baselines.c - groups runs by data and split, and averages their scores without
 * learning. */
#include "baselines.h"

#include "error.h"
#include "file.h"
#include "id_range.h"
#include "json.h"
#include "large_array.h"
#include "measure_rows.h"
#include "query.h"
#include "sql.h"
#include "statistics.h"
#include "store.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_HASH = 8 };

/* The means of each run's untrained evaluations, in the order of the runs. */
struct untrained_runs {
    double *values; /* owned: (room, measures); NaN: none */
    int count, room;
};

/* Sums over the untrained evaluations of one run and split. */
struct measure_sums {
    double sums[METRIC_RECORDED];
    int counts[METRIC_RECORDED];
};

/* An evaluation of a run, and what it found before training. */
struct untrained_evaluation {
    int64_t id;
    int run;        /* number of its run */
    bool train;     /* of the train split */
    double *values; /* (measures); NaN: none; borrowed of the loading */
    int64_t rows;   /* that it predicted before training */
};

/* State while the baselines are loaded. */
struct loading {
    struct baselines *out;
    struct untrained_runs *untrained; /* owned: (out->count) */
    const struct results *results;
    const struct result_row **rows; /* owned: by run */
    struct id_list runs;            /* owned: those of the experiment's own arms */
    int *first;                     /* owned: of each run, the number of its first
                                     * row */
    const enum metric *metrics;     /* those to load, all of them recorded */
    int metric_count;
    struct error *err;
};

void baselines_release(struct baselines *baselines)
{
    for (int i = 0; i < baselines->count; i++) {
        free(baselines->items[i].data);
        free(baselines->items[i].arms);
    }
    free(baselines->items);
    *baselines = (struct baselines){ 0 };
}

const struct baseline *baselines_of(const struct baselines *baselines,
                                    const struct result_row *row)
{
    for (int i = 0; i < baselines->count; i++)
        if (baselines->items[i].arms[row->arm] &&
            baselines->items[i].train_split == row->train_split)
            return &baselines->items[i];
    return NULL;
}

static int compare_runs(const void *a, const void *b)
{
    const struct result_row *x = *(const struct result_row *const *)a;
    const struct result_row *y = *(const struct result_row *const *)b;

    return x->run_id < y->run_id ? -1 : x->run_id > y->run_id;
}

/* Appends a baseline and returns its number; -1: no memory. */
static int add_baseline(struct loading *l, const char *data_hash, bool train_split)
{
    int count = l->out->count;
    struct baseline *items = realloc(l->out->items, ((size_t)count + 1) * sizeof *items);

    if (items == NULL)
        return -1;
    l->out->items = items;
    struct untrained_runs *untrained =
        realloc(l->untrained, ((size_t)count + 1) * sizeof *untrained);
    if (untrained == NULL)
        return -1;
    l->untrained = untrained;
    untrained[count] = (struct untrained_runs){ 0 };
    items[count] = (struct baseline){ .train_split = train_split };
    snprintf(items[count].data_hash, sizeof items[count].data_hash, "%s", data_hash);
    items[count].arms = calloc((size_t)l->results->arm_count + 1, sizeof(bool));
    l->out->count++;
    return items[count].arms != NULL ? count : -1;
}

static bool is_of_run(const struct loading *l, int row, int64_t run_id)
{
    return row < l->results->row_count && l->rows[row]->run_id == run_id;
}

/* Finds the baseline of the run's data and split; -1: the results do not have the
 * run in that split. */
static int find_baseline(struct loading *l, int *out, int run, bool train_split)
{
    int i = 0, first = l->first[run];
    const char *data_hash = l->rows[first]->data_hash;
    bool wanted = false;

    *out = -1;
    for (int k = first; is_of_run(l, k, l->runs.ids[run]); k++)
        wanted = wanted || l->rows[k]->train_split == train_split;
    if (!wanted)
        return 0;
    while (i < l->out->count && (l->out->items[i].train_split != train_split ||
                                 strcmp(l->out->items[i].data_hash, data_hash) != 0))
        i++;
    if (i == l->out->count)
        i = add_baseline(l, data_hash, train_split);
    if (i < 0)
        return error_no_memory(l->err, "baselines");
    for (int k = first; is_of_run(l, k, l->runs.ids[run]); k++)
        l->out->items[i].arms[l->rows[k]->arm] = true;
    *out = i;
    return 0;
}

static const enum metric COPY_METRICS[] = { METRIC_PER_TOKEN_ACCURACY, METRIC_EXACT_ROWS,
                                            METRIC_PASS_AT_1, METRIC_PASS_AT_2 };
enum { COPY_METRIC_COUNT = sizeof COPY_METRICS / sizeof *COPY_METRICS };

/* Adds the scores of copying the input. */
static int load_copies(struct loading *l, struct store *store)
{
    struct id_query q =
        id_query_begin(store, &l->runs,
                       "SELECT run_id, split = 'train', per_token_accuracy, exact_rows,"
                       " pass_at_1, pass_at_2 FROM baseline"
                       " WHERE run_id BETWEEN ?1 AND ?2 AND name = 'copy' ORDER BY run_id");
    int rc;

    while ((rc = id_query_step(&q, l->err)) > 0) {
        int number;

        rc = find_baseline(l, &number, q.place, sqlite3_column_int(q.s, 1) != 0);
        if (rc < 0)
            break;
        if (number < 0)
            continue;
        struct baseline *baseline = &l->out->items[number];
        baseline->copy_runs++;
        for (int i = 0; i < COPY_METRIC_COUNT; i++)
            baseline->copy[COPY_METRICS[i]] += sqlite3_column_double(q.s, 2 + i);
    }
    id_query_end(&q);
    return rc;
}

/* Appends a run without values; NULL: no memory. measures: number of its values. */
static double *add_run(struct untrained_runs *runs, int measures)
{
    size_t width = (size_t)measures;

    if (runs->count == runs->room) {
        int room = 2 * runs->room + 16;
        double *larger =
            large_array_resize(runs->values, ((size_t)room * width + 1) * sizeof *larger);

        if (larger == NULL)
            return NULL;
        runs->values = larger;
        runs->room = room;
    }
    double *run = runs->values + (size_t)runs->count++ * width;

    for (int m = 0; m < measures; m++)
        run[m] = (double)NAN;
    return run;
}

/* The evaluations of the runs, also those that other experiments asked for, in the
 * order in which they are summed. *out: newly allocated. */
static int list_evaluations(struct untrained_evaluation **out, int *count,
                            const struct loading *l, struct store *store)
{
    struct id_query q =
        id_query_begin(store, &l->runs,
                       "SELECT run_id, evaluation_id, split = 'train' FROM evaluation"
                       " WHERE run_id BETWEEN ?1 AND ?2 ORDER BY run_id, canonical");
    int room = 0, rc;

    *out = NULL;
    *count = 0;
    while ((rc = id_query_step(&q, l->err)) > 0) {
        if (*count == room) {
            room = 2 * room + 16;
            struct untrained_evaluation *larger =
                large_array_resize(*out, (size_t)room * sizeof *larger);

            if (larger == NULL) {
                id_query_end(&q);
                return error_no_memory(l->err, "baselines");
            }
            *out = larger;
        }
        (*out)[(*count)++] =
            (struct untrained_evaluation){ .id = sqlite3_column_int64(q.s, 1),
                                           .run = q.place,
                                           .train = sqlite3_column_int(q.s, 2) };
    }
    return rc;
}

#define UNTRAINED                                                                              \
    " WHERE x.evaluation_id BETWEEN ?1 AND ?2 AND x.checkpoint = 'untrained' AND x.tasks > 0"  \
    " ORDER BY x.evaluation_id"

/* Reads all measures of evaluations, whose ids are in order. */
static int read_all(struct untrained_evaluation *const *evaluations, const struct id_list *ids,
                    const struct loading *l, struct store *store)
{
    struct id_query q = id_query_begin(
        store, ids,
        "SELECT x.evaluation_id, x.rows_count, m.value, m.name FROM evaluation_result x"
        " CROSS JOIN measure_value m ON m.evaluation_id = x.evaluation_id"
        "  AND m.step = x.step AND m.position = 0" UNTRAINED);
    struct measure_memo memo = { { 0 }, 0 };
    int rc;

    while ((rc = id_query_step(&q, l->err)) > 0) {
        enum metric metric = measure_memo_find(&memo, sql_text(q.s, 3));

        evaluations[q.place]->rows = sqlite3_column_int64(q.s, 1);
        if (metric < METRIC_RECORDED) /* all are in the order of their numbers */
            evaluations[q.place]->values[metric] = sqlite3_column_double(q.s, 2);
    }
    return rc;
}

/* Reads the measures that are to be loaded. */
static int read_named(struct untrained_evaluation *const *evaluations,
                      const struct id_list *ids, const struct loading *l, struct store *store)
{
    char *columns = measure_columns(l->metrics, l->metric_count);
    char *sql = columns == NULL ? NULL
                                : format_string("SELECT x.evaluation_id, x.rows_count%s"
                                                " FROM evaluation_result x" UNTRAINED,
                                                columns);
    struct id_query q = id_query_begin(store, ids, sql);
    int rc = sql == NULL ? error_no_memory(l->err, "baselines") : 0;

    while (rc == 0 && (rc = id_query_step(&q, l->err)) > 0) {
        rc = 0;
        evaluations[q.place]->rows = sqlite3_column_int64(q.s, 1);
        for (int i = 0; i < l->metric_count; i++)
            if (sqlite3_column_type(q.s, 2 + i) != SQLITE_NULL)
                evaluations[q.place]->values[i] = sqlite3_column_double(q.s, 2 + i);
    }
    free(sql);
    free(columns);
    return rc;
}

static int compare_evaluations(const void *a, const void *b)
{
    const struct untrained_evaluation *x = *(struct untrained_evaluation *const *)a;
    const struct untrained_evaluation *y = *(struct untrained_evaluation *const *)b;

    return x->id < y->id ? -1 : x->id > y->id;
}

/* Reads the values of all evaluations. */
static int read_untrained(struct untrained_evaluation *list, int count, const struct loading *l,
                          struct store *store)
{
    struct untrained_evaluation **order = malloc(((size_t)count + 1) * sizeof *order);
    struct id_list ids;
    bool ordered = true;
    int rc =
        !id_list_init(&ids, count) || order == NULL ? error_no_memory(l->err, "baselines") : 0;

    for (int i = 0; i < count && rc == 0; i++)
        order[i] = &list[i];
    for (int i = 1; i < count && rc == 0; i++)
        ordered = ordered && list[i - 1].id <= list[i].id;
    if (rc == 0 && !ordered)
        qsort(order, (size_t)count, sizeof *order, compare_evaluations);
    for (int i = 0; i < count && rc == 0; i++)
        ids.ids[ids.count++] = order[i]->id;
    if (rc == 0 && l->metric_count > MEASURE_COLUMNS_MOST)
        rc = read_all(order, &ids, l, store);
    else if (rc == 0 && l->metric_count > 0)
        rc = read_named(order, &ids, l, store);
    free(order);
    id_list_release(&ids);
    return rc;
}

static bool has_any(const struct untrained_evaluation *evaluation, int count)
{
    for (int m = 0; m < count; m++)
        if (!isnan(evaluation->values[m]))
            return true;
    return false;
}

/* Notes in the baseline of the evaluation's data how many rows were evaluated, where
 * that was a sample of those of the trained model. */
static void note_sample(struct loading *l, const struct untrained_evaluation *evaluation)
{
    int first = l->first[evaluation->run], i = 0;

    for (int k = first; is_of_run(l, k, l->runs.ids[evaluation->run]); k++) {
        const struct result_row *row = l->rows[k];

        if (row->evaluation_id != evaluation->id || row->rows_count <= evaluation->rows)
            continue;
        while (i < l->out->count && (l->out->items[i].train_split != evaluation->train ||
                                     strcmp(l->out->items[i].data_hash, row->data_hash) != 0))
            i++;
        if (i == l->out->count)
            return;
        struct baseline *baseline = &l->out->items[i];

        if (baseline->untrained_rows == 0 || evaluation->rows < baseline->untrained_rows)
            baseline->untrained_rows = evaluation->rows;
        if (row->rows_count > baseline->all_rows)
            baseline->all_rows = row->rows_count;
    }
}

/* Adds up, per run, the mean over its untrained evaluations of the split. */
static int add_untrained(struct loading *l, const struct untrained_evaluation *list, int count)
{
    struct measure_sums sums[2] = { 0 }; /* by split */
    int last[2] = { -1, -1 };
    double *means[2] = { NULL }; /* of that run; NULL: the results do not have it */
    int number, rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        const struct untrained_evaluation *item = &list[i];
        struct measure_sums *sum = &sums[item->train];

        if (!has_any(item, l->metric_count))
            continue;
        if (last[item->train] != item->run) {
            *sum = (struct measure_sums){ .counts = { 0 } };
            means[item->train] = NULL;
            rc = find_baseline(l, &number, item->run, item->train);
            if (rc == 0 && number >= 0) {
                means[item->train] = add_run(&l->untrained[number], l->metric_count);
                rc = means[item->train] == NULL ? error_no_memory(l->err, "baselines") : 0;
            }
        }
        last[item->train] = item->run;
        for (int m = 0; m < l->metric_count && means[item->train] != NULL; m++)
            if (!isnan(item->values[m])) {
                sum->sums[m] += item->values[m];
                means[item->train][m] = sum->sums[m] / ++sum->counts[m];
            }
    }
    return rc;
}

static int load_untrained(struct loading *l, struct store *store)
{
    struct untrained_evaluation *list;
    double *values = NULL;
    int count, rc = list_evaluations(&list, &count, l, store);
    size_t width = (size_t)l->metric_count;

    if (rc == 0) {
        values = large_array_resize(NULL, ((size_t)count * width + 1) * sizeof *values);
        rc = values == NULL ? error_no_memory(l->err, "baselines") : 0;
    }
    for (size_t i = 0; rc == 0 && i < (size_t)count * width; i++)
        values[i] = (double)NAN;
    for (int i = 0; i < count && rc == 0; i++)
        list[i].values = values + (size_t)i * width;
    if (rc == 0)
        rc = read_untrained(list, count, l, store);
    if (rc == 0)
        rc = add_untrained(l, list, count);
    for (int i = 0; i < count && rc == 0; i++)
        if (list[i].rows > 0)
            note_sample(l, &list[i]);
    free(list);
    free(values);
    return rc;
}

/* Divides the sums, and computes the mean and the deviation over runs. scratch: room
 * for a number per run. */
static void finish(struct baseline *baseline, const struct untrained_runs *untrained,
                   const struct loading *l, double *scratch)
{
    assert(untrained != NULL);
    baseline->untrained_runs = untrained->count;
    for (int m = 0; m < METRIC_COUNT; m++) {
        baseline->copy[m] = METRICS[m].of_copy && baseline->copy_runs > 0
                                ? baseline->copy[m] / baseline->copy_runs
                                : (double)NAN;
        baseline->untrained[m] = baseline->untrained_deviation[m] = (double)NAN;
    }
    for (int m = 0; m < l->metric_count; m++) {
        int found = 0;

        for (int i = 0; i < untrained->count; i++) {
            double value = untrained->values[(size_t)i * (size_t)l->metric_count + (size_t)m];

            if (!isnan(value))
                scratch[found++] = value;
        }
        baseline->untrained[l->metrics[m]] = statistics_mean(scratch, found);
        baseline->untrained_deviation[l->metrics[m]] = statistics_deviation(scratch, found);
    }
}

/* The text of an axis, if all arms with this data have the same value, else "";
 * newly allocated. *fails: no memory. */
static char *common_axis(const struct baseline *baseline, const struct results *results,
                         const char *key, bool *fails)
{
    char *text = NULL;

    for (int a = 0; a < results->arm_count && !*fails; a++) {
        const cJSON *value = baseline->arms[a] ? json_member(results->arms[a].axes, key) : NULL;
        char *mine;

        if (!baseline->arms[a])
            continue;
        mine = value == NULL           ? strdup("")
               : cJSON_IsString(value) ? strdup(value->valuestring)
                                       : json_canonical(value);
        *fails = mine == NULL;
        if (text == NULL || mine == NULL) {
            free(text);
            text = mine;
            continue;
        }
        bool differs = strcmp(text, mine) != 0;
        free(mine);
        if (differs) {
            free(text);
            text = strdup("");
            *fails = text == NULL;
            break;
        }
    }
    return text;
}

/* Names the data by the axes of data that all of its arms share: "data.canvas=10
 * data.path=x"; where all baselines are of one data set, by the split alone. */
static int describe_data(struct baseline *baseline, const struct results *results,
                         bool one_data, struct error *err)
{
    int first = 0;
    bool fails = false;

    while (first < results->arm_count && !baseline->arms[first])
        first++;
    free(baseline->data);
    baseline->data = strdup("");
    for (const cJSON *axis = first < results->arm_count ? results->arms[first].axes->child
                                                        : NULL;
         axis != NULL && baseline->data != NULL && !fails; axis = axis->next) {
        if (strncmp(axis->string, "data.", 5) != 0)
            continue;
        char *text = common_axis(baseline, results, axis->string, &fails);
        if (text != NULL && text[0] != '\0') {
            char *longer =
                format_string("%s%s%s=%s", baseline->data, baseline->data[0] != '\0' ? " " : "",
                              axis->string, text);
            free(baseline->data);
            baseline->data = longer;
        }
        free(text);
    }
    if (one_data) {
        free(baseline->data);
        baseline->data = strdup(baseline->train_split ? "the train split" : "the test split");
        return fails || baseline->data == NULL ? error_no_memory(err, "baselines") : 0;
    }
    if (baseline->data != NULL && baseline->data[0] == '\0') {
        free(baseline->data);
        baseline->data = format_string("data %.*s", SHORT_HASH, baseline->data_hash);
    }
    if (baseline->data != NULL && baseline->train_split) {
        char *longer = format_string("%s, train split", baseline->data);
        free(baseline->data);
        baseline->data = longer;
    }
    return fails || baseline->data == NULL ? error_no_memory(err, "baselines") : 0;
}

static int first_arm(const struct baseline *baseline)
{
    int arm = 0;

    while (!baseline->arms[arm])
        arm++;
    return arm;
}

static int compare_arms(const void *a, const void *b)
{
    const struct baseline *x = a, *y = b;
    int order = first_arm(x) - first_arm(y);

    return order != 0 ? order : (int)x->train_split - (int)y->train_split;
}

/* Computes means and names, and sorts the baselines. */
static int complete(struct loading *l)
{
    double *scratch = malloc(((size_t)l->results->row_count + 1) * sizeof *scratch);
    int rc = scratch == NULL ? error_no_memory(l->err, "baselines") : 0;
    bool one_data = true;

    for (int i = 1; i < l->out->count; i++)
        one_data =
            one_data && strcmp(l->out->items[i].data_hash, l->out->items[0].data_hash) == 0;
    for (int i = 0; i < l->out->count && rc == 0; i++) {
        finish(&l->out->items[i], &l->untrained[i], l, scratch);
        if (l->out->count > 1)
            rc = describe_data(&l->out->items[i], l->results, one_data, l->err);
        else if ((l->out->items[i].data = strdup("")) == NULL)
            rc = error_no_memory(l->err, "baselines");
    }
    free(scratch);
    if (rc == 0 && l->out->count > 0)
        qsort(l->out->items, (size_t)l->out->count, sizeof *l->out->items, compare_arms);
    return rc;
}

/* Orders the rows by run, and lists the runs. */
static int list_runs(struct loading *l)
{
    const struct results *results = l->results;
    size_t size = (size_t)results->row_count + 1;
    bool ordered = true;

    l->rows = malloc(size * sizeof *l->rows);
    l->first = malloc(size * sizeof *l->first);
    if (!id_list_init(&l->runs, results->row_count) || l->rows == NULL || l->first == NULL)
        return error_no_memory(l->err, "baselines");
    for (int i = 0; i < results->row_count; i++) {
        l->rows[i] = &results->rows[i];
        ordered = ordered && (i == 0 || l->rows[i - 1]->run_id <= l->rows[i]->run_id);
    }
    if (!ordered)
        qsort(l->rows, (size_t)results->row_count, sizeof *l->rows, compare_runs);
    for (int i = 0, end; i < results->row_count; i = end) {
        bool own = false;

        for (end = i; is_of_run(l, end, l->rows[i]->run_id); end++)
            own = own || !results->arms[l->rows[end]->arm].foreign;
        if (!own)
            continue;
        l->first[l->runs.count] = i;
        l->runs.ids[l->runs.count++] = l->rows[i]->run_id;
    }
    return 0;
}

int baselines_load(struct baselines *out, struct store *store, const struct results *results,
                   struct error *err)
{
    enum metric all[METRIC_RECORDED];

    for (int i = 0; i < METRIC_RECORDED; i++)
        all[i] = (enum metric)i;
    return baselines_load_some(out, store, results, all, METRIC_RECORDED, err);
}

int baselines_load_some(struct baselines *out, struct store *store,
                        const struct results *results, const enum metric *metrics, int count,
                        struct error *err)
{
    enum metric recorded[METRIC_RECORDED];
    struct loading l = { .out = out, .results = results, .metrics = recorded, .err = err };

    for (int i = 0; i < count; i++)
        if (metrics[i] < METRIC_RECORDED)
            recorded[l.metric_count++] = metrics[i];
    if (l.metric_count > MEASURE_COLUMNS_MOST) { /* all are read */
        l.metric_count = METRIC_RECORDED;
        for (int i = 0; i < METRIC_RECORDED; i++)
            recorded[i] = (enum metric)i;
    }
    *out = (struct baselines){ 0 };
    int rc = list_runs(&l);

    if (rc == 0)
        rc = load_copies(&l, store);
    if (rc == 0)
        rc = load_untrained(&l, store);
    if (rc == 0)
        rc = complete(&l);
    for (int i = 0; i < out->count && l.untrained != NULL; i++)
        free(l.untrained[i].values);
    free(l.untrained);
    free(l.rows);
    free(l.first);
    id_list_release(&l.runs);
    if (rc < 0)
        baselines_release(out);
    return rc;
}
