/*
 * settings_inactive.c - which setting makes another one inactive, found by trying other
 * values of it.
 */
#include "settings.h"

#include "error.h"

#include <stdio.h>

enum { MOST_TRIED = 32 }; /* values of one setting */

/* Whether id would be active if setting other had any of the values given. */
static bool is_active_with(struct config *config, int id, int other, const double *numbers,
                           int count)
{
    union setting_value before = config->values[other];
    bool active = false;

    for (int i = 0; i < count && !active; i++) {
        if (settings_table[other].type == SETTING_REAL)
            config->values[other].real = numbers[i];
        else
            config->values[other].integer = (int64_t)numbers[i];
        active = config_active(config, id);
    }
    config->values[other] = before;
    return active;
}

/* The same for a text: what the built-in data and folders are called. */
static bool is_active_with_text(struct config *config, int id, int other)
{
    char texts[][16] = { "builtin:sudoku", "folder" };
    char initial[SETTING_TEXT_SIZE];
    char *before = config->values[other].text;
    bool active = false;

    snprintf(initial, sizeof initial, "%s", settings_table[other].default_text);
    config->values[other].text = initial;
    active = config_active(config, id);
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !active; i++) {
        config->values[other].text = texts[i];
        active = config_active(config, id);
    }
    config->values[other].text = before;
    return active;
}

/* Whether id would be active if only setting other had another value. */
static bool is_active_without(struct config *config, int id, int other)
{
    const struct setting *setting = &settings_table[other];
    double least = setting->minimum;
    double numbers[MOST_TRIED] = { least, least + 1, least + 2, setting->maximum };
    int count = 4;

    for (int i = 0; setting->choices != NULL && setting->choices[i] != NULL; i++) {
        if (i == MOST_TRIED)
            break;
        numbers[i] = i;
        count = i + 1;
    }
    return setting->type == SETTING_TEXT ? is_active_with_text(config, id, other)
                                         : is_active_with(config, id, other, numbers, count);
}

int config_inactive_because(const struct config *config, int id)
{
    struct config changed;
    struct error ignored;
    int found = -1;

    if (config_active(config, id) || config_copy(&changed, config, &ignored) < 0)
        return -1;
    for (int pass = 0; pass < 2; pass++) /* first what is not as published */
        for (int other = 0; other < SETTING_COUNT && found < 0; other++)
            if (other != id && (pass == 1 || config_differs(config, other)) &&
                is_active_without(&changed, id, other))
                found = other;
    config_release(&changed);
    return found;
}
