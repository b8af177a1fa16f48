/* slurm_environment.c - drops variables that are options of Slurm's client programs. */
#include "slurm_environment.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Options that a user prefers for lists of his own would hide jobs, which would count
 * as lost then, or spare them when they are cancelled. */
static const char *const FILTERS[] = {
    "SQUEUE_", "SACCT_", "SCANCEL_", "SCONTROL_",
    /* of a job that the runner itself is part of: a job that is no array would take
     * itself for its element */
    "SLURM_ARRAY_"
};

/* An array where none is meant, jobs that no list has, a sbatch that does not return, a
 * job that is started again, or goes on after a node has failed. */
static const char *const BREAKING[] = { "SBATCH_ARRAY_INX", "SBATCH_CLUSTERS", "SBATCH_WAIT",
                                        "SBATCH_REQUEUE", "SBATCH_NO_KILL" };

/* Options whose variables have other names, or that exclude others. */
static const struct {
    const char *option, *variable;
} RENAMED[] = { { "time", "SBATCH_TIMELIMIT" },
                { "mem", "SBATCH_MEM_PER_NODE" },
                { "mem", "SBATCH_MEM_PER_CPU" },
                { "mem", "SBATCH_MEM_PER_GPU" },
                { "switches", "SBATCH_REQ_SWITCH" } };

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether the variable, of so many bytes, is that of the option: SBATCH_OPEN_MODE of
 * open-mode. */
static bool is_variable_of(const char *variable, size_t length, const char *option,
                           size_t option_length)
{
    static const char prefix[] = "SBATCH_";
    const size_t head = sizeof prefix - 1;
    size_t same = 0;

    for (size_t i = 0; i < sizeof RENAMED / sizeof *RENAMED; i++)
        if (strlen(RENAMED[i].option) == option_length &&
            strncmp(RENAMED[i].option, option, option_length) == 0 &&
            strlen(RENAMED[i].variable) == length &&
            strncmp(RENAMED[i].variable, variable, length) == 0)
            return true;
    if (length != head + option_length || !begins_with(variable, prefix))
        return false;
    while (same < option_length &&
           variable[head + same] ==
               (option[same] == '-' ? '_' : toupper((unsigned char)option[same])))
        same++;
    return same == option_length;
}

/* Whether one of the options is that of the variable. */
static bool is_named(const char *variable, size_t length, const char *options)
{
    static const char before[] = "#SBATCH --";

    for (const char *line = options; *line != '\0';) {
        const char *option = line + sizeof before - 1;

        if (begins_with(line, before) &&
            is_variable_of(variable, length, option, strcspn(option, "= \t\n")))
            return true;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return false;
}

static bool is_dropped(const char *entry, const char *options)
{
    size_t length = strcspn(entry, "=");

    for (size_t i = 0; i < sizeof FILTERS / sizeof *FILTERS; i++)
        if (begins_with(entry, FILTERS[i]))
            return true;
    for (size_t i = 0; i < sizeof BREAKING / sizeof *BREAKING; i++)
        if (length == strlen(BREAKING[i]) && begins_with(entry, BREAKING[i]))
            return true;
    return is_named(entry, length, options);
}

char **slurm_environment(const char *options)
{
    size_t count = 0, kept = 0;

    while (environ != NULL && environ[count] != NULL)
        count++;
    char **out = calloc(count + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < count; i++)
        if (!is_dropped(environ[i], options))
            out[kept++] = environ[i];
    return out;
}
