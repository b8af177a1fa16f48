/* predictions_name.c - recognises files of predictions. */
#include "predictions_name.h"

#include <string.h>

bool predictions_name_has(const char *name, const char *prefix)
{
    static const char END[] = ".safetensors";
    size_t length = strlen(name), end = sizeof END - 1;

    return length > end && strncmp(name, prefix, strlen(prefix)) == 0 &&
           strcmp(name + length - end, END) == 0;
}

bool predictions_name_is(const char *name)
{
    return predictions_name_has(name, PREDICTIONS_PREFIX) ||
           predictions_name_has(name, STEP_ANSWERS_PREFIX);
}
