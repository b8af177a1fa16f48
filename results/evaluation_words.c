/* evaluation_words.c - the settings of an evaluation that its label has to name. */
#include "evaluation_words.h"

#include "evaluation_keys.h"
#include "file.h"
#include "query.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the evaluations differ in the key, whose value in the first one is mine.
 * -1: no memory. */
static int differs(const char *mine, enum evaluation_key key, const char *other)
{
    char *theirs = evaluation_key_text(other, key);
    int rc = theirs == NULL ? -1 : strcmp(mine, theirs) != 0;

    free(theirs);
    return rc;
}

/* Without "eval.", except where it would be taken for a setting of training. */
static const char *short_name(enum evaluation_key key)
{
    const char *name = evaluation_key_name(key);

    return key == EVALUATION_SEED ? name : strchr(name, '.') + 1;
}

char *evaluation_words_add(char *text, const char *evaluation, const char *other)
{
    for (int k = 0; k < EVALUATION_KEY_COUNT && text != NULL; k++) {
        enum evaluation_key key = (enum evaluation_key)k;

        if (!evaluation_key_may_be_absent(key) && key != EVALUATION_SEED)
            continue;
        char *mine = evaluation_key_text(evaluation, key), *longer = NULL;
        int named = mine == NULL ? -1 : other == NULL ? 0 : differs(mine, key, other);

        if (named == 0 && (other == NULL || key != EVALUATION_TRAJECTORY))
            named = differs(mine, key, "{}");
        if (named > 0)
            longer = format_string("%s, %s %s", text, short_name(key), mine);
        if (named != 0) {
            free(text);
            text = longer;
        }
        free(mine);
    }
    return text;
}

char *evaluation_words_of(const struct result_row *row, const char *other)
{
    char voted[24] = "all";

    if (row->augmentations != 0)
        snprintf(voted, sizeof voted, "%lld", (long long)row->augmentations);
    return evaluation_words_add(format_string("infer %lld, voted %s%s%s",
                                              (long long)row->outer_steps, voted,
                                              row->act_inference ? ", ACT" : "",
                                              row->train_split ? ", train split" : ""),
                                row->evaluation, other);
}
