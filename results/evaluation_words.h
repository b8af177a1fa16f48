/* evaluation_words.h - in what an evaluation differs from others, for its label. */
#ifndef RESULTS_EVALUATION_WORDS_H
#define RESULTS_EVALUATION_WORDS_H

/* Appends to text, which it frees, the settings by which an evaluation differs from the
 * other (NULL: from none) or from what their absence means: ", halt_rule stable,
 * halt_patience 2". Whether trajectories are recorded changes no result and is not said
 * beside another that has the same. Both are canonical texts. Newly allocated; NULL,
 * also for text NULL: no memory. */
char *evaluation_words_add(char *text, const char *evaluation, const char *other);

struct result_row;

/* All that tells the row's evaluation from the others of its arm: "infer 4, voted all,
 * ACT, halt_rule stable". other: as above. Newly allocated; NULL: no memory. */
char *evaluation_words_of(const struct result_row *row, const char *other);

/* SQL: what the evaluation v has set besides its outer steps, augmentations, halting
 * rule and split, which are columns of their own: 'act_inference true, weights raw'.
 * NULL: nothing. */
#define EVALUATION_OTHERS                                                                      \
    "(SELECT group_concat(substr(key, length('eval.') + 1) || ' '"                             \
    "  || iif(type IN ('true', 'false'), type, value), ', ') FROM json_each(v.canonical)"      \
    " WHERE key NOT IN ('eval.halt_max_steps', 'eval.augmentations', 'eval.halt_rule',"        \
    "  'eval.split') AND NOT (key IN ('eval.act_inference', 'eval.seed') AND value = 0))"
#define EVALUATION_RULE "coalesce(json_extract(v.canonical, '$.\"eval.halt_rule\"'), 'max')"

#endif
