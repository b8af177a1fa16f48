/* evaluation_order.c - sorts evaluations by what their settings mean. */
#include "evaluation_order.h"

#include "settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct placed {
    int number;
    const char *text;
    double values[EVALUATION_KEY_COUNT];
};

double evaluation_value_place(enum evaluation_key key, const char *value)
{
    const struct setting *setting = &settings_table[evaluation_key_setting(key)];

    if (setting->type == SETTING_CHOICE) {
        for (int i = 0; setting->choices[i] != NULL; i++)
            if (strcmp(setting->choices[i], value) == 0)
                return i;
        return 0.0;
    }
    if (setting->type == SETTING_BOOL)
        return strcmp(value, "true") == 0;
    if (setting->word != NULL && strcmp(setting->word, value) == 0)
        return (double)INFINITY;
    return strtod(value, NULL);
}

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    for (int key = 0; key < EVALUATION_KEY_COUNT; key++)
        if (x->values[key] < y->values[key] || x->values[key] > y->values[key])
            return x->values[key] < y->values[key] ? -1 : 1;
    return strcmp(x->text, y->text);
}

static int read_values(struct placed *out, struct error *err)
{
    for (int i = 0; i < EVALUATION_KEY_COUNT; i++) {
        enum evaluation_key key = (enum evaluation_key)i;
        char *value = evaluation_key_text(out->text, key);

        if (value == NULL)
            return error_no_memory(err, "the order of evaluations");
        out->values[i] = evaluation_value_place(key, value);
        free(value);
    }
    return 0;
}

int evaluation_order(int *places, char *const *texts, int count, struct error *err)
{
    struct placed *list = calloc((size_t)count + 1, sizeof *list);
    int rc = list == NULL ? error_no_memory(err, "the order of evaluations") : 0;

    for (int i = 0; i < count && rc == 0; i++) {
        list[i] = (struct placed){ .number = i, .text = texts[i] };
        rc = read_values(&list[i], err);
    }
    if (rc == 0) {
        qsort(list, (size_t)count, sizeof *list, compare_placed);
        for (int i = 0; i < count; i++)
            places[list[i].number] = i;
    }
    free(list);
    return rc;
}
