/* arc_style.c - from a family and a number to a task. */
#include "arc_style.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { DEMONSTRATIONS = 3, DRAWS = 200, INDICES_PER_FAMILY = 100000 };

int arc_style_family_count(void)
{
    return ARC_STYLE_MOVE_COUNT + ARC_STYLE_COLOUR_COUNT + ARC_STYLE_SHAPE_COUNT;
}

static const struct arc_style_family *family_at(int family)
{
    assert(family >= 0 && family < arc_style_family_count());
    if (family < ARC_STYLE_MOVE_COUNT)
        return &ARC_STYLE_MOVES[family];
    family -= ARC_STYLE_MOVE_COUNT;
    if (family < ARC_STYLE_COLOUR_COUNT)
        return &ARC_STYLE_COLOURS[family];
    return &ARC_STYLE_SHAPES[family - ARC_STYLE_COLOUR_COUNT];
}

const char *arc_style_family_name(int family)
{
    return family_at(family)->name;
}

static void draw_rule(struct arc_style_rule *rule, struct random_stream *stream)
{
    int colours[9];

    for (int i = 0; i < 9; i++)
        colours[i] = i + 1;
    random_shuffle(stream, colours, 9);
    for (int i = 0; i < 4; i++)
        rule->colour[i] = colours[i];
    rule->map[0] = 0;
    for (int i = 0; i < 9; i++) /* a cycle: no colour stays */
        rule->map[colours[i]] = colours[(i + 1) % 9];
    rule->choice = (int)random_below(stream, 1 << 16);
}

/* Whether a pair changes something and its input differs from those of the pairs
 * before it. */
static bool is_good(const struct arc_style_task *task, int made,
                    const struct arc_style_pair *pair)
{
    if (pair->output.rows == 0 || grid_equal(&pair->input, &pair->output))
        return false;
    for (int i = 0; i < made; i++)
        if (grid_equal(&task->pairs[i].input, &pair->input))
            return false;
    return true;
}

void arc_style_make(struct arc_style_task *out, uint64_t generator_seed, int family, int index)
{
    const struct arc_style_family *rules = family_at(family);
    struct random_stream stream = random_stream(
        generator_seed, "arc-style", (uint64_t)(family * INDICES_PER_FAMILY + index));
    struct arc_style_rule rule;

    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s-%d", rules->name, index);
    draw_rule(&rule, &stream);
    out->demonstrations = DEMONSTRATIONS;
    out->tests = random_below(&stream, 4) == 0 ? 2 : 1;
    for (int i = 0; i < out->demonstrations + out->tests; i++) {
        struct arc_style_pair *pair = &out->pairs[i];
        int draws = 0;
        do
            rules->draw(pair, &rule, &stream);
        while (!is_good(out, i, pair) && ++draws < DRAWS);
        assert(draws < DRAWS);
    }
}
