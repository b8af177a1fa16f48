/* baselines.c - groups runs by data and split, and averages their scores without
 * learning. */
#include "baselines.h"

#include "error.h"
#include "file.h"
#include "json.h"
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

/* The means of one run's untrained evaluations; NaN: none. */
struct untrained_run {
    int64_t run_id;
    double values[METRIC_RECORDED];
};
struct untrained_runs {
    struct untrained_run *items; /* owned */
    int count, room;
};

/* Sums over the untrained evaluations of one run and split. */
struct measure_sums {
    double sums[METRIC_RECORDED];
    int counts[METRIC_RECORDED];
};

enum { MOST_NAMED = 4 }; /* of more measures, all are loaded */

/* State while the baselines are loaded. */
struct loading {
    struct baselines *out;
    struct untrained_runs *untrained; /* owned: (out->count) */
    const struct results *results;
    const struct result_row **rows; /* owned: by run */
    const char *names[MOST_NAMED];  /* of the measures to load; ended by NULL */
    bool all;                       /* all are */
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

/* The first row of the run; row_count: it has none. */
static int first_row(const struct loading *l, int64_t run_id)
{
    int low = 0, high = l->results->row_count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (l->rows[middle]->run_id < run_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_of_run(const struct loading *l, int row, int64_t run_id)
{
    return row < l->results->row_count && l->rows[row]->run_id == run_id;
}

/* Finds the baseline of the run's data and split; -1: the results do not have the
 * run in that split. */
static int find_baseline(struct loading *l, int *out, int64_t run_id, bool train_split,
                         const char *data_hash)
{
    int i = 0, first = first_row(l, run_id);
    bool wanted = false;

    *out = -1;
    for (int k = first; is_of_run(l, k, run_id); k++)
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
    for (int k = first; is_of_run(l, k, run_id); k++)
        l->out->items[i].arms[l->rows[k]->arm] = true;
    *out = i;
    return 0;
}

/* The runs of an experiment that have begun; only these have scores. */
#define BEGUN_RUNS                                                                             \
    "(SELECT DISTINCT ar.run_id FROM arm a CROSS JOIN arm_run ar USING (arm_id)"               \
    " WHERE a.experiment_id = ?1 AND EXISTS (SELECT 1 FROM attempt t"                          \
    "  WHERE t.run_id = ar.run_id))"

static const enum metric COPY_METRICS[] = { METRIC_PER_TOKEN_ACCURACY, METRIC_EXACT_ROWS,
                                            METRIC_PASS_AT_1, METRIC_PASS_AT_2 };
enum { COPY_METRIC_COUNT = sizeof COPY_METRICS / sizeof *COPY_METRICS };

/* Adds the scores of copying the input. */
static int load_copies(struct loading *l, struct store *store)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(store, &s, l->err,
                       "SELECT b.run_id, b.split = 'train', r.data_hash, b.per_token_accuracy,"
                       " b.exact_rows, b.pass_at_1, b.pass_at_2 FROM " BEGUN_RUNS
                       " CROSS JOIN run r USING (run_id)"
                       " CROSS JOIN baseline b USING (run_id) WHERE b.name = 'copy'"
                       " ORDER BY b.run_id",
                       "i", l->results->experiment_id);

    while (rc == 0 && (rc = sql_step(store, &s, l->err)) == 1) {
        int number;

        rc = find_baseline(l, &number, sqlite3_column_int64(s, 0),
                           sqlite3_column_int(s, 1) != 0, sql_text(s, 2));
        if (rc < 0 || number < 0)
            continue;
        struct baseline *baseline = &l->out->items[number];
        baseline->copy_runs++;
        for (int i = 0; i < COPY_METRIC_COUNT; i++)
            baseline->copy[COPY_METRICS[i]] += sqlite3_column_double(s, 3 + i);
    }
    sql_end(&s);
    return rc;
}

/* Appends a run without values; false: no memory. */
static bool add_run(struct untrained_runs *runs, int64_t run_id)
{
    assert(runs != NULL);
    if (runs->count == runs->room) {
        int room = 2 * runs->room + 16;
        struct untrained_run *larger = realloc(runs->items, (size_t)room * sizeof *larger);

        if (larger == NULL)
            return false;
        runs->items = larger;
        runs->room = room;
    }
    struct untrained_run *run = &runs->items[runs->count++];

    run->run_id = run_id;
    for (int m = 0; m < METRIC_RECORDED; m++)
        run->values[m] = (double)NAN;
    return true;
}

/* Adds a value to the sums of the last run, and updates its mean. */
static void add_value(struct untrained_runs *runs, struct measure_sums *sums,
                      enum metric metric, double value)
{
    assert(runs != NULL && runs->count > 0);
    sums->sums[metric] += value;
    sums->counts[metric]++;
    runs->items[runs->count - 1].values[metric] = sums->sums[metric] / sums->counts[metric];
}

/* The order of the tables is that of the nested loops: a run's values come together. */
#define UNTRAINED                                                                              \
    "SELECT v.run_id, v.split = 'train', r.data_hash, m.name, m.value FROM " BEGUN_RUNS        \
    " CROSS JOIN run r USING (run_id) CROSS JOIN evaluation v USING (run_id)"                  \
    " CROSS JOIN evaluation_result x USING (evaluation_id)"                                    \
    " CROSS JOIN measure_value m ON m.evaluation_id = x.evaluation_id AND m.step = x.step"     \
    "  AND m.position = 0"
#define SCORED " WHERE x.checkpoint = 'untrained' AND x.tasks > 0"

static int query_untrained(sqlite3_stmt **s, const struct loading *l, struct store *store)
{
    int64_t experiment = l->results->experiment_id;

    if (l->all)
        return sql_query(store, s, l->err, UNTRAINED SCORED, "i", experiment);
    return sql_query(store, s, l->err, UNTRAINED " AND m.name IN (?2, ?3, ?4, ?5)" SCORED,
                     "itttt", experiment, l->names[0], l->names[1], l->names[2], l->names[3]);
}

/* Loads, per run, the mean over its untrained evaluations of the split. */
static int load_untrained(struct loading *l, struct store *store)
{
    sqlite3_stmt *s = NULL;
    struct measure_sums sums[2] = { 0 }; /* by split */
    int64_t last[2] = { -1, -1 };
    int number[2] = { -1, -1 }; /* the baseline of that run */
    int rc = query_untrained(&s, l, store);

    while (rc == 0 && (rc = sql_step(store, &s, l->err)) == 1) {
        int64_t run_id = sqlite3_column_int64(s, 0);
        bool train = sqlite3_column_int(s, 1) != 0;
        enum metric metric = measure_of_name(sql_text(s, 3));

        rc = 0;
        if (last[train] != run_id) {
            sums[train] = (struct measure_sums){ .counts = { 0 } };
            rc = find_baseline(l, &number[train], run_id, train, sql_text(s, 2));
            if (rc == 0 && number[train] >= 0 && !add_run(&l->untrained[number[train]], run_id))
                rc = error_no_memory(l->err, "baselines");
        }
        last[train] = run_id;
        if (rc == 0 && number[train] >= 0 && metric < METRIC_RECORDED)
            add_value(&l->untrained[number[train]], &sums[train], metric,
                      sqlite3_column_double(s, 4));
    }
    sql_end(&s);
    return rc;
}

/* Loads how many rows were evaluated where untrained models were evaluated on a
 * sample. */
static int load_untrained_rows(struct baseline *out, struct store *store,
                               const struct results *results, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(store, &s, err,
                       "SELECT min(u.rows_count), max(l.rows_count) FROM arm a"
                       " JOIN arm_evaluation x USING (arm_id)"
                       " JOIN evaluation v USING (evaluation_id) JOIN run r USING (run_id)"
                       " JOIN evaluation_result u USING (evaluation_id)"
                       " JOIN evaluation_result l USING (evaluation_id)"
                       " WHERE a.experiment_id = ?1 AND u.checkpoint = 'untrained'"
                       " AND l.checkpoint = 'last' AND u.rows_count < l.rows_count"
                       " AND r.data_hash = ?2 AND v.split = ?3",
                       "itt", results->experiment_id, out->data_hash,
                       out->train_split ? "train" : "test");

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* one row */
        rc = 0;
        out->untrained_rows = sqlite3_column_int64(s, 0);
        out->all_rows = sqlite3_column_int64(s, 1);
    }
    return rc;
}

static int compare_untrained(const void *a, const void *b)
{
    const struct untrained_run *x = a, *y = b;

    return x->run_id < y->run_id ? -1 : x->run_id > y->run_id;
}

/* Divides the sums, and computes the deviation over runs. scratch: room for a number
 * per run. */
static void finish(struct baseline *baseline, const struct untrained_runs *untrained,
                   double *scratch)
{
    assert(untrained != NULL);
    /* sums depend on the order */
    if (untrained->count > 0)
        qsort(untrained->items, (size_t)untrained->count, sizeof *untrained->items,
              compare_untrained);
    baseline->untrained_runs = untrained->count;
    for (int m = 0; m < METRIC_COUNT; m++) {
        int found = 0;

        baseline->copy[m] = METRICS[m].of_copy && baseline->copy_runs > 0
                                ? baseline->copy[m] / baseline->copy_runs
                                : (double)NAN;
        for (int i = 0; m < METRIC_RECORDED && i < untrained->count; i++)
            if (!isnan(untrained->items[i].values[m]))
                scratch[found++] = untrained->items[i].values[m];
        baseline->untrained[m] = statistics_mean(scratch, found);
        baseline->untrained_deviation[m] = statistics_deviation(scratch, found);
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
 * data.path=x". */
static int describe_data(struct baseline *baseline, const struct results *results,
                         struct error *err)
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
static int complete(struct loading *l, struct store *store)
{
    double *scratch = malloc(((size_t)l->results->row_count + 1) * sizeof *scratch);
    int rc = scratch == NULL ? error_no_memory(l->err, "baselines") : 0;

    for (int i = 0; i < l->out->count && rc == 0; i++) {
        finish(&l->out->items[i], &l->untrained[i], scratch);
        rc = load_untrained_rows(&l->out->items[i], store, l->results, l->err);
        if (rc == 0 && l->out->count > 1)
            rc = describe_data(&l->out->items[i], l->results, l->err);
        else if (rc == 0 && (l->out->items[i].data = strdup("")) == NULL)
            rc = error_no_memory(l->err, "baselines");
    }
    free(scratch);
    if (rc == 0 && l->out->count > 0)
        qsort(l->out->items, (size_t)l->out->count, sizeof *l->out->items, compare_arms);
    return rc;
}

int baselines_load(struct baselines *out, struct store *store, const struct results *results,
                   struct error *err)
{
    return baselines_load_some(out, store, results, NULL, METRIC_RECORDED, err);
}

int baselines_load_some(struct baselines *out, struct store *store,
                        const struct results *results, const enum metric *metrics, int count,
                        struct error *err)
{
    struct loading l = {
        .out = out,
        .results = results,
        .rows = malloc(((size_t)results->row_count + 1) * sizeof *l.rows),
        .err = err,
    };
    int rc = l.rows == NULL ? error_no_memory(err, "baselines") : 0;

    l.all = count > MOST_NAMED;
    for (int i = 0; i < count && !l.all; i++)
        l.names[i] = METRICS[metrics[i]].name;
    *out = (struct baselines){ 0 };
    for (int i = 0; rc == 0 && i < results->row_count; i++)
        l.rows[i] = &results->rows[i];
    if (rc == 0)
        qsort(l.rows, (size_t)results->row_count, sizeof *l.rows, compare_runs);
    if (rc == 0)
        rc = load_copies(&l, store);
    if (rc == 0)
        rc = load_untrained(&l, store);
    if (rc == 0)
        rc = complete(&l, store);
    for (int i = 0; i < out->count && l.untrained != NULL; i++)
        free(l.untrained[i].items);
    free(l.untrained);
    free(l.rows);
    if (rc < 0)
        baselines_release(out);
    return rc;
}
