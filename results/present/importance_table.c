/* importance_table.c - from cells to a full grid, and its analysis of variance. */
#include "importance_table.h"

#include "anova.h"
#include "error.h"
#include "file.h"
#include "task_score.h"
#include "text_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 20 };

/* The cells of a full grid, with the axes that make it. */
struct grid {
    struct anova_grid anova;
    int axes[ANOVA_FACTORS]; /* of the cells */
    int *cells;              /* owned: (anova.cells), of the comparison */
    double *values;          /* owned */
};

static void grid_release(struct grid *grid)
{
    free(grid->cells);
    free(grid->values);
    *grid = (struct grid){ 0 };
}

/* Takes the axes, without those of evaluation where only chosen cells count. */
static int take_axes(struct grid *out, const struct cells *cells, bool evaluation,
                     struct error *err)
{
    out->anova.cells = 1;
    for (int a = 0; a < cells->axis_count; a++) {
        const struct cell_axis *axis = &cells->axes[a];

        if (axis->of_evaluation && !evaluation)
            continue;
        if (out->anova.factor_count == ANOVA_FACTORS || out->anova.cells > 100000 / axis->count)
            return error_set(
                err, ERROR_FORMAT,
                "importance: more than %d axes, or too many combinations; fix some "
                "with --where KEY=VALUE",
                ANOVA_FACTORS);
        out->axes[out->anova.factor_count] = a;
        out->anova.levels[out->anova.factor_count++] = axis->count;
        out->anova.cells *= axis->count;
    }
    if (out->anova.factor_count > 0)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "importance: no setting varies among the arms with results");
}

/* "arch.name=hrm, arch.halt_max_steps=4" of a position in the grid. Fresh or NULL. */
static char *describe_position(const struct grid *grid, const struct cells *cells, int position)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = text_stream_open(&text, &size);

    if (to == NULL)
        return NULL;
    int step = grid->anova.cells;
    for (int f = 0; f < grid->anova.factor_count; f++) {
        const struct cell_axis *axis = &cells->axes[grid->axes[f]];

        step /= axis->count;
        fprintf(to, "%s%s=%s", f > 0 ? ", " : "", axis->key,
                axis->values[position / step % axis->count]);
    }
    return fclose(to) == 0 ? text : NULL;
}

static int error_at(const struct grid *grid, const struct cells *cells, int position,
                    const char *fault, struct error *err)
{
    char *where = describe_position(grid, cells, position);
    int rc = where == NULL
                 ? error_no_memory(err, "an analysis of variance")
                 : error_set(err, ERROR_FORMAT,
                             "importance needs a full grid, each combination with the same "
                             "number of seeds: %s %s; choose a part that is complete with "
                             "--where KEY=VALUE, or see hrmlab compare --axis KEY",
                             where, fault);

    free(where);
    return rc;
}

/* Finds the place of each cell. */
static int place_cells(struct grid *grid, const struct compare *compare,
                       const struct cells *cells, const bool *chosen, struct error *err)
{
    grid->cells = calloc((size_t)grid->anova.cells, sizeof *grid->cells);
    if (grid->cells == NULL)
        return error_no_memory(err, "an analysis of variance");
    for (int i = 0; i < grid->anova.cells; i++)
        grid->cells[i] = -1;
    for (int i = 0; i < cells->count; i++) {
        int position = 0, cell = compare_cell_of(compare, &cells->items[i]);

        if ((chosen != NULL && !chosen[i]) || cell < 0)
            continue;
        for (int f = 0; f < grid->anova.factor_count; f++)
            position = position * grid->anova.levels[f] + cells->items[i].at[grid->axes[f]];
        if (grid->cells[position] >= 0)
            return error_at(grid, cells, position, "stands for several arms", err);
        grid->cells[position] = cell;
    }
    for (int i = 0; i < grid->anova.cells; i++)
        if (grid->cells[i] < 0)
            return error_at(grid, cells, i, "has no result", err);
    return 0;
}

/* Checks that all have as many seeds, and whether these are the same. */
static int check_seeds(struct grid *grid, const struct compare *compare,
                       const struct cells *cells, struct error *err)
{
    const struct compare_cell *first = &compare->cells[grid->cells[0]];

    grid->anova.seeds = first->seed_count;
    grid->anova.seeds_shared = true;
    for (int i = 1; i < grid->anova.cells; i++) {
        const struct compare_cell *cell = &compare->cells[grid->cells[i]];
        char fault[80];

        if (cell->seed_count != first->seed_count) {
            snprintf(fault, sizeof fault, "has %d finished seeds, others %d", cell->seed_count,
                     first->seed_count);
            return error_at(grid, cells, i, fault, err);
        }
        for (int s = 0; s < cell->seed_count; s++)
            if (cell->seeds[s] != first->seeds[s])
                grid->anova.seeds_shared = false;
    }
    return 0;
}

/* Whether every cell has a value of the task. */
static bool has_task(const struct grid *grid, const struct compare *compare, int task)
{
    for (int i = 0; i < grid->anova.cells; i++)
        for (int s = 0; s < grid->anova.seeds; s++)
            if (isnan(compare->cells[grid->cells[i]]
                          .values[(size_t)s * (size_t)compare->task_count + (size_t)task]))
                return false;
    return true;
}

/* Names the axis that gives arms other tasks, if there is one. */
static int error_no_tasks(const struct grid *grid, const struct cells *cells, struct error *err)
{
    const char *key = NULL;

    for (int f = 0; f < grid->anova.factor_count && key == NULL; f++)
        if (strncmp(cells->axes[grid->axes[f]].key, "data.", strlen("data.")) == 0)
            key = cells->axes[grid->axes[f]].key;
    if (key == NULL)
        return error_set(err, ERROR_ABSENT, "importance: the arms have no task in common");
    return error_set(err, ERROR_ABSENT,
                     "importance: the values of %s have no task in common, and what data of "
                     "several kinds explain is not estimated: means over different tasks "
                     "cannot be compared; --where %s=VALUE chooses one kind",
                     key, key);
}

/* Copies the values of the tasks that all cells have. */
static int take_values(struct grid *grid, const struct compare *compare,
                       const struct cells *cells, struct error *err)
{
    int *tasks = calloc((size_t)compare->task_count + 1, sizeof *tasks), count = 0;
    int rc = tasks == NULL ? error_no_memory(err, "an analysis of variance") : 0;

    for (int t = 0; t < compare->task_count && rc == 0; t++)
        if (has_task(grid, compare, t))
            tasks[count++] = t;
    if (rc == 0 && count == 0)
        rc = error_no_tasks(grid, cells, err);
    size_t rows = (size_t)grid->anova.cells * (size_t)grid->anova.seeds;
    if (rc == 0) {
        grid->values = calloc(rows * (size_t)count, sizeof *grid->values);
        rc = grid->values == NULL ? error_no_memory(err, "an analysis of variance") : 0;
    }
    for (size_t row = 0; row < rows && rc == 0; row++) {
        const struct compare_cell *cell =
            &compare->cells[grid->cells[row / (size_t)grid->anova.seeds]];
        size_t seed = row % (size_t)grid->anova.seeds;

        for (int t = 0; t < count; t++)
            grid->values[row * (size_t)count + (size_t)t] =
                cell->values[seed * (size_t)compare->task_count + (size_t)tasks[t]];
    }
    grid->anova.tasks = count;
    grid->anova.values = grid->values;
    free(tasks);
    return rc;
}

/* chosen NULL: all cells, with the axes of evaluation. */
static int make_grid(struct grid *out, const struct compare *compare, const struct cells *cells,
                     const bool *chosen, struct error *err)
{
    *out = (struct grid){ 0 };
    int rc = take_axes(out, cells, chosen == NULL, err);

    if (rc == 0)
        rc = place_cells(out, compare, cells, chosen, err);
    if (rc == 0)
        rc = check_seeds(out, compare, cells, err);
    if (rc == 0)
        rc = take_values(out, compare, cells, err);
    if (rc < 0)
        grid_release(out);
    return rc;
}

static int compare_share(const void *a, const void *b)
{
    const struct anova_term *x = a, *y = b;

    if (x->share != y->share)
        return x->share > y->share ? -1 : 1;
    return (int)x->kind - (int)y->kind;
}

static int add_term(struct table *table, const struct anova_term *term, const struct grid *grid,
                    const struct cells *cells, struct error *err)
{
    static const char *const KINDS[] = { "axis", "interaction", "interaction", "seed" };
    static const char FULL[] = "####################";
    const char *first = term->first >= 0 ? cells->axes[grid->axes[term->first]].key : "";
    const char *second = term->second >= 0 ? cells->axes[grid->axes[term->second]].key : "";
    char *name = term->kind == ANOVA_FACTOR   ? format_string("%s", first)
                 : term->kind == ANOVA_PAIR   ? format_string("%s x %s", first, second)
                 : term->kind == ANOVA_HIGHER ? format_string("three axes or more together")
                                              : format_string("seed");
    char bar[BAR + 1];

    snprintf(bar, sizeof bar, "%.*s", (int)(BAR * term->share + 0.5), FULL);
    table_row(table);
    table_text(table, name);
    table_text(table, KINDS[term->kind]);
    table_int(table, term->freedom);
    table_real(table, term->share);
    table_real(table, term->low);
    table_real(table, term->high);
    table_text(table, bar);
    int rc = name == NULL ? error_no_memory(err, "a table") : 0;
    free(name);
    return rc;
}

static int describe(struct table *table, const struct grid *grid, const struct compare *compare,
                    const char *note, struct error *err)
{
    const struct anova_grid *a = &grid->anova;
    char *caption = format_string("%s: share of the variance of %d cells x %d seed%s",
                                  METRICS[compare->metric].title, a->cells, a->seeds,
                                  a->seeds == 1 ? "" : "s");
    bool single = a->tasks == 1 && a->seeds == 1;
    char *basis = single ? strdup("no intervals: there is one task and one seed")
                         : format_string("95 %% intervals by bootstrap over %d task%s%s",
                                         a->tasks, a->tasks == 1 ? "" : "s",
                                         a->seeds > 1 ? " and the seeds"
                                                      : ", not over seeds: there is only one");
    char *text =
        basis == NULL
            ? NULL
            : format_string("%s%s%s; chance alone gives a term about df / %d", basis,
                            note[0] != '\0' ? "; " : "", note, a->cells * a->seeds - 1);
    int rc = caption == NULL || text == NULL ? error_no_memory(err, "a table") : 0;

    if (rc == 0) {
        table_set_caption(table, caption);
        table_add_note(table, text);
    }
    free(caption);
    free(basis);
    free(text);
    return rc;
}

int importance_table(struct table **out, const struct compare *compare,
                     const struct cells *cells, const bool *chosen, const char *note,
                     struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "term", .title = "what", .type = TABLE_TEXT },
        { .name = "kind", .type = TABLE_TEXT, .drop = 1 },
        { .name = "df", .type = TABLE_INT },
        { .name = "share", .type = TABLE_REAL, .digits = 3 },
        { .name = "low", .type = TABLE_REAL, .digits = 3 },
        { .name = "high", .type = TABLE_REAL, .digits = 3 },
        { .name = "bar", .title = "", .type = TABLE_TEXT, .people_only = true, .drop = 2 },
    };
    struct anova_term terms[ANOVA_TERMS];
    struct error partial;
    struct grid grid;
    int count = 0, rc = make_grid(&grid, compare, cells, NULL, &partial);
    bool all = rc == 0;

    if (rc == ERROR_FORMAT)
        rc = make_grid(&grid, compare, cells, chosen, err);
    else if (rc < 0)
        *err = partial;
    if (rc == 0)
        rc = anova(terms, &count, &grid.anova, err);
    if (rc == 0) {
        qsort(terms, (size_t)count, sizeof *terms, compare_share);
        rc = table_create(out, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);
    }
    for (int i = 0; i < count && rc == 0; i++)
        rc = add_term(*out, &terms[i], &grid, cells, err);
    if (rc == 0)
        rc = describe(*out, &grid, compare, all ? "" : note, err);
    grid_release(&grid);
    return rc;
}
