/* arc_shape.c - renumbers a pair's colours in order of appearance, and matches the
 * pairs of two tasks.
 * Pairs with equal keys are equal up to a permutation of colours, which follows from
 * their lists of colours: entry i of one list maps to entry i of the other. Two
 * tasks are equal up to colours if one permutation fits all pairs of a matching. */
#include "arc_shape.h"

#include "error.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>

/* Limit of search steps. Real tasks need about one step per pair. */
enum { MOST_STEPS = 20000 };

void arc_shape_release(struct arc_shape *shape)
{
    free(shape->pairs);
    *shape = (struct arc_shape){ 0 };
}

/* Appends the shape and the renumbered cells of a grid to out. Returns the number of
 * bytes. */
static size_t number_colours(unsigned char *out, struct pair_shape *shape, colour_map numbers,
                             const struct grid *grid, int transform)
{
    struct grid turned;
    size_t count = (size_t)grid->rows * grid->columns;

    grid_transform(&turned, grid, transform);
    out[0] = turned.rows;
    out[1] = turned.columns;
    for (size_t i = 0; i < count; i++) {
        uint8_t colour = turned.cells[i];
        if (numbers[colour] == ARC_UNUSED) {
            shape->colours[shape->count++] = colour;
            numbers[colour] = (uint8_t)shape->count;
        }
        out[2 + i] = numbers[colour];
    }
    return 2 + count;
}

static void make_pair(struct pair_shape *out, const struct arc_pair *pair, int transform,
                      bool with_output)
{
    unsigned char bytes[2 * (2 + GRID_MAX_CELLS)];
    colour_map numbers;

    memset(numbers, ARC_UNUSED, sizeof numbers);
    numbers[0] = 0;
    *out = (struct pair_shape){ 0 };
    size_t size = number_colours(bytes, out, numbers, &pair->input, transform);
    if (with_output && pair->has_output)
        size += number_colours(bytes + size, out, numbers, &pair->output, transform);
    out->key = hash_xxh3(bytes, size);
}

int arc_shape_make(struct arc_shape *out, const struct arc_task *task, int transform,
                   bool test_outputs)
{
    int count = task->demonstrations + task->tests;

    *out = (struct arc_shape){ .pairs = malloc(((size_t)count + 1) * sizeof *out->pairs),
                               .count = count };
    if (out->pairs == NULL)
        return ERROR_NOMEM;
    for (int i = 0; i < count; i++) {
        make_pair(&out->pairs[i], &task->pairs[i], transform,
                  test_outputs || i < task->demonstrations);
        out->sum += hash_xxh3(&out->pairs[i].key, sizeof out->pairs[i].key);
    }
    return 0;
}

/* State of a search. Pairs of a are matched in the order given here. */
struct search {
    const struct arc_shape *a, *b;
    int *order;       /* owned: (a->count) */
    bool *taken;      /* owned: pairs of b that are matched */
    int *equal;       /* owned: nearest pair of b before each that equals it, or -1 */
    colour_map map;   /* the permutation as far as the matched pairs determine it */
    colour_map image; /* the inverse */
    colour_map *maps;
    int most, found, steps;
};

/* Matches pair of a with pair of b if the permutation allows it. *added is the
 * number of colours of the pair that were not mapped before: the entries to remove
 * on backtracking. */
static bool extend(struct search *s, const struct pair_shape *pair,
                   const struct pair_shape *other, bool added[GRID_COLOURS])
{
    bool good = pair->key == other->key;

    memset(added, 0, GRID_COLOURS * sizeof *added);
    for (int i = 0; i < pair->count && good; i++) {
        uint8_t from = pair->colours[i], to = other->colours[i];
        if (s->map[from] == ARC_UNUSED && s->image[to] == ARC_UNUSED) {
            s->map[from] = to;
            s->image[to] = from;
            added[from] = true;
        } else {
            good = s->map[from] == to;
        }
    }
    return good;
}

static void take_back(struct search *s, const bool added[GRID_COLOURS])
{
    for (int c = 0; c < GRID_COLOURS; c++)
        if (added[c]) {
            s->image[s->map[c]] = ARC_UNUSED;
            s->map[c] = ARC_UNUSED;
        }
}

static bool is_equal_pair(const struct pair_shape *a, const struct pair_shape *b)
{
    return a->key == b->key && memcmp(a->colours, b->colours, sizeof a->colours) == 0;
}

static void find_equal_pairs(struct search *s)
{
    for (int i = 0; i < s->b->count; i++) {
        int before = i - 1;
        while (before >= 0 && !is_equal_pair(&s->b->pairs[before], &s->b->pairs[i]))
            before--;
        s->equal[i] = before;
    }
}

/* Whether an unmatched pair before this one is equal to it: trying both gives the
 * same results. Of equal pairs the first are thus matched first, so that the nearest
 * one before tells of all. */
static bool repeats(const struct search *s, int index)
{
    return s->equal[index] >= 0 && !s->taken[s->equal[index]];
}

static void keep_map(struct search *s)
{
    for (int i = 0; i < s->found; i++)
        if (i < s->most && memcmp(s->maps[i], s->map, sizeof s->map) == 0)
            return;
    if (s->found < s->most)
        memcpy(s->maps[s->found], s->map, sizeof s->map);
    s->found++;
}

/* Tries every matching of the pairs from number at on. Returns false when enough
 * permutations were found or the step limit is reached. */
static bool match_from(struct search *s, int at)
{
    bool added[GRID_COLOURS], on = true;

    if (++s->steps > MOST_STEPS)
        return false;
    if (at == s->a->count) {
        keep_map(s);
        return s->found <= s->most;
    }
    const struct pair_shape *pair = &s->a->pairs[s->order[at]];
    for (int i = 0; i < s->b->count && on; i++) {
        if (s->taken[i] || s->b->pairs[i].key != pair->key || repeats(s, i))
            continue;
        if (extend(s, pair, &s->b->pairs[i], added)) {
            s->taken[i] = true;
            on = match_from(s, at + 1);
            s->taken[i] = false;
        }
        take_back(s, added);
    }
    return on;
}

/* Sorts pairs by descending number of colours: those with more colours constrain the
 * permutation more. */
static void order_pairs(struct search *s)
{
    for (int i = 0; i < s->a->count; i++) {
        int at = i;
        for (; at > 0 && s->a->pairs[s->order[at - 1]].count < s->a->pairs[i].count; at--)
            s->order[at] = s->order[at - 1];
        s->order[at] = i;
    }
}

int arc_shape_match(colour_map *maps, int most, const struct arc_shape *a,
                    const struct arc_shape *b)
{
    struct search s = { .a = a, .b = b, .maps = maps, .most = most };

    if (a->count != b->count || a->sum != b->sum)
        return 0;
    s.order = calloc((size_t)a->count + 1, sizeof *s.order);
    s.taken = calloc((size_t)b->count + 1, sizeof *s.taken);
    s.equal = calloc((size_t)b->count + 1, sizeof *s.equal);
    int rc = s.order == NULL || s.taken == NULL || s.equal == NULL ? ERROR_NOMEM : 0;
    if (rc == 0) {
        memset(s.map, ARC_UNUSED, sizeof s.map);
        memset(s.image, ARC_UNUSED, sizeof s.image);
        s.map[0] = s.image[0] = 0;
        order_pairs(&s);
        find_equal_pairs(&s);
        rc = match_from(&s, 0) || s.found > most ? s.found : ARC_GAVE_UP;
    }
    free(s.order);
    free(s.taken);
    free(s.equal);
    return rc;
}
