/*
 * augmentation.h - the variants of a task: a dihedral transform after a colour
 * permutation.
 */
#ifndef WORKER_AUGMENTATION_H
#define WORKER_AUGMENTATION_H

#include "arc_task.h"
#include "random.h"

enum { VARIANT_NAME_SIZE = ARC_NAME_SIZE + 24, AUGMENTATION_TRIES = 5 };

struct variant {
    uint8_t transform;         /* 0..7 */
    uint8_t map[GRID_COLOURS]; /* image of each colour; map[0] = 0 */
};

extern const struct variant VARIANT_ORIGINAL;

/* Colours first, then the transform. */
void variant_apply(struct grid *out, const struct grid *in, const struct variant *variant);
/* The inverse transform first, then the inverse colours. */
void variant_undo(struct grid *out, const struct grid *in, const struct variant *variant);

/*
 * Draws up to count variants of task into out (room for count), at most
 * AUGMENTATION_TRIES * count tries; each gives a task different from the original and
 * from all others (as a multiset of pairs). Returns how many, or ERROR_NOMEM.
 */
int augmentation_draw(struct variant *out, const struct arc_task *task, int count,
                      struct random_stream *stream);

/* "name" for the original, else "name|||tK|||D" (model.md section 5), and back. */
void variant_name(char out[VARIANT_NAME_SIZE], const char *task, const struct variant *variant);
/* Also understood: "name_tK_D" of the first releases of the published code. False when
 * text is no such name. base: the task's name. */
bool variant_parse(struct variant *out, char base[ARC_NAME_SIZE], const char *text);

#endif
