/* published.c - the table of published results. */
#include "published.h"

#include "error.h"
#include "file.h"
#include "number.h"
#include "svg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct published_source PUBLISHED_SOURCES[] = {
    { "ARC Prize", "ARC Prize, The Hidden Drivers of HRM's Performance on ARC-AGI, 15 August "
                   "2025 (arcprize.org/blog/hrm-analysis, and the talk)" },
    { "HRM paper", "Wang et al., Hierarchical Reasoning Model, arXiv:2506.21734" },
    { "TRM paper", "Jolicoeur-Martineau, Less is More: Recursive Reasoning with Tiny "
                   "Networks, arXiv:2510.04871" },
    { 0 },
};

#define ARC_1 "ARC-AGI-1 public evaluation", "arc"
#define ARC_2 "ARC-AGI-2 public evaluation", "arc"
#define SUDOKU "Sudoku-Extreme, 1000 examples", "sudoku"
#define MAZE "Maze-Hard 30x30, 1000 examples", "maze"
#define CLAIM (double)NAN, PUBLISHED_CLAIM

const struct published PUBLISHED[] = {
    { "ARC Prize", "score", ARC_1, "pass@2", "HRM", NULL, 0.41, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "score", "ARC-AGI-1 semi-private", "arc", "pass@2", "HRM", NULL, 0.32,
      PUBLISHED_NUMBER, "1.48 USD per task, 9 h 16 min" },
    { "ARC Prize", "score", ARC_2, "pass@2", "HRM", NULL, 0.04, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "score", "ARC-AGI-2 semi-private", "arc", "pass@2", "HRM", NULL, 0.02,
      PUBLISHED_NUMBER, "1.68 USD per task" },
    { "HRM paper", "score", ARC_1, "pass@2", "HRM", NULL, 0.403, PUBLISHED_NUMBER, NULL },
    { "HRM paper", "score", ARC_2, "pass@2", "HRM", NULL, 0.05, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "architecture", ARC_1, "pass@2 difference",
      "HRM minus transformer, 1 to 16 loops", NULL, CLAIM,
      "within about 5 points at every number of loops; equal at 1 loop" },
    { "ARC Prize", "inner cycles", ARC_1, "pass@2 difference", "1 x 1 minus 2 x 2 cycles", NULL,
      -0.04, PUBLISHED_CHART, "within 4 points; others are below 2 x 2, too" },
    { "ARC Prize", "outer loop", ARC_1, "pass@2", "1 outer step in training and at inference",
      "1", 0.19, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "outer loop", ARC_1, "pass@2", "2 outer steps in training and at inference",
      "2", 0.32, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "outer loop", ARC_1, "pass@2", "8 outer steps in training and at inference",
      "8", 0.385, PUBLISHED_CHART, NULL },
    { "ARC Prize", "outer loop", ARC_1, "pass@2", "16 outer steps in training and at inference",
      "16", 0.40, PUBLISHED_CHART, "39 to 41 % from run to run" },
    { "ARC Prize", "act", ARC_1, "pass@2 difference", "ACT off minus ACT on, 16 outer steps",
      NULL, -0.03, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "train versus inference", ARC_1, "pass@2 difference",
      "trained with 16 loops minus trained with 1, inference with 1", NULL, CLAIM,
      "more than 15 points; beyond 4 loops at inference little is gained" },
    { "ARC Prize", "training data", ARC_1, "pass@2", "trained on the evaluation tasks alone",
      NULL, 0.31, PUBLISHED_NUMBER, NULL },
    { "ARC Prize", "augmentations", ARC_1, "pass@2", "trained without augmentation", "0", 0.10,
      PUBLISHED_NUMBER, "15 % where one alone is used at inference" },
    { "ARC Prize", "augmentations", ARC_1, "pass@2", "trained with 10", "10", 0.30,
      PUBLISHED_CHART, NULL },
    { "ARC Prize", "augmentations", ARC_1, "pass@2", "trained with 30", "30", 0.35,
      PUBLISHED_CHART, NULL },
    { "ARC Prize", "augmentations", ARC_1, "pass@2", "trained with 1000", "1000", 0.40,
      PUBLISHED_CHART, NULL },
    { "ARC Prize", "puzzle embedding", ARC_1, "token acc", "context instead of puzzle ids",
      NULL, 0.76, PUBLISHED_NUMBER, "told by the authors of HRM, of an earlier version" },
    { "ARC Prize", "puzzle embedding", ARC_1, "token acc", "puzzle ids", NULL, 0.86,
      PUBLISHED_NUMBER, "well over" },
    { "HRM paper", "score", SUDOKU, "exact rows", "HRM", NULL, 0.55, PUBLISHED_NUMBER, NULL },
    { "HRM paper", "score", SUDOKU, "exact rows", "direct transformer", NULL, 0.0,
      PUBLISHED_NUMBER, NULL },
    { "HRM paper", "score", MAZE, "exact rows", "HRM", NULL, 0.745, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM: 3 x 6 cycles, MLP, EMA", NULL, 0.874,
      PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM with the continue loss", NULL, 0.861,
      PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM with separate H and L networks", NULL,
      0.824, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM without EMA", NULL, 0.799,
      PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM with 4 layers, 3 L cycles", NULL,
      0.795, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM with self-attention", NULL, 0.747,
      PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM with 2 x 2 cycles", NULL, 0.737,
      PUBLISHED_NUMBER, NULL },
    { "TRM paper", "variants", SUDOKU, "exact rows", "TRM with the 1-step gradient", NULL,
      0.565, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 1 x 1 (H x L)", "1 \xc3\x97 1",
      0.464, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 2 x 2 (H x L)", "2 \xc3\x97 2",
      0.55, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 3 x 3 (H x L)", "3 \xc3\x97 3",
      0.616, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 4 x 4 (H x L)", "4 \xc3\x97 4",
      0.595, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 3 x 6 (H x L)", "3 \xc3\x97 6",
      0.623, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 6 x 3 (H x L)", "6 \xc3\x97 3",
      0.588, PUBLISHED_NUMBER, NULL },
    { "TRM paper", "inner cycles", SUDOKU, "exact rows", "HRM, 6 x 6 (H x L)", "6 \xc3\x97 6",
      0.575, PUBLISHED_NUMBER, NULL },
    { 0 },
};

bool published_is_shown(const struct published *published, const char *data, bool any_data)
{
    return any_data ||
           (strncmp(data, "builtin:", 8) != 0 && strcasestr(data, published->place) != NULL);
}

/* The position of x in the chart; NaN: none. */
static double position_of(const struct chart *chart, const char *x)
{
    char *end;

    if (chart->x_scale != CHART_CATEGORIES) {
        double number = strtod(x, &end);
        bool shown = *end == '\0' && (chart->x_scale == CHART_LINEAR || number > 0);

        return shown ? number : (double)NAN;
    }
    for (int i = 0; i < chart->x_name_count; i++)
        if (strcmp(chart->x_names[i], x) == 0)
            return i;
    return (double)NAN;
}

static int add_value(struct chart *chart, int series, const struct published *value, double x,
                     struct error *err)
{
    struct chart_point point = chart_point_at(x, value->value);
    char number[NUMBER_TEXT_SIZE];
    char *tooltip =
        format_string("published, %s: %s%s (%s, %s)", value->source,
                      value->kind == PUBLISHED_CHART ? "about " : "",
                      number_trimmed(number, value->value, 3), value->data, value->settings);

    point.tooltip = tooltip;
    chart_add_point(chart, series, &point);
    if (chart->x_scale != CHART_CATEGORIES)
        chart_add_x_tick(chart, x);
    free(tooltip);
    return tooltip == NULL ? error_no_memory(err, "a figure") : 0;
}

/* Appends a sentence to the picture's note. Releases it; NULL: no memory. */
static int add_note(struct picture *picture, char *sentence, struct error *err)
{
    char *note = sentence == NULL ? NULL : format_string("%s %s", picture->note, sentence);
    int rc = note == NULL ? error_no_memory(err, "a figure")
                          : picture_describe(picture, NULL, note, err);

    free(note);
    free(sentence);
    return rc;
}

/* What published_show() has shown so far. */
struct shown {
    bool any;
    bool other_data; /* some of it of data of another kind */
};

static bool is_wanted(const struct published *value, const char *question,
                      const struct published_place *place)
{
    return question != NULL && strcmp(value->question, question) == 0 &&
           published_is_shown(value, place->data, place->any_data);
}

static void count_shown(struct shown *shown, const struct published *value,
                        const struct published_place *place)
{
    shown->any = true;
    shown->other_data = shown->other_data || !published_is_shown(value, place->data, false);
}

/* Adds the values that have a position in the chart as a series of its own. */
static int draw_values(struct shown *shown, struct picture *picture, struct chart *chart,
                       const char *question, const struct published_place *place,
                       struct error *err)
{
    const struct published *first = NULL;
    int series = 0, rc = 0;

    for (const struct published *value = PUBLISHED; value->source != NULL && rc == 0; value++) {
        if (value->x == NULL || !is_wanted(value, question, place) ||
            strcmp(value->measure, METRICS[place->metric].title) != 0)
            continue;
        double x = position_of(chart, value->x);

        if (!isfinite(x))
            continue;
        if (first == NULL) {
            char *label = format_string("published: %s", value->source);

            series = label != NULL ? chart_add_series(chart, label, SVG_REFERENCE) : 0;
            free(label);
            if (label == NULL || chart->out_of_memory)
                return error_no_memory(err, "a figure");
            chart->series[series].published = true;
            first = value;
        }
        rc = add_value(chart, series, value, x, err);
        count_shown(shown, value, place);
    }
    if (rc != 0 || first == NULL)
        return rc;
    return add_note(
        picture,
        format_string("Hollow marks: published by %s for %s.", first->source, first->data),
        err);
}

/* Whether it is a value of this measure, or a difference in it. */
static bool is_of(const struct published *value, enum metric metric)
{
    size_t length = strlen(METRICS[metric].title);
    const char *rest = value->measure + length;

    return strncmp(value->measure, METRICS[metric].title, length) == 0 &&
           (*rest == '\0' || strcmp(rest, " difference") == 0);
}

/* Appends a value in words to a list: "trained with 10: about 0.3; trained with 30:
 * about 0.35". Releases the list, NULL: no memory, or none yet. Newly allocated. */
static char *add_words(char *list, const struct published *value)
{
    bool claim = value->kind == PUBLISHED_CLAIM;
    char number[NUMBER_TEXT_SIZE];
    char *longer = format_string(
        "%s%s%s: %s%s%s%s%s", list != NULL ? list : "", list != NULL ? "; " : "",
        value->settings, value->kind == PUBLISHED_CHART ? "about " : "",
        claim ? "" : number_trimmed(number, value->value, 3),
        claim || value->note == NULL ? "" : " (", value->note != NULL ? value->note : "",
        claim || value->note == NULL ? "" : ")");

    free(list);
    return longer;
}

/* Adds the values to the picture's note, a sentence for those of one source and data
 * that follow each other; drawn: but those with a position. */
static int say_values(struct shown *shown, struct picture *picture, const char *question,
                      bool drawn, const struct published_place *place, struct error *err)
{
    const struct published *last = NULL; /* in the list */
    char *list = NULL;
    int rc = 0;

    for (const struct published *value = PUBLISHED; rc == 0; value++) {
        bool end = value->source == NULL;

        if (!end && (!is_wanted(value, question, place) || !is_of(value, place->metric) ||
                     (drawn && value->x != NULL)))
            continue;
        if (last != NULL && (end || strcmp(value->source, last->source) != 0 ||
                             strcmp(value->data, last->data) != 0)) {
            rc = add_note(picture,
                          list == NULL ? NULL
                                       : format_string("Published by %s for %s: %s.",
                                                       last->source, last->data, list),
                          err);
            free(list);
            list = NULL;
        }
        if (end)
            break;
        list = add_words(list, value);
        last = value;
        count_shown(shown, value, place);
    }
    free(list);
    return rc;
}

int published_show(struct picture *picture, struct chart *chart, const char *marked,
                   const char *told, const struct published_place *place, struct error *err)
{
    struct shown shown = { 0 };
    bool drawn = marked != NULL && told != NULL && strcmp(marked, told) == 0;
    int rc = 0;

    if (chart != NULL)
        rc = draw_values(&shown, picture, chart, marked, place, err);
    if (rc == 0)
        rc = say_values(&shown, picture, told, drawn, place, err);
    if (rc != 0 || !shown.any)
        return rc;
    return add_note(picture,
                    format_string(shown.other_data
                                      ? "This experiment's data are of another kind (%.100s): "
                                        "read side by side, do not subtract."
                                      : "This experiment's data: %.100s.",
                                  place->data),
                    err);
}
