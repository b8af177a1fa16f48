/* measure_table.c - a row per measure. */
#include "measure_table.h"

#include "error.h"
#include "measure.h"

#include <math.h>
#include <stdio.h>

static const char *values_of(enum metric metric)
{
    switch (METRICS[metric].shape) {
    case MEASURE_NUMBER:
        return "one";
    case MEASURE_PER_STEP:
        return "per outer step";
    case MEASURE_PER_CALL:
        return "per module call";
    case MEASURE_PER_LAYER:
        return "per layer";
    case MEASURE_PER_BIN:
        return "per bin";
    }
    return "";
}

/* Where the measure is computed: one of three places. */
static const char *place_of(enum metric metric)
{
    return metric < METRIC_RECORDED ? "worker/scores.c"
           : metric < METRIC_COUNT  ? "results/query.c"
                                    : "worker/trajectory.c";
}

static void range_text(char out[40], const struct measure *measure)
{
    if (isinf(measure->least))
        snprintf(out, 40, "any");
    else if (isinf(measure->most))
        snprintf(out, 40, "%g or more", measure->least);
    else
        snprintf(out, 40, "%g to %g", measure->least, measure->most);
}

int measure_table(struct table **out, struct error *err)
{
    static const char *const BETTER[] = {
        [MEASURE_HIGHER] = "higher", [MEASURE_LOWER] = "lower", [MEASURE_NEITHER] = "neither"
    };
    static const struct table_column columns[] = {
        { .name = "measure", .type = TABLE_TEXT }, { .name = "title", .type = TABLE_TEXT },
        { .name = "values", .type = TABLE_TEXT },  { .name = "unit", .type = TABLE_TEXT },
        { .name = "range", .type = TABLE_TEXT },   { .name = "over", .type = TABLE_TEXT },
        { .name = "better", .type = TABLE_TEXT },  { .name = "meaning", .type = TABLE_TEXT },
        { .name = "place", .type = TABLE_TEXT },
    };
    int rc = table_create(out, columns, sizeof columns / sizeof *columns, err);

    for (int i = 0; i < MEASURE_COUNT && rc == 0; i++) {
        const struct measure *measure = &METRICS[i];
        char range[40];

        range_text(range, measure);
        table_row(*out);
        table_text(*out, measure->name);
        table_text(*out, measure->title);
        table_text(*out, values_of((enum metric)i));
        table_text(*out, measure->unit);
        table_text(*out, range);
        table_text(*out, measure->over == MEASURE_OVER_ROWS ? "rows" : "tasks");
        table_text(*out, BETTER[measure->better]);
        table_text(*out, measure->meaning);
        table_text(*out, place_of((enum metric)i));
    }
    return rc;
}
