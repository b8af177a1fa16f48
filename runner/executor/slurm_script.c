/* slurm_script.c - options of sbatch, the user's lines, and the workers one after the
 * other, with their traps. */
#include "slurm_script.h"

#include "file.h"
#include "settings.h"
#include "shell_word.h"
#include "slurm_parameters.h"
#include "text_stream.h"

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

static int64_t cores_of_rank(const struct config *config)
{
    int64_t cores = config_int(config, SLURM_CPUS_PER_TASK);

    return cores > 0 ? cores : config_int(config, RESOURCES_THREADS);
}

int slurm_script_cores(const struct config *config)
{
    return (int)(cores_of_rank(config) * config_int(config, RESOURCES_RANKS));
}

static int put_options(FILE *out, const struct config *config, struct error *err)
{
    static const struct {
        enum setting_id id;
        const char *option;
    } words[] = { { SLURM_PARTITION, "partition" },
                  { SLURM_ACCOUNT, "account" },
                  { SLURM_QOS, "qos" },
                  { SLURM_CONSTRAINT, "constraint" } };
    int64_t ranks = config_int(config, RESOURCES_RANKS);
    int64_t minutes = config_int(config, SLURM_TIMEOUT_MIN);
    double mem_gb = config_real(config, SLURM_MEM_GB);
    int rc = 0;

    fprintf(
        out,
        "#SBATCH --open-mode=append\n#SBATCH --no-requeue\n%s"
        "#SBATCH --ntasks=%lld\n#SBATCH --cpus-per-task=%lld\n#SBATCH --signal=B:USR1@%lld\n",
        ranks == 1 ? "#SBATCH --nodes=1\n" : "", (long long)ranks,
        (long long)cores_of_rank(config), (long long)config_int(config, SLURM_SIGNAL_DELAY_S));
    if (minutes > 0)
        fprintf(out, "#SBATCH --time=%lld\n", (long long)minutes);
    if (mem_gb > 0.0)
        fprintf(out, "#SBATCH --mem=%.0fM\n", ceil(1024.0 * mem_gb));
    for (size_t i = 0; i < sizeof words / sizeof *words && rc == 0; i++)
        rc = put_option(out, words[i].option, config_text(config, words[i].id),
                        settings_table[words[i].id].key, err);
    return rc < 0 ? rc : slurm_parameters_put(out, config, err);
}

/* Which attempts are this job's. Their logs tell that the job has begun
 * (slurm_script_has_begun()); what is printed goes to that of the first. */
static const char BEGINNING[] = "first=$(((${1:-0} + ${SLURM_ARRAY_TASK_ID:-0}) * per_job))\n"
                                "for attempt in \"${attempts[@]:first:per_job}\"; do\n"
                                "    : >>\"$runs/$attempt/log\"\n"
                                "done\n"
                                "exec >>\"$runs/${attempts[first]}/log\" 2>&1\n";

/* The signals, and the attempts one after the other. Bash's wait returns at each
 * signal: it is called until the keeper is gone. Its status then is that of the
 * signal, which must not end the script where the user's lines have said "set -e". A
 * keeper that has only just been started may not be ready for a signal. */
static const char LOOP[] =
    "set +e\n"
    "leaving= directory= keeper=\n"
    "end() {\n"
    "    [ -z \"$keeper\" ] || kill -\"$1\" \"$keeper\" 2>/dev/null\n"
    "}\n"
    "on_term() { # from the runner: this attempt; from Slurm: the job\n"
    "    if [ -e \"$directory/slurm.kill\" ]; then\n"
    "        end KILL\n"
    "    else\n"
    "        [ -e \"$directory/slurm.stop\" ] || leaving=yes\n"
    "        end TERM\n"
    "    fi\n"
    "}\n"
    "on_warning() { # the time limit is near\n"
    "    leaving=yes\n"
    "    [ -z \"$keeper\" ] || : >\"$directory/slurm.warned\"\n"
    "    end TERM\n"
    "}\n"
    "trap on_term TERM\n"
    "trap on_warning USR1\n"
    "for attempt in \"${attempts[@]:first:per_job}\"; do\n"
    "    directory=$runs/$attempt\n"
    "    if [ -n \"$leaving\" ]; then\n"
    "        mv \"$directory/slurm.place\" \"$directory/slurm.left\" 2>/dev/null\n"
    "        continue\n"
    "    fi\n"
    "    mv \"$directory/slurm.place\" \"$directory/slurm.begun\" 2>/dev/null || continue\n"
    "    echo \" number ${SLURM_JOB_ID:-0}\" >>\"$directory/slurm.begun\"\n"
    "    \"$program\" $ranks run \"$directory\" >>\"$directory/log\" 2>&1 &\n"
    "    keeper=$!\n"
    "    if [ -n \"$leaving\" ] || [ -e \"$directory/slurm.stop\" ]; then\n"
    "        sleep 1\n"
    "        end TERM\n"
    "    fi\n"
    "    while kill -0 \"$keeper\" 2>/dev/null; do\n"
    "        wait \"$keeper\"\n"
    "    done\n"
    "    wait \"$keeper\"\n"
    "    status=$?\n"
    "    keeper=\n"
    "    [ -n \"$leaving\" ] || mv \"$directory/slurm.begun\" \"$directory/slurm.over\"\n"
    "done\n"
    "exit \"${status:-0}\"\n";

/* Writes the user's lines. */
static int put_setup(FILE *out, const struct config *config, struct error *err)
{
    cJSON *lines = config_get_texts(config, SLURM_SETUP);
    int rc = lines == NULL ? error_no_memory(err, "slurm.setup") : 0;

    for (const cJSON *item = lines != NULL ? lines->child : NULL; item != NULL && rc == 0;
         item = item->next)
        if (strpbrk(item->valuestring, "\n\r") != NULL)
            rc = error_set(err, ERROR_FORMAT, "slurm.setup: %.60s: a text must be one line",
                           item->valuestring);
        else if (item->valuestring[0] != '\0')
            fprintf(out, "%s\n", item->valuestring);
    cJSON_Delete(lines);
    return rc;
}

static int put_body(FILE *out, const char *program, const struct config *config,
                    struct error *err)
{
    fprintf(out, "per_job=%lld\nprogram=", (long long)config_int(config, SLURM_RUNS_PER_JOB));
    shell_put_word(out, program);
    int64_t ranks = config_int(config, RESOURCES_RANKS);
    /* srun takes no cores per task from the job that it is called in */
    if (ranks > 1)
        fprintf(out,
                "\nranks=--ranks=%lld\nexport SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}\n",
                (long long)ranks);
    else
        fputs("\nranks=\n", out);
    fputs(BEGINNING, out);
    int rc = put_setup(out, config, err);
    fputs(LOOP, out);
    return rc;
}

/* ---- the whole ---- */

static int writer_open(struct writer *writer, struct error *err)
{
    *writer = (struct writer){ 0 };
    writer->out = text_stream_open(&writer->text, &writer->size);
    return writer->out == NULL ? error_no_memory(err, "a batch script") : 0;
}

/* *out: the text; after an error (rc, or one of the stream) NULL. */
static int writer_close(char **out, struct writer *writer, int rc, struct error *err)
{
    if (fclose(writer->out) != 0 && rc == 0)
        rc = error_no_memory(err, "a batch script");
    *out = rc == 0 ? writer->text : NULL;
    if (rc < 0)
        free(writer->text);
    return rc;
}

int slurm_script_make(struct slurm_script *out, const char *program,
                      const struct config *config, struct error *err)
{
    struct writer writer;
    int rc = writer_open(&writer, err);

    *out = (struct slurm_script){ .per_job = (int)config_int(config, SLURM_RUNS_PER_JOB),
                                  .parallelism =
                                      (int)config_int(config, SLURM_ARRAY_PARALLELISM) };
    if (rc == 0)
        rc = writer_close(&out->options, &writer, put_options(writer.out, config, err), err);
    if (rc == 0)
        rc = writer_open(&writer, err);
    if (rc == 0)
        rc = writer_close(&out->body, &writer, put_body(writer.out, program, config, err), err);
    if (rc < 0)
        slurm_script_release(out);
    return rc;
}

bool slurm_script_same(const struct slurm_script *a, const struct slurm_script *b)
{
    return a->parallelism == b->parallelism && (a->wait_s > 0) == (b->wait_s > 0) &&
           strcmp(a->options, b->options) == 0 && strcmp(a->body, b->body) == 0;
}

int slurm_script_text(char **out, const struct slurm_script *script, const char *runs,
                      char *const *attempts, int count, struct error *err)
{
    struct writer writer;
    int rc = writer_open(&writer, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    fputs("#!/bin/bash\n", writer.out);
    if (script->wait_s > 0)
        fprintf(writer.out, "#SBATCH --begin=now+%d\n", script->wait_s);
    fprintf(writer.out, "%sruns=", script->options);
    shell_put_word(writer.out, runs);
    fputs("\nattempts=(\n", writer.out);
    for (int i = 0; i < count; i++) {
        shell_put_word(writer.out, attempts[i]);
        fputc('\n', writer.out);
    }
    fprintf(writer.out, ")\n%s", script->body);
    return writer_close(out, &writer, rc, err);
}

void slurm_script_release(struct slurm_script *script)
{
    free(script->options);
    free(script->body);
    *script = (struct slurm_script){ 0 };
}
