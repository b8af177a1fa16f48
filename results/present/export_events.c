/* export_events.c - the points of a run, put in the order of training steps. */
#include "export_events.h"

#include "error.h"
#include "evaluation_keys.h"
#include "event_file.h"
#include "event_times.h"
#include "file.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char FILE_NAME[] = "events.out.tfevents.0000000000.hrmlab";

/* ---- names ---- */

/* Replaces what a path or another system's file name cannot have. */
static void make_file_name(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || strchr("/\\:*?\"<>|", *c) != NULL)
            *c = '_';
}

char *export_events_top_name(void)
{
    return strdup(FILE_NAME);
}

char *export_events_name(const struct export *export, const struct export_item *item)
{
    enum {
        LONGEST = 150
    }; /* of an arm's name; the hash tells those apart that are
                             * cut */
    const struct results *results = export->results[item->experiment];
    char *arm = strndup(results->arms[item->row->arm].label, LONGEST);
    char *experiment = strdup(results->experiment), *name = NULL;

    if (arm != NULL && experiment != NULL) {
        make_file_name(arm);
        make_file_name(experiment);
        name = format_string("%s/%s/seed-%lld-%.12s/%s", experiment, arm,
                             (long long)item->row->seed, item->row->hash, FILE_NAME);
    }
    free(arm);
    free(experiment);
    return name;
}

/* "halt_max_steps=4,augmentations=all": the settings of an evaluation that differ from
 * what their absence means, the first two always. Fresh; NULL: no memory. */
static char *evaluation_words(const char *evaluation)
{
    char *words = strdup("");

    for (int k = 0; k < EVALUATION_KEY_COUNT && words != NULL; k++) {
        const struct setting *setting =
            &settings_table[evaluation_key_setting((enum evaluation_key)k)];
        char *value = evaluation_key_text(evaluation, (enum evaluation_key)k), *longer = NULL;
        bool shown =
            k <= EVALUATION_AUGMENTATIONS || (k != EVALUATION_TRAJECTORY && value != NULL &&
                                              strcmp(value, setting->absent_means) != 0);

        if (value != NULL)
            longer = shown ? format_string("%s%s%s=%s", words, k > 0 ? "," : "",
                                           strrchr(setting->key, '.') + 1, value)
                           : strdup(words);
        free(value);
        free(words);
        words = longer;
    }
    return words;
}

/* ---- points ---- */

struct point {
    int64_t step;
    int place; /* where it was added */
    char *tag; /* owned */
    double value;
    double time;
};

struct points {
    struct point *items; /* owned */
    int count;
};

static void release_points(struct points *points)
{
    for (int i = 0; i < points->count; i++)
        free(points->items[i].tag);
    free(points->items);
}

/* Takes the tag over. */
static int add_point(struct points *points, int64_t step, char *tag, double value, double time,
                     struct error *err)
{
    int count = points->count;

    if (tag != NULL && (count & (count - 1)) == 0) { /* full at powers of two */
        struct point *items =
            realloc(points->items, (count == 0 ? 1 : 2 * (size_t)count) * sizeof *items);

        if (items == NULL) {
            free(tag);
            tag = NULL;
        } else {
            points->items = items;
        }
    }
    if (tag == NULL)
        return error_no_memory(err, "event files");
    points->items[points->count++] = (struct point){ step, count, tag, value, time };
    return 0;
}

static int add_metrics(struct points *points, const struct export *export,
                       const struct export_item *item, const struct event_times *times,
                       struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(export->store, &s, err,
                       "SELECT name, step, value FROM metric WHERE run_id = ?1"
                       " ORDER BY name, step",
                       "i", item->id);

    while (rc == 0 && (rc = sql_step(export->store, &s, err)) > 0) {
        int64_t step = sqlite3_column_int64(s, 1);

        rc = add_point(points, step, sql_text_copy(s, 0), sqlite3_column_double(s, 2),
                       event_times_at(times, EVENT_OF_METRIC, step), err);
        if (rc < 0)
            sql_end(&s);
    }
    return rc;
}

static int add_measures(struct points *points, const struct export *export,
                        const struct export_item *item, const struct event_times *times,
                        struct error *err)
{
    const struct export_item *rows;
    int count = export_rows_of(export, item, &rows), rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        const struct result_row *row = rows[i].row;

        if (row->checkpoint[0] == '\0')
            continue;
        char *words = evaluation_words(row->evaluation);

        for (int m = 0; m < METRIC_COUNT && rc == 0; m++) {
            double value = result_value(export->results[item->experiment], row, (enum metric)m);

            if (words == NULL)
                rc = error_no_memory(err, "event files");
            else if (isfinite(value))
                rc = add_point(points, row->step,
                               format_string("%s/%s", METRICS[m].name, words), value,
                               event_times_at(times, EVENT_OF_EVALUATION, row->step), err);
        }
        free(words);
    }
    return rc;
}

static int compare_points(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* Writes an event for the points of each step that have one time. */
static int write_points(const struct points *points, FILE *out, struct error *err)
{
    struct event_scalar *scalars = calloc((size_t)points->count + 1, sizeof *scalars);
    int rc = scalars == NULL ? error_no_memory(err, "event files") : 0;

    for (int first = 0, next; first < points->count && rc == 0; first = next) {
        const struct point *point = &points->items[first];

        for (next = first; next < points->count && points->items[next].step == point->step &&
                           points->items[next].time == point->time;
             next++)
            scalars[next - first] =
                (struct event_scalar){ points->items[next].tag, points->items[next].value };
        rc = event_file_scalars(out, point->time, point->step, scalars, next - first, err);
    }
    free(scalars);
    return rc;
}

/* ---- hyperparameters ---- */

/* The value of an axis in a run. *text is fresh, or NULL; the parameter borrows it. */
static int find_parameter(struct event_parameter *out, char **text, const struct export *export,
                          int64_t run_id, enum setting_id id, struct error *err)
{
    const struct setting *setting = &settings_table[id];
    int rc = results_setting(export->store, text, run_id, setting->key, err);

    *out = (struct event_parameter){ .name = setting->key, .kind = EVENT_ABSENT };
    if (rc < 0 || *text == NULL)
        return rc;
    out->text = *text;
    out->number = strtod(*text, NULL);
    out->kind = setting->type == SETTING_INT || setting->type == SETTING_REAL ? EVENT_NUMBER
                : setting->type == SETTING_BOOL                               ? EVENT_BOOL
                                                                              : EVENT_TEXT;
    return 0;
}

static enum event_status status_of(enum run_state state)
{
    switch (state) {
    case RUN_DONE:
        return EVENT_SUCCESS;
    case RUN_FAILED:
    case RUN_DIVERGED:
    case RUN_CANCELLED:
        return EVENT_FAILURE;
    case RUN_RUNNING:
        return EVENT_RUNNING;
    case RUN_QUEUED:
    case RUN_STATE_COUNT:
        break;
    }
    return EVENT_UNKNOWN;
}

/* Writes the run's values on all axes and its seed. */
static int write_start(const struct export *export, const struct export_item *item, double time,
                       FILE *out, struct error *err)
{
    const struct results *results = export->results[item->experiment];
    size_t count = (size_t) export->axis_count;
    struct event_parameter *parameters = calloc(count + 1, sizeof *parameters);
    char **texts = calloc(count + 1, sizeof(char *));
    char *group =
        format_string("%s: %s", results->experiment, results->arms[item->row->arm].label);
    int rc = parameters == NULL || texts == NULL || group == NULL
                 ? error_no_memory(err, "event files")
                 : 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = find_parameter(&parameters[i], &texts[i], export, item->id, export->axes[i], err);
    if (rc == 0) {
        parameters[count] = (struct event_parameter){ .name = "seed",
                                                      .kind = EVENT_NUMBER,
                                                      .number = (double)item->row->seed };
        rc = event_file_start(out, time, group, parameters, (int)count + 1, err);
    }
    for (size_t i = 0; i < count && texts != NULL; i++)
        free(texts[i]);
    free(group);
    free(texts);
    free(parameters);
    return rc;
}

int export_events_run(const struct export *export, const struct export_item *item,
                      const char *workspace, FILE *out, struct error *err)
{
    struct event_times times;
    struct points points = { 0 };
    int rc = event_times_load(&times, export->store, item->id, workspace, err);

    if (rc == 0)
        rc = event_file_begin(out, times.first, err);
    if (rc == 0)
        rc = write_start(export, item, times.first, out, err);
    if (rc == 0)
        rc = add_metrics(&points, export, item, &times, err);
    if (rc == 0)
        rc = add_measures(&points, export, item, &times, err);
    if (rc == 0 && points.count > 0) {
        qsort(points.items, (size_t)points.count, sizeof *points.items, compare_points);
        rc = write_points(&points, out, err);
    }
    if (rc == 0)
        rc = event_file_end(out, times.last, status_of(item->row->state), err);
    release_points(&points);
    event_times_release(&times);
    return rc;
}

/* ---- the file at the top ---- */

/* All values of an axis, each once. */
struct axis_values {
    struct event_parameter *items; /* owned, with their texts */
    char **texts;                  /* owned */
    int count;
};

static void release_values(struct axis_values *values)
{
    for (int i = 0; i < values->count; i++)
        free(values->texts[i]);
    free(values->texts);
    free(values->items);
}

/* Finds the values of an axis among the first runs of all arms. */
static int find_values(struct axis_values *out, const struct export *export, enum setting_id id,
                       struct error *err)
{
    const struct export_item *before = NULL;
    size_t room = (size_t) export->arm_run_count + 1;
    int rc = 0;

    *out = (struct axis_values){ calloc(room, sizeof *out->items), calloc(room, sizeof(char *)),
                                 0 };
    if (out->items == NULL || out->texts == NULL)
        return error_no_memory(err, "event files");
    for (int i = 0; i < export->arm_run_count && rc == 0; i++) {
        const struct export_item *item = &export->arm_runs[i];
        bool known = before != NULL && before->experiment == item->experiment &&
                     before->row->arm == item->row->arm;

        before = item;
        if (known)
            continue;
        rc = find_parameter(&out->items[out->count], &out->texts[out->count], export, item->id,
                            id, err);
        known = rc < 0 || out->items[out->count].kind == EVENT_ABSENT;
        for (int v = 0; v < out->count && !known; v++)
            known = strcmp(out->texts[v], out->texts[out->count]) == 0;
        if (known)
            free(out->texts[out->count]);
        else
            out->count++;
    }
    return rc;
}

/* The tags of the measures shown first, of each kind of evaluation once. The texts of
 * the list are owned; *count: how many. */
static int find_tags(char ***out, int *count, const struct export *export, struct error *err)
{
    static const enum metric FIRST[] = { METRIC_PASS_AT_2, METRIC_PER_TOKEN_ACCURACY,
                                         METRIC_EXACT_ROWS };
    enum { FIRST_COUNT = sizeof FIRST / sizeof *FIRST, MOST = 64 * FIRST_COUNT };
    const char *before = NULL;
    int rc = 0;

    *count = 0;
    *out = calloc(MOST, sizeof(char *));
    if (*out == NULL)
        return error_no_memory(err, "event files");
    for (int i = 0; i < export->evaluation_count && *count < MOST && rc == 0; i++) {
        const char *evaluation = export->evaluations[i].row->evaluation;

        if (before != NULL && strcmp(before, evaluation) == 0)
            continue;
        before = evaluation;
        char *words = evaluation_words(evaluation);

        rc = words == NULL ? error_no_memory(err, "event files") : 0;
        for (int m = 0; m < FIRST_COUNT && rc == 0; m++) {
            char *tag = format_string("%s/%s", METRICS[FIRST[m]].name, words);
            bool known = tag == NULL;

            if (tag == NULL)
                rc = error_no_memory(err, "event files");
            for (int t = 0; t < *count && !known; t++)
                known = strcmp((*out)[t], tag) == 0;
            if (known)
                free(tag);
            else
                (*out)[(*count)++] = tag;
        }
        free(words);
    }
    return rc;
}

int export_events_top(const struct export *export, FILE *out, struct error *err)
{
    size_t room = (size_t) export->axis_count + 1;
    struct axis_values *values = calloc(room, sizeof *values);
    struct event_axis *axes = calloc(room, sizeof *axes);
    char **tags = NULL;
    int tag_count = 0;
    int rc = values == NULL || axes == NULL ? error_no_memory(err, "event files") : 0;

    for (int i = 0; i < export->axis_count && rc == 0; i++) {
        const struct setting *setting = &settings_table[export->axes[i]];

        rc = find_values(&values[i], export, export->axes[i], err);
        axes[i] = (struct event_axis){ setting->key, setting->meaning, values[i].items,
                                       values[i].count };
    }
    if (rc == 0)
        rc = find_tags(&tags, &tag_count, export, err);
    if (rc == 0)
        rc = event_file_begin(out, 0, err);
    if (rc == 0)
        rc = event_file_experiment(out, 0, axes, export->axis_count, (const char *const *)tags,
                                   tag_count, err);
    for (int i = 0; i < tag_count; i++)
        free(tags[i]);
    free(tags);
    for (int i = 0; values != NULL && i < export->axis_count; i++)
        release_values(&values[i]);
    free(values);
    free(axes);
    return rc;
}
