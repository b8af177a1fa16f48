/*
 * matrix.c - a matrix of outer steps in training (rows) and at inference (columns).
 */
#include "compare.h"

#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char TRAIN_KEY[] = "arch.halt_max_steps";

void matrix_destroy(struct matrix *matrix)
{
    if (matrix == NULL)
        return;
    for (int i = 0; i < matrix->block_count; i++) {
        free(matrix->blocks[i].label);
        free(matrix->blocks[i].train_steps);
        free(matrix->blocks[i].eval_steps);
        free(matrix->blocks[i].cells);
        free(matrix->blocks[i].states);
    }
    free(matrix->blocks);
    free(matrix->evaluation);
    free(matrix);
}

/* Whether the key is one that not every evaluation has, and changes results. */
static bool is_other_key(enum evaluation_key key)
{
    return evaluation_key_may_be_absent(key) && key != EVALUATION_TRAJECTORY;
}

/* The member of that key in an evaluation's canonical text, and its length; NULL: it
 * has none. */
static const char *find_member(const char *evaluation, enum evaluation_key key, size_t *length)
{
    const char *name = evaluation_key_name(key);
    size_t size = strlen(name);

    for (const char *at = strstr(evaluation, name); at != NULL; at = strstr(at + size, name))
        if (at[-1] == '"' && at[size] == '"') {
            *length = strcspn(at, ",}");
            return at;
        }
    *length = 0;
    return NULL;
}

/* Compares a setting that not every evaluation has; without it is less. */
static int compare_member(const char *a, const char *b, enum evaluation_key key)
{
    size_t mine, theirs;
    const char *x = find_member(a, key, &mine), *y = find_member(b, key, &theirs);
    int difference = x != NULL && y != NULL ? strncmp(x, y, mine < theirs ? mine : theirs) : 0;

    return difference != 0 ? difference : (mine > theirs) - (mine < theirs);
}

/* Compares the settings that not every evaluation has. */
static int compare_others(const char *a, const char *b)
{
    int difference = 0;

    for (int k = 0; k < EVALUATION_KEY_COUNT && difference == 0; k++)
        if (is_other_key((enum evaluation_key)k))
            difference = compare_member(a, b, (enum evaluation_key)k);
    return difference;
}

/* Negative if evaluation a is preferred to b, 0 if they differ in outer steps only. */
static int compare_variants(const struct result_row *a, const struct result_row *b)
{
    if (a->train_split != b->train_split)
        return a->train_split ? 1 : -1;
    if (a->act_inference != b->act_inference)
        return a->act_inference ? 1 : -1;
    if (a->augmentations != b->augmentations)
        return a->augmentations == 0                 ? -1
               : b->augmentations == 0               ? 1
               : a->augmentations > b->augmentations ? -1
                                                     : 1;
    if (a->eval_seed != b->eval_seed)
        return a->eval_seed < b->eval_seed ? -1 : 1;
    return compare_others(a->evaluation, b->evaluation);
}

/* Chooses which combination of other evaluation settings is shown, and counts the
 * combinations. */
static const struct result_row *choose_variant(int *variants, const struct compare *compare)
{
    const struct result_row *best = compare->cells[0].row;

    *variants = 0;
    for (int i = 0; i < compare->cell_count; i++) {
        const struct result_row *row = compare->cells[i].row;
        bool seen = false;

        if (compare_variants(row, best) < 0)
            best = row;
        for (int j = 0; j < i && !seen; j++)
            seen = compare_variants(row, compare->cells[j].row) == 0;
        *variants += !seen;
    }
    return best;
}

/* Appends to text, which it frees, " key=value" of the settings that not every
 * evaluation has and in which the cells differ. Newly allocated; NULL: no memory. */
static char *add_others(char *text, const struct compare *compare, const char *evaluation)
{
    for (int k = 0; k < EVALUATION_KEY_COUNT && text != NULL; k++) {
        enum evaluation_key key = (enum evaluation_key)k;
        bool varies = false;

        for (int i = 0; i < compare->cell_count && !varies && is_other_key(key); i++)
            varies = compare_member(compare->cells[i].row->evaluation, evaluation, key) != 0;
        if (!varies)
            continue;
        char *value = evaluation_key_text(evaluation, key);
        char *longer = value == NULL
                           ? NULL
                           : format_string("%s %s=%s", text, evaluation_key_name(key), value);

        free(value);
        free(text);
        text = longer;
    }
    return text;
}

/* The axes without the outer steps as "key=value key=value"; newly allocated. */
static char *block_label(const cJSON *axes)
{
    char *label = NULL;

    for (const cJSON *axis = axes->child; axis != NULL; axis = axis->next) {
        if (strcmp(axis->string, TRAIN_KEY) == 0)
            continue;
        char *value = cJSON_IsString(axis) ? strdup(axis->valuestring) : json_canonical(axis);
        char *next = value == NULL
                         ? NULL
                         : format_string("%s%s%s=%s", label != NULL ? label : "",
                                         label != NULL ? " " : "", axis->string, value);

        free(value);
        free(label);
        label = next;
        if (label == NULL)
            return NULL;
    }
    return label != NULL ? label : strdup("all arms");
}

/* Inserts value into the ascending list unless the list has it. false: out of
 * memory. */
static bool insert_steps(int64_t **list, int *count, int64_t value)
{
    int at = 0;

    while (at < *count && (*list)[at] < value)
        at++;
    if (at < *count && (*list)[at] == value)
        return true;
    int64_t *grown = realloc(*list, ((size_t)*count + 1) * sizeof *grown);

    if (grown == NULL)
        return false;
    *list = grown;
    memmove(grown + at + 1, grown + at, (size_t)(*count - at) * sizeof *grown);
    grown[at] = value;
    ++*count;
    return true;
}

/* The block with that label; NULL: there is none. */
static struct matrix_block *block_of(struct matrix *matrix, const char *label)
{
    for (int i = 0; i < matrix->block_count; i++)
        if (strcmp(matrix->blocks[i].label, label) == 0)
            return &matrix->blocks[i];
    return NULL;
}

/* The block that an arm belongs to; a new one is added if there is none yet. NULL: out
 * of memory. */
static struct matrix_block *find_block(struct matrix *matrix, const struct result_arm *arm)
{
    char *label = block_label(arm->axes);
    struct matrix_block *blocks, *known = label != NULL ? block_of(matrix, label) : NULL;

    if (label == NULL || known != NULL) {
        free(label);
        return known;
    }
    blocks = realloc(matrix->blocks, ((size_t)matrix->block_count + 1) * sizeof *blocks);
    if (blocks == NULL) {
        free(label);
        return NULL;
    }
    matrix->blocks = blocks;
    blocks[matrix->block_count] = (struct matrix_block){ .label = label };
    return &blocks[matrix->block_count++];
}

static int position_of(const int64_t *list, int count, int64_t value)
{
    for (int i = 0; i < count; i++)
        if (list[i] == value)
            return i;
    return -1;
}

int matrix_cell(const struct matrix_block *block, int64_t train_steps, int64_t eval_steps)
{
    int row = position_of(block->train_steps, block->train_count, train_steps);
    int column = position_of(block->eval_steps, block->eval_count, eval_steps);

    return row < 0 || column < 0 ? -1 : block->cells[row * block->eval_count + column];
}

/* Called twice: the first pass collects the steps of each block, the second puts the
 * cells in their places. */
static int place_cells(struct matrix *matrix, const struct compare *compare,
                       const struct result_row *variant, bool second, struct error *err)
{
    for (int i = 0; i < compare->cell_count; i++) {
        const struct result_row *row = compare->cells[i].row;

        if (compare_variants(row, variant) != 0)
            continue;
        struct matrix_block *block = find_block(matrix, &compare->results->arms[row->arm]);

        if (block == NULL)
            return error_no_memory(err, "a matrix");
        if (!second) {
            if (!insert_steps(&block->train_steps, &block->train_count,
                              row->train_outer_steps) ||
                !insert_steps(&block->eval_steps, &block->eval_count, row->outer_steps))
                return error_no_memory(err, "a matrix");
            continue;
        }
        assert(block->cells != NULL); /* made between the passes */
        int *cell =
            &block->cells[position_of(block->train_steps, block->train_count,
                                      row->train_outer_steps) *
                              block->eval_count +
                          position_of(block->eval_steps, block->eval_count, row->outer_steps)];

        if (*cell < 0)
            *cell = i;
    }
    return 0;
}

static int make_grids(struct matrix *matrix, struct error *err)
{
    for (int i = 0; i < matrix->block_count; i++) {
        struct matrix_block *block = &matrix->blocks[i];
        size_t size = (size_t)block->train_count * (size_t)block->eval_count;

        block->cells = malloc(size * sizeof *block->cells);
        block->states = malloc(size * sizeof *block->states);
        if (block->cells == NULL || block->states == NULL)
            return error_no_memory(err, "a matrix");
        for (size_t c = 0; c < size; c++) {
            block->cells[c] = -1;
            block->states[c] = RUN_DONE;
        }
    }
    return 0;
}

/* Notes what became of evaluations without a result, where a block has their cells. */
static int place_states(struct matrix *matrix, const struct compare *compare,
                        const struct result_row *variant, struct error *err)
{
    const struct results *results = compare->results;

    for (int i = 0; i < results->row_count; i++) {
        const struct result_row *row = &results->rows[i];

        if (row->outcome == RUN_DONE || compare_variants(row, variant) != 0)
            continue;
        char *label = block_label(results->arms[row->arm].axes);
        struct matrix_block *block = label != NULL ? block_of(matrix, label) : NULL;

        free(label);
        if (label == NULL)
            return error_no_memory(err, "a matrix");
        if (block == NULL)
            continue;
        int train = position_of(block->train_steps, block->train_count, row->train_outer_steps);
        int eval = position_of(block->eval_steps, block->eval_count, row->outer_steps);
        if (train >= 0 && eval >= 0)
            block->states[train * block->eval_count + eval] = row->outcome;
    }
    return 0;
}

/* Whether the setting has an effect in any cell of the block. */
static bool has_effect(const struct matrix_block *block, const struct compare *compare,
                       const char *key)
{
    const struct result_arm *arms = compare->results->arms;

    for (int i = 0; i < block->train_count * block->eval_count; i++)
        if (block->cells[i] >= 0 &&
            !result_arm_lacks(&arms[compare->cells[block->cells[i]].row->arm], key))
            return true;
    return false;
}

/* Leaves out of the block's label what has no effect in it, unless another block has
 * the shorter label. */
static int shorten_label(struct matrix *matrix, struct matrix_block *block,
                         const struct compare *compare, struct error *err)
{
    int first = 0;

    while (block->cells[first] < 0) /* it was made for a cell */
        first++;
    int arm = compare->cells[block->cells[first]].row->arm;
    cJSON *axes = cJSON_Duplicate(compare->results->arms[arm].axes, true);

    for (cJSON *axis = axes != NULL ? axes->child : NULL, *next; axis != NULL; axis = next) {
        next = axis->next;
        if (!has_effect(block, compare, axis->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(axes, axis));
    }
    char *label = axes != NULL ? block_label(axes) : NULL;

    cJSON_Delete(axes);
    if (label == NULL)
        return error_no_memory(err, "a matrix");
    if (block_of(matrix, label) != NULL) {
        free(label);
        return 0;
    }
    free(block->label);
    block->label = label;
    return 0;
}

int matrix_create(struct matrix **out, const struct compare *compare, struct error *err)
{
    struct matrix *matrix = calloc(1, sizeof *matrix);
    bool varies = false;
    int rc;

    *out = NULL;
    if (matrix == NULL)
        return error_no_memory(err, "a matrix");
    const struct result_row *variant = choose_variant(&matrix->variants, compare);
    char augmentations[32] = "all";

    if (variant->augmentations != 0)
        snprintf(augmentations, sizeof augmentations, "%lld",
                 (long long)variant->augmentations);
    matrix->evaluation = add_others(
        format_string(
            "eval.augmentations=%s eval.act_inference=%s eval.split=%s eval.seed=%lld",
            augmentations, variant->act_inference ? "true" : "false",
            variant->train_split ? "train" : "test", (long long)variant->eval_seed),
        compare, variant->evaluation);
    rc = matrix->evaluation == NULL ? error_no_memory(err, "a matrix")
                                    : place_cells(matrix, compare, variant, false, err);
    if (rc == 0)
        rc = make_grids(matrix, err);
    if (rc == 0)
        rc = place_cells(matrix, compare, variant, true, err);
    if (rc == 0)
        rc = place_states(matrix, compare, variant, err);
    for (int i = 0; i < matrix->block_count && rc == 0; i++)
        rc = shorten_label(matrix, &matrix->blocks[i], compare, err);
    if (rc == 0)
        rc = compare_missing(matrix->missing, sizeof matrix->missing, compare, TRAIN_KEY, err);
    for (int i = 0; i < matrix->block_count; i++)
        varies =
            varies || matrix->blocks[i].train_count > 1 || matrix->blocks[i].eval_count > 1;
    if (rc == 0 && !varies)
        rc = error_set(err, ERROR_FORMAT,
                       "--matrix: experiment \"%s\" varies outer steps neither in training "
                       "(arch.halt_max_steps) nor at inference (eval.halt_max_steps)",
                       compare->results->experiment);
    if (rc != 0) {
        matrix_destroy(matrix);
        return rc;
    }
    *out = matrix;
    return 0;
}

/* Adds the difference plus - minus if both cells exist and have tasks in common. */
static int add_difference(struct comparison_list *list, const struct compare *compare,
                          enum comparison_kind kind, const struct matrix_block *block, int plus,
                          int minus, char *label, int64_t to, int64_t from, int64_t fixed,
                          struct error *err)
{
    const struct contrast_term terms[] = { { plus, 1 }, { minus, -1 } };
    struct comparison *added;
    int rc = 0;

    if (label == NULL)
        return error_no_memory(err, "a matrix");
    if (plus >= 0 && minus >= 0 && plus != minus) {
        rc = compare_add_possible(list, compare, kind, block->label, label, terms, 2, &added,
                                  err);
        if (rc == 0 && added != NULL) {
            added->from = from;
            added->to = to;
            added->fixed = fixed;
        }
    }
    free(label);
    return rc;
}

static int compare_inference(struct comparison_list *list, const struct matrix_block *block,
                             const struct compare *compare, struct error *err)
{
    int64_t from = block->eval_steps[0], to = block->eval_steps[block->eval_count - 1];
    int rc = 0;

    for (int i = 0; i < block->train_count && rc == 0; i++) {
        int64_t trained = block->train_steps[i];

        rc = add_difference(list, compare, COMPARISON_INFERENCE, block,
                            matrix_cell(block, trained, to), matrix_cell(block, trained, from),
                            format_string("trained %lld: inference %lld - %lld",
                                          (long long)trained, (long long)to, (long long)from),
                            to, from, trained, err);
    }
    return rc;
}

static int compare_training(struct comparison_list *list, const struct matrix_block *block,
                            const struct compare *compare, struct error *err)
{
    int64_t from = block->train_steps[0], inference = block->eval_steps[0];
    int rc = 0;

    for (int i = 1; i < block->train_count && rc == 0; i++) {
        int64_t to = block->train_steps[i];

        rc = add_difference(list, compare, COMPARISON_TRAINING, block,
                            matrix_cell(block, to, inference),
                            matrix_cell(block, from, inference),
                            format_string("inference %lld: trained %lld - %lld",
                                          (long long)inference, (long long)to, (long long)from),
                            to, from, inference, err);
    }
    return rc;
}

/* Adds the differences along the diagonal, and those between more steps in training
 * only and at inference only. */
static int compare_both(struct comparison_list *list, const struct matrix_block *block,
                        const struct compare *compare, struct error *err)
{
    int64_t from = -1, to = -1;
    int rc;

    for (int i = 0; i < block->train_count; i++)
        if (matrix_cell(block, block->train_steps[i], block->train_steps[i]) >= 0) {
            from = from < 0 ? block->train_steps[i] : from;
            to = block->train_steps[i];
        }
    if (from == to)
        return 0;
    rc = add_difference(
        list, compare, COMPARISON_BOTH, block, matrix_cell(block, to, to),
        matrix_cell(block, from, from),
        format_string("training and inference %lld - %lld", (long long)to, (long long)from), to,
        from, 0, err);
    if (rc == 0)
        rc = add_difference(
            list, compare, COMPARISON_DIRECT, block, matrix_cell(block, to, from),
            matrix_cell(block, from, to),
            format_string("%lld steps in training only - at inference only", (long long)to), to,
            from, 0, err);
    return rc;
}

/* Adds a block against the first, averaged over the cells that both have, if these have
 * tasks in common. */
static int compare_blocks(struct comparison_list *list, const struct matrix_block *first,
                          const struct matrix_block *other, const struct compare *compare,
                          struct error *err)
{
    size_t size = (size_t)first->train_count * (size_t)first->eval_count;
    struct contrast_term *terms = calloc(2 * size, sizeof *terms);
    char *label = format_string("%s - %s", other->label, first->label);
    int count = 0, rc = terms == NULL || label == NULL ? error_no_memory(err, "a matrix") : 0;

    for (size_t i = 0; i < size && rc == 0; i++) {
        int cell = first->cells[i];
        int partner = matrix_cell(other, first->train_steps[i / (size_t)first->eval_count],
                                  first->eval_steps[i % (size_t)first->eval_count]);

        if (cell < 0 || partner < 0)
            continue;
        terms[count++] = (struct contrast_term){ partner, 1 };
        terms[count++] = (struct contrast_term){ cell, -1 };
    }
    for (int i = 0; i < count; i++)
        terms[i].weight /= 0.5 * count;
    if (rc == 0 && count > 0)
        rc = compare_add_possible(list, compare, COMPARISON_ARCHITECTURE, "all cells", label,
                                  terms, count, NULL, err);
    free(terms);
    free(label);
    return rc;
}

int matrix_compare(struct comparison_list *list, const struct matrix *matrix,
                   const struct compare *compare, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < matrix->block_count && rc == 0; i++) {
        const struct matrix_block *block = &matrix->blocks[i];

        rc = compare_inference(list, block, compare, err);
        if (rc == 0)
            rc = compare_training(list, block, compare, err);
        if (rc == 0)
            rc = compare_both(list, block, compare, err);
    }
    for (int i = 1; i < matrix->block_count && rc == 0; i++)
        rc = compare_blocks(list, &matrix->blocks[0], &matrix->blocks[i], compare, err);
    return rc == 0 ? comparison_list_correct(list, err) : rc;
}
