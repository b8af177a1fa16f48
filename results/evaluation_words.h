/* evaluation_words.h - in what an evaluation differs from others, for its label. */
#ifndef RESULTS_EVALUATION_WORDS_H
#define RESULTS_EVALUATION_WORDS_H

/* Appends to text, which it frees, the settings by which an evaluation differs from the
 * other (NULL: from none) or from what their absence means: ", halt_rule stable,
 * halt_patience 2". Whether trajectories are recorded changes no result and is not said
 * beside another that has the same. Both are canonical texts. Newly allocated; NULL,
 * also for text NULL: no memory. */
char *evaluation_words_add(char *text, const char *evaluation, const char *other);

#endif
