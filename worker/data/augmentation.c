/* augmentation.c - drawing, applying, undoing and naming variants. */
#include "augmentation.h"

#include "arc_shape.h"
#include "error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct variant VARIANT_ORIGINAL = { 0, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 } };

void variant_apply(struct grid *out, const struct grid *in, const struct variant *variant)
{
    grid_transform(out, in, variant->transform);
    grid_recolour(out, variant->map); /* cell by cell, so the order does not matter */
}

void variant_undo(struct grid *out, const struct grid *in, const struct variant *variant)
{
    uint8_t inverse[GRID_COLOURS];

    for (int i = 0; i < GRID_COLOURS; i++)
        inverse[variant->map[i]] = (uint8_t)i;
    grid_transform(out, in, grid_inverse_transform(variant->transform));
    grid_recolour(out, inverse);
}

/* Hash of the multiset of the task's pairs under variant: a sum, which does not
 * depend on order. */
static uint64_t task_fingerprint(const struct arc_task *task, const struct variant *variant)
{
    uint64_t sum = 0;

    for (int i = 0; i < task->demonstrations + task->tests; i++) {
        const struct arc_pair *pair = &task->pairs[i];
        struct grid grid;
        uint64_t both[2] = { 0, 0 };
        variant_apply(&grid, &pair->input, variant);
        both[0] = grid_fingerprint(&grid);
        if (pair->has_output) {
            variant_apply(&grid, &pair->output, variant);
            both[1] = grid_fingerprint(&grid);
        }
        sum += hash_xxh3(both, sizeof both);
    }
    return sum;
}

static void draw_variant(struct variant *out, struct random_stream *stream)
{
    int colours[GRID_COLOURS - 1];

    out->transform = (uint8_t)random_below(stream, GRID_TRANSFORMS);
    for (int i = 0; i < GRID_COLOURS - 1; i++)
        colours[i] = i + 1;
    random_shuffle(stream, colours, GRID_COLOURS - 1);
    out->map[0] = 0;
    for (int i = 1; i < GRID_COLOURS; i++)
        out->map[i] = (uint8_t)colours[i - 1];
}

/* Adds a fingerprint to the set, a hash table with open addressing in which 0 marks
 * a free slot. Returns whether it is new. */
static bool is_new(uint64_t *set, size_t size, uint64_t fingerprint)
{
    size_t at = (size_t)fingerprint & (size - 1);

    fingerprint |= (uint64_t)1 << 63;
    while (set[at] != 0 && set[at] != fingerprint)
        at = (at + 1) & (size - 1);
    bool fresh = set[at] == 0;
    set[at] = fingerprint;
    return fresh;
}

/* Symmetries of a task: variants that leave its multiset of pairs unchanged. Two
 * variants make the same task if one is the other composed with a symmetry. */
enum { MOST_SYMMETRIES = 64 };
struct symmetries {
    /* the identity first; map[c] is ARC_UNUSED for a colour that the task lacks */
    struct variant list[MOST_SYMMETRIES];
    int count; /* 0: more than MOST_SYMMETRIES, or not known */
};

/* Adds the symmetries of one transform. Returns 1; 0 if there are too many or the
 * search gave up; or ERROR_NOMEM. */
static int add_symmetries(struct symmetries *out, const struct arc_shape *original,
                          const struct arc_task *task, int transform)
{
    struct arc_shape turned;
    colour_map maps[MOST_SYMMETRIES];
    int room = MOST_SYMMETRIES - out->count;

    if (arc_shape_make(&turned, task, transform, true) < 0)
        return ERROR_NOMEM;
    int found = arc_shape_match(maps, room, &turned, original);
    arc_shape_release(&turned);
    if (found == ERROR_NOMEM)
        return ERROR_NOMEM;
    if (found < 0 || found > room)
        return 0;
    for (int i = 0; i < found; i++) {
        struct variant *symmetry = &out->list[out->count++];
        symmetry->transform = (uint8_t)transform;
        memcpy(symmetry->map, maps[i], sizeof symmetry->map);
    }
    return 1;
}

static int find_symmetries(struct symmetries *out, const struct arc_task *task)
{
    struct arc_shape original;
    int rc = arc_shape_make(&original, task, 0, true) < 0 ? ERROR_NOMEM : 1;

    out->count = 0;
    for (int t = 0; t < GRID_TRANSFORMS && rc == 1; t++)
        rc = add_symmetries(out, &original, task, t);
    arc_shape_release(&original);
    if (rc == 0)
        out->count = 0;
    return rc < 0 ? rc : 0;
}

/* after[a][b] is the transform that applies a first, then b. */
static void compose_transforms(uint8_t after[GRID_TRANSFORMS][GRID_TRANSFORMS])
{
    const struct grid corner = { .rows = 2, .columns = 3, .cells = { 1, 2, 3, 4, 5, 6 } };
    struct grid first, second, one;

    for (int a = 0; a < GRID_TRANSFORMS; a++)
        for (int b = 0; b < GRID_TRANSFORMS; b++) {
            grid_transform(&first, &corner, a);
            grid_transform(&second, &first, b);
            for (int t = 0; t < GRID_TRANSFORMS; t++) {
                grid_transform(&one, &corner, t);
                if (grid_equal(&one, &second))
                    after[a][b] = (uint8_t)t;
            }
        }
}

/* The same number for all variants that make the same task: the minimum over the
 * variant composed with each symmetry, ignoring colours that the task does not have. */
static uint64_t class_of(const struct variant *variant, const struct symmetries *symmetries,
                         uint8_t after[GRID_TRANSFORMS][GRID_TRANSFORMS])
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < symmetries->count; i++) {
        const struct variant *symmetry = &symmetries->list[i];
        uint64_t number = after[symmetry->transform][variant->transform];
        for (int c = 1; c < GRID_COLOURS; c++)
            number = number << 4 |
                     (symmetry->map[c] == ARC_UNUSED ? 0 : variant->map[symmetry->map[c]]);
        least = number < least ? number : least;
    }
    return hash_xxh3(&least, sizeof least);
}

/* How different variants of a task are recognised: by class_of() or, if the task has
 * too many symmetries, by the fingerprint of the task that they make. */
struct distinction {
    const struct arc_task *task;
    struct symmetries symmetries;
    uint8_t after[GRID_TRANSFORMS][GRID_TRANSFORMS];
};

static uint64_t distinguish(struct distinction *distinction, const struct variant *variant)
{
    return distinction->symmetries.count > 0
               ? class_of(variant, &distinction->symmetries, distinction->after)
               : task_fingerprint(distinction->task, variant);
}

int augmentation_draw(struct variant *out, const struct arc_task *task, int count,
                      struct random_stream *stream)
{
    struct distinction distinction = { .task = task };
    size_t size = 16;
    int drawn = 0;

    if (count == 0)
        return 0;
    while (size < 2 * ((size_t)count + 1))
        size *= 2;
    uint64_t *set = calloc(size, sizeof *set);
    if (set == NULL || find_symmetries(&distinction.symmetries, task) < 0) {
        free(set);
        return ERROR_NOMEM;
    }
    compose_transforms(distinction.after);
    is_new(set, size, distinguish(&distinction, &VARIANT_ORIGINAL));
    for (int64_t tries = 0; tries < (int64_t)AUGMENTATION_TRIES * count && drawn < count;
         tries++) {
        draw_variant(&out[drawn], stream);
        drawn += is_new(set, size, distinguish(&distinction, &out[drawn]));
    }
    free(set);
    return drawn;
}

void variant_name(char out[VARIANT_NAME_SIZE], const char *task, const struct variant *variant)
{
    char digits[GRID_COLOURS + 1];

    if (memcmp(variant, &VARIANT_ORIGINAL, sizeof *variant) == 0) {
        snprintf(out, VARIANT_NAME_SIZE, "%s", task);
        return;
    }
    for (int i = 0; i < GRID_COLOURS; i++)
        digits[i] = (char)('0' + variant->map[i]);
    digits[GRID_COLOURS] = '\0';
    snprintf(out, VARIANT_NAME_SIZE, "%s|||t%d|||%s", task, variant->transform, digits);
}

/* Finds where the suffix of a variant begins in a name, and the width of its
 * separators in characters. NULL: there is no suffix. The first releases of the
 * published code wrote _tK_D. */
static const char *find_marks(const char *text, int *width)
{
    const char *bar = strstr(text, "|||");
    size_t length = strlen(text), old = 1 + 2 + 1 + GRID_COLOURS;

    *width = bar != NULL ? 3 : 1;
    if (bar != NULL || length <= old)
        return bar;
    bar = text + length - old;
    return bar[0] == '_' && bar[1] == 't' && bar[3] == '_' &&
                   strspn(bar + 4, "0123456789") == GRID_COLOURS
               ? bar
               : NULL;
}

bool variant_parse(struct variant *out, char base[ARC_NAME_SIZE], const char *text)
{
    int width;
    const char *bar = find_marks(text, &width);
    size_t length = bar != NULL ? (size_t)(bar - text) : strlen(text);
    bool seen[GRID_COLOURS] = { false };

    *out = VARIANT_ORIGINAL;
    if (length == 0 || length >= ARC_NAME_SIZE)
        return false;
    memcpy(base, text, length);
    base[length] = '\0';
    if (bar == NULL)
        return true;
    /* |||tK|||DDDDDDDDDD */
    const char *transform = bar + width + 1, *digits = transform + 1 + width;
    if (strlen(bar) != 2 * (size_t)width + 2 + GRID_COLOURS || transform[-1] != 't' ||
        *transform < '0' || *transform >= '0' + GRID_TRANSFORMS ||
        memcmp(transform + 1, bar, (size_t)width) != 0)
        return false;
    out->transform = (uint8_t)(*transform - '0');
    for (int i = 0; i < GRID_COLOURS; i++) {
        int digit = digits[i] - '0';
        if (digit < 0 || digit > 9 || seen[digit])
            return false;
        seen[digit] = true;
        out->map[i] = (uint8_t)digit;
    }
    return true;
}
