/* context_check.c - whether data have the contexts that the settings ask for. */
#include "context_check.h"

#include "data_set.h"
#include "error.h"
#include "settings.h"

int context_check(const struct data_info *info, const struct config *config, struct error *err)
{
    const char *word = config_choice(config, ARCH_CONDITIONING);
    const char *path = config_text(config, DATA_PATH);

    if (config_conditioning(config) < CONDITIONING_CONTEXT)
        return 0;
    if (info->most_demonstrations == 0)
        return error_set(err, ERROR_FORMAT,
                         "arch.conditioning = %s puts a task's demonstrations in front of its "
                         "tests, but data.path = %.200s (%.100s) has none beside its tests; "
                         "use files of ARC tasks or builtin:arc-style",
                         word, path, info->source);
    if (info->most_demonstrations > CONTEXT_MOST_DEMONSTRATIONS)
        return error_set(err, ERROR_FORMAT,
                         "arch.conditioning = %s: a task of data.path = %.200s has %d "
                         "demonstrations, expected at most %d; leave it out with data.tasks",
                         word, path, info->most_demonstrations, CONTEXT_MOST_DEMONSTRATIONS);
    return 0;
}
