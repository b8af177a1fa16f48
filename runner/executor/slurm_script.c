/* slurm_script.c - options of sbatch, the user's lines, and the worker with its
 * traps. */
#include "slurm_script.h"

#include "file.h"
#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text that grows. */
struct writer {
    char *text; /* owned */
    size_t size;
    FILE *out;
};

/* Quotes a word for the shell. */
static void put_quoted(FILE *out, const char *word)
{
    fputc('\'', out);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}

/* Writes "#SBATCH --name=value"; nothing where value is "". */
static int put_option(FILE *out, const char *name, const char *value, const char *where,
                      struct error *err)
{
    if (strpbrk(value, "\"\\\n\r") != NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: %.100s: quotes, backslashes and line breaks cannot stand in an "
                         "option of sbatch",
                         where, value);
    if (value[0] == '\0')
        return 0;
    fprintf(out, "#SBATCH --%s=", name);
    fprintf(out, strpbrk(value, " \t#;&") != NULL ? "\"%s\"\n" : "%s\n", value);
    return 0;
}

/* The path with each % doubled, which sbatch would replace. */
static int put_output(FILE *out, const char *directory, struct error *err)
{
    size_t length = strlen(directory), used = 0;
    char *path = calloc(2 * length + sizeof "/log", 1);

    if (path == NULL)
        return error_no_memory(err, "a path");
    for (const char *at = directory; *at != '\0'; at++) {
        path[used++] = *at;
        if (*at == '%')
            path[used++] = '%';
    }
    memcpy(path + used, "/log", sizeof "/log");
    int rc = put_option(out, "output", path, "the workspace", err);
    free(path);
    return rc;
}

/* Writes each text of a setting that has several, after the words before. */
static int put_texts(FILE *out, const struct config *config, enum setting_id id,
                     const char *before, struct error *err)
{
    cJSON *texts = config_get_texts(config, id);
    int rc = texts == NULL ? error_no_memory(err, settings_table[id].key) : 0;

    for (const cJSON *item = texts != NULL ? texts->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        const char *text = item->valuestring;
        if (before[0] != '\0')
            text += strspn(text, "-");
        if (strpbrk(text, "\n\r") != NULL)
            rc = error_set(err, ERROR_FORMAT, "%s: %.60s: a text must be one line",
                           settings_table[id].key, text);
        else if (text[0] != '\0')
            fprintf(out, "%s%s\n", before, text);
    }
    cJSON_Delete(texts);
    return rc;
}

static int put_options(FILE *out, const char *name, const char *directory,
                       const struct config *config, struct error *err)
{
    static const struct {
        enum setting_id id;
        const char *option;
    } words[] = { { SLURM_PARTITION, "partition" },
                  { SLURM_ACCOUNT, "account" },
                  { SLURM_QOS, "qos" },
                  { SLURM_CONSTRAINT, "constraint" } };
    int64_t cores = config_int(config, SLURM_CPUS_PER_TASK);
    int64_t minutes = config_int(config, SLURM_TIMEOUT_MIN);
    double mem_gb = config_real(config, SLURM_MEM_GB);
    int rc = put_option(out, "job-name", name, "the job's name", err);

    if (rc == 0)
        rc = put_option(out, "comment", name, "the job's name", err);
    if (rc == 0)
        rc = put_output(out, directory, err);
    if (cores == 0)
        cores = config_int(config, RESOURCES_THREADS);
    fprintf(out,
            "#SBATCH --open-mode=append\n#SBATCH --no-requeue\n#SBATCH --nodes=1\n"
            "#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=%lld\n#SBATCH --signal=B:USR1@%lld\n",
            (long long)cores, (long long)config_int(config, SLURM_SIGNAL_DELAY_S));
    if (minutes > 0)
        fprintf(out, "#SBATCH --time=%lld\n", (long long)minutes);
    if (mem_gb > 0.0)
        fprintf(out, "#SBATCH --mem=%.0fM\n", ceil(1024.0 * mem_gb));
    for (size_t i = 0; i < sizeof words / sizeof *words && rc == 0; i++)
        rc = put_option(out, words[i].option, config_text(config, words[i].id),
                        settings_table[words[i].id].key, err);
    return rc < 0 ? rc : put_texts(out, config, SLURM_ADDITIONAL_PARAMETERS, "#SBATCH --", err);
}

/* Bash's wait returns at each signal: it is called until the keeper is gone. */
static void put_worker(FILE *out, const char *program, const char *directory)
{
    put_quoted(out, program);
    fputs(" run ", out);
    put_quoted(out, directory);
    fputs(" &\nkeeper=$!\ntrap 'kill -TERM $keeper 2>/dev/null' TERM\ntrap ': >", out);
    /* within the quotes of the trap */
    fputs("\"$directory/" SLURM_WARNED_FILE "\"; kill -TERM $keeper 2>/dev/null' USR1\n", out);
    fputs("while kill -0 $keeper 2>/dev/null; do\n"
          "    wait $keeper\n"
          "done\n"
          "wait $keeper\n",
          out);
}

int slurm_script(char **out, const char *name, const char *program, const char *directory,
                 const struct config *config, struct error *err)
{
    struct writer writer = { 0 };
    int rc;

    *out = NULL;
    writer.out = open_memstream(&writer.text, &writer.size);
    if (writer.out == NULL)
        return error_no_memory(err, "a batch script");
    fputs("#!/bin/bash\n", writer.out);
    rc = put_options(writer.out, name, directory, config, err);
    fputs("directory=", writer.out);
    put_quoted(writer.out, directory);
    fputc('\n', writer.out);
    if (rc == 0)
        rc = put_texts(writer.out, config, SLURM_SETUP, "", err);
    put_worker(writer.out, program, directory);
    bool failed = ferror(writer.out) != 0;
    failed = fclose(writer.out) != 0 || failed;
    if (failed) {
        free(writer.text);
        return error_no_memory(err, "a batch script");
    }
    if (rc < 0)
        free(writer.text);
    else
        *out = writer.text;
    return rc;
}
