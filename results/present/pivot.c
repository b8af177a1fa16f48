/*
 * pivot.c - averages a measure by the values of two settings.
 */
#include "pivot.h"

#include "columns.h"
#include "compare.h"
#include "error.h"
#include "file.h"
#include "settings.h"
#include "short_key.h"
#include "text_set.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* False: text is not a number. */
static bool read_number(double *out, const char *text)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0';
}

static int compare_numbers(const void *a, const void *b)
{
    double x = strtod(*(char *const *)a, NULL), y = strtod(*(char *const *)b, NULL);

    return x < y ? -1 : x > y;
}

static bool all_numbers(const struct text_set *values)
{
    double ignored;

    for (int i = 0; i < values->count; i++)
        if (!read_number(&ignored, values->items[i]))
            return false;
    return true;
}

/* Sorts numbers in ascending order; words keep the order of the arms. */
static void order_values(struct text_set *values)
{
    if (values->count > 0 && all_numbers(values))
        qsort(values->items, (size_t)values->count, sizeof *values->items, compare_numbers);
}

/* State while a pivot table is made. */
struct pivot {
    const struct results *results;
    const char *keys[2];       /* of rows and columns; the second may be NULL */
    struct text_set values[2]; /* of the settings, in the order of rows and columns */
    int (*places)[2];          /* owned: (rows of results) their cells, -1: none */
    double *sums;              /* owned: (rows, columns) */
    int *counts;               /* owned: (rows, columns) */
};

static void pivot_release(struct pivot *pivot)
{
    text_set_release(&pivot->values[0]);
    text_set_release(&pivot->values[1]);
    free(pivot->places);
    free(pivot->sums);
    free(pivot->counts);
}

static bool has_value(const struct results *results, const struct result_row *row,
                      enum metric metric)
{
    return strcmp(row->checkpoint, "last") == 0 && !isnan(result_value(results, row, metric));
}

/* The row's value of the setting as text, "" without a setting. */
static int read_value(char **out, struct store *store, const struct pivot *pivot,
                      const struct result_row *row, const char *key, struct error *err)
{
    bool lacks = key != NULL && result_arm_lacks(&pivot->results->arms[row->arm], key);

    *out = NULL;
    if (key != NULL && !lacks)
        return result_axis_value(out, store, pivot->results, row, key, err);
    *out = strdup(lacks ? VALUE_INACTIVE : "");
    return *out == NULL ? error_no_memory(err, "a table") : 0;
}

/* Finds the values of one setting, and the place of each row of the results. */
static int place_rows(struct pivot *pivot, int which, struct store *store, enum metric metric,
                      struct error *err)
{
    const struct result_row *rows = pivot->results->rows;
    const char *key = pivot->keys[which];
    struct text_set *values = &pivot->values[which];
    int rc = 0;

    for (int pass = 0; pass < 2 && rc == 0; pass++) {
        int before = -1; /* the last row with a value */

        for (int i = 0; i < pivot->results->row_count && rc == 0; i++) {
            char *text = NULL;

            pivot->places[i][which] = -1;
            if (!has_value(pivot->results, &rows[i], metric))
                continue;
            if (before >= 0 && (key == NULL || result_axis_is_shared(pivot->results, &rows[i],
                                                                     &rows[before], key))) {
                pivot->places[i][which] = pivot->places[before][which];
                continue;
            }
            before = i;
            rc = read_value(&text, store, pivot, &rows[i], key, err);
            if (rc == 0 && pass == 0) {
                rc = text_set_add(values, text) == NULL ? error_no_memory(err, "a table") : 0;
            } else if (rc == 0) {
                pivot->places[i][which] = text_set_find(values, text);
            }
            free(text);
        }
        if (pass == 0)
            order_values(values);
    }
    return rc;
}

static int sum_rows(struct pivot *pivot, enum metric metric, struct error *err)
{
    size_t columns = (size_t)pivot->values[1].count;
    size_t size = (size_t)pivot->values[0].count * columns;

    pivot->sums = calloc(size + 1, sizeof *pivot->sums);
    pivot->counts = calloc(size + 1, sizeof *pivot->counts);
    if (pivot->sums == NULL || pivot->counts == NULL)
        return error_no_memory(err, "a table");
    for (int i = 0; i < pivot->results->row_count; i++) {
        if (pivot->places[i][0] < 0 || pivot->places[i][1] < 0)
            continue;
        size_t at = (size_t)pivot->places[i][0] * columns + (size_t)pivot->places[i][1];
        pivot->sums[at] += result_value(pivot->results, &pivot->results->rows[i], metric);
        pivot->counts[at]++;
    }
    return 0;
}

/* "halt_max_steps" for "arch.halt_max_steps"; the whole key if both settings have
 * the same last part. */
static const char *short_key(const struct pivot *pivot, int which)
{
    const char *key = pivot->keys[which], *other = pivot->keys[1 - which];
    const char *dot = strrchr(key, '.'),
               *other_dot = other != NULL ? strrchr(other, '.') : NULL;

    return dot == NULL || (other_dot != NULL && strcmp(dot, other_dot) == 0) ? key : dot + 1;
}

static int make_table(struct table **out, const struct pivot *pivot, enum metric metric,
                      struct error *err)
{
    struct columns columns = { 0 };
    const struct text_set *across = &pivot->values[1];
    bool numbers = all_numbers(&pivot->values[0]);
    int least = 0, most = 0;
    char text[240];

    columns_add(&columns, (struct table_column){ .name = pivot->keys[0],
                                                 .title = short_key(pivot, 0),
                                                 .type = numbers ? TABLE_REAL : TABLE_TEXT,
                                                 .digits = -1 });
    for (int i = 0; i < across->count; i++) {
        snprintf(text, sizeof text, "%.100s=%.100s",
                 pivot->keys[1] != NULL ? pivot->keys[1] : "", across->items[i]);
        columns_add(&columns, (struct table_column){
                                  .name = pivot->keys[1] != NULL ? columns_text(&columns, text)
                                                                 : METRICS[metric].name,
                                  .title = pivot->keys[1] != NULL ? across->items[i]
                                                                  : METRICS[metric].title,
                                  .type = TABLE_REAL,
                                  .digits = metric_decimals(metric) });
    }
    int rc = columns_create_table(out, &columns, err);

    if (rc != 0)
        return rc;
    for (int r = 0; r < pivot->values[0].count; r++) {
        table_row(*out);
        if (numbers)
            table_real(*out, strtod(pivot->values[0].items[r], NULL));
        else
            table_text(*out, pivot->values[0].items[r]);
        for (int c = 0; c < across->count; c++) {
            int at = r * across->count + c, count = pivot->counts[at];

            table_real(*out, count > 0 ? pivot->sums[at] / count : (double)NAN);
            least = r + c == 0 || count < least ? count : least;
            most = count > most ? count : most;
        }
    }
    snprintf(text, sizeof text, "%s of %.80s by %.60s%s%.60s", METRICS[metric].title,
             pivot->results->experiment, pivot->keys[0], pivot->keys[1] != NULL ? " and " : "",
             pivot->keys[1] != NULL ? short_key(pivot, 1) : "");
    table_set_caption(*out, text);
    if (most == 0)
        snprintf(text, sizeof text, "no value of %s has been recorded", METRICS[metric].title);
    else if (least == most)
        snprintf(text, sizeof text, "each a mean over %d value%s (seeds, other settings)", most,
                 most == 1 ? "" : "s");
    else
        snprintf(text, sizeof text, "means over %d to %d values (seeds, other settings)", least,
                 most);
    table_add_note(*out, text);
    return 0;
}

/* Completes a key; NULL allowed. */
static int find_key(const char **key, const char *option, const struct results *results,
                    struct error *err)
{
    int rc = *key != NULL ? short_key_complete(key, results, option, err) : 0;

    if (rc != 0 || *key == NULL || setting_find(*key) >= 0)
        return rc;
    const char *nearest = setting_nearest(*key);

    return error_set(err, ERROR_FORMAT,
                     "%s %s: unknown setting%s%s%s (`hrmlab axes` lists them)", option, *key,
                     nearest != NULL ? ", did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?" : "");
}

int pivot_table(struct table **out, struct store *store, const struct results *results,
                const char *rows, const char *columns, enum metric metric, struct error *err)
{
    int rc = find_key(&rows, "--rows", results, err);

    *out = NULL;
    if (rc == 0)
        rc = find_key(&columns, "--cols", results, err);
    if (rc == 0 && columns != NULL && strcmp(rows, columns) == 0)
        rc = error_set(err, ERROR_FORMAT, "--rows and --cols are both %s", rows);
    if (rc != 0)
        return rc;
    assert(rows != NULL);
    struct pivot pivot = { .results = results, .keys = { rows, columns } };

    pivot.places = calloc((size_t)results->row_count + 1, sizeof *pivot.places);
    rc = pivot.places == NULL ? error_no_memory(err, "a table")
                              : place_rows(&pivot, 0, store, metric, err);

    if (rc == 0)
        rc = place_rows(&pivot, 1, store, metric, err);
    if (rc == 0)
        rc = sum_rows(&pivot, metric, err);
    if (rc == 0)
        rc = make_table(out, &pivot, metric, err);
    pivot_release(&pivot);
    return rc;
}
