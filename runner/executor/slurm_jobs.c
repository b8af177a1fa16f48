/* slurm_jobs.c - reads lists of jobs; the table of states. */
#include "slurm_jobs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct slurm_state STATES[] = {
    { "PENDING", SLURM_WAITING, OUTCOME_NONE },
    { "CONFIGURING", SLURM_WAITING, OUTCOME_NONE },
    { "REQUEUED", SLURM_WAITING, OUTCOME_NONE },
    { "REQUEUE_FED", SLURM_WAITING, OUTCOME_NONE },
    { "REQUEUE_HOLD", SLURM_WAITING, OUTCOME_NONE },
    { "RESV_DEL_HOLD", SLURM_WAITING, OUTCOME_NONE },
    { "SPECIAL_EXIT", SLURM_WAITING, OUTCOME_NONE },
    { "STOPPED", SLURM_SUSPENDED, OUTCOME_NONE },
    { "SUSPENDED", SLURM_SUSPENDED, OUTCOME_NONE },
    { "RUNNING", SLURM_RUNNING, OUTCOME_NONE },
    { "COMPLETING", SLURM_RUNNING, OUTCOME_NONE },
    { "RESIZING", SLURM_RUNNING, OUTCOME_NONE },
    { "SIGNALING", SLURM_RUNNING, OUTCOME_NONE },
    { "STAGE_OUT", SLURM_RUNNING, OUTCOME_NONE },
    { "COMPLETED", SLURM_OVER, OUTCOME_NONE },
    { "FAILED", SLURM_OVER, OUTCOME_NONE },
    { "REVOKED", SLURM_OVER, OUTCOME_NONE },
    { "BOOT_FAIL", SLURM_OVER, OUTCOME_NODE_FAILURE },
    { "NODE_FAIL", SLURM_OVER, OUTCOME_NODE_FAILURE },
    { "CANCELLED", SLURM_OVER, OUTCOME_CANCELLED },
    { "DEADLINE", SLURM_OVER, OUTCOME_TIME_LIMIT },
    { "OUT_OF_MEMORY", SLURM_OVER, OUTCOME_OUT_OF_MEMORY },
    { "PREEMPTED", SLURM_OVER, OUTCOME_PREEMPTED },
    { "TIMEOUT", SLURM_OVER, OUTCOME_JOB_TIME_OUT },
    { "", SLURM_UNKNOWN, OUTCOME_NONE },
};

const struct slurm_state *slurm_state_find(const char *name)
{
    const struct slurm_state *state = STATES;
    size_t length = strcspn(name, " +");

    while (state->phase != SLURM_UNKNOWN &&
           (strlen(state->name) != length || memcmp(state->name, name, length) != 0))
        state++;
    return state;
}

/* Reads [DAYS-][HOURS:]MINUTES:SECONDS; 0 for anything else ("INVALID"). */
static double read_age(const char *text)
{
    const char *dash = strchr(text, '-');
    double age = 0.0, days = dash != NULL ? strtod(text, NULL) : 0.0;

    for (const char *at = dash != NULL ? dash + 1 : text; *at != '\0';) {
        char *end;
        age = 60.0 * age + (double)strtol(at, &end, 10);
        if (end == at || (*end != ':' && *end != '\0'))
            return 0.0;
        at = *end == ':' ? end + 1 : end;
    }
    return age + 86400.0 * days;
}

/* Splits the line at '|' into at most most fields; the last one is the rest. */
static int split(char **fields, int most, char *line)
{
    int count = 0;

    for (char *at = line; at != NULL && count < most;) {
        char *bar = count + 1 < most ? strchr(at, '|') : NULL;
        fields[count++] = at;
        if (bar != NULL)
            *bar++ = '\0';
        at = bar;
    }
    return count;
}

/* 12, 12_3 or, of tasks of an array that wait, 12_[3-9]. */
static bool is_id(const char *text)
{
    return isdigit((unsigned char)text[0]) != 0 && strlen(text) > 0;
}

static bool read_job(struct slurm_job *job, char *line, bool past)
{
    char none[1] = "", *fields[5] = { none, none, none, none, none };
    int wanted = past ? 4 : 5;

    *job = (struct slurm_job){ 0 };
    if (split(fields, wanted, line) != wanted || !is_id(fields[0]) ||
        !isupper((unsigned char)fields[1][0]))
        return false;
    snprintf(job->id, sizeof job->id, "%s", fields[0]);
    job->state = slurm_state_find(fields[1]);
    const char *nodes = fields[past ? 2 : 3];
    job->age_s = past ? 0.0 : read_age(fields[2]);
    snprintf(job->nodes, sizeof job->nodes, "%s",
             strcmp(nodes, "None assigned") != 0 ? nodes : "");
    snprintf(job->name, sizeof job->name, "%s", fields[past ? 3 : 4]);
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    const struct slurm_job *x = a, *y = b;

    return strcmp(x->id, y->id);
}

int slurm_jobs_read(struct slurm_jobs *out, const char *text, bool past, struct error *err)
{
    const char *end = past ? "\n" : SLURM_QUEUE_END;
    char *copy = strdup(text), *at = copy;
    size_t lines = 1;
    int rc = 0;

    for (const char *line = text; *line != '\0'; line++)
        lines += *line == '\n';
    *out = (struct slurm_jobs){ .items = calloc(lines, sizeof *out->items) };
    if (copy == NULL || out->items == NULL)
        rc = error_no_memory(err, "the list of jobs");
    while (rc == 0 && *at != '\0') {
        char shown[60], *next = strstr(at, end);

        snprintf(shown, sizeof shown, "%.*s", (int)strcspn(at, "\n"), at);
        if (next != NULL)
            *next = '\0';
        if (next == NULL || !read_job(&out->items[out->count++], at, past))
            rc = error_set(err, ERROR_FORMAT, "\"%s\": expected a job, its state and more%s",
                           shown, " between bars");
        else
            at = next + strlen(end);
    }
    free(copy);
    if (rc < 0)
        slurm_jobs_release(out);
    else
        qsort(out->items, (size_t)out->count, sizeof *out->items, compare_ids);
    return rc;
}

void slurm_jobs_release(struct slurm_jobs *jobs)
{
    free(jobs->items);
    *jobs = (struct slurm_jobs){ 0 };
}

/* Whether the id, of several elements of an array ("12_[3,5-9:2%2]"), is that of this
 * one, too ("12_7"). */
static bool covers(const char *ids, const char *id)
{
    const char *at = strstr(ids, "_["), *element = strchr(id, '_');

    if (at == NULL || element == NULL || at - ids != element - id ||
        strncmp(ids, id, (size_t)(at - ids)) != 0)
        return false;
    long number = strtol(element + 1, NULL, 10);
    for (at += 2; isdigit((unsigned char)*at) != 0; at += *at == ',') {
        char *end;
        long first = strtol(at, &end, 10), last = first, step = 1;

        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (*end == ':')
            step = strtol(end + 1, &end, 10);
        if (number >= first && number <= last && step > 0 && (number - first) % step == 0)
            return true;
        at = end;
    }
    return false;
}

const struct slurm_job *slurm_jobs_find(const struct slurm_jobs *jobs, const char *id)
{
    struct slurm_job wanted = { 0 }, *found = NULL;

    snprintf(wanted.id, sizeof wanted.id, "%s", id);
    if (jobs->count > 0)
        found = bsearch(&wanted, jobs->items, (size_t)jobs->count, sizeof wanted, compare_ids);
    for (int i = 0; i < jobs->count && found == NULL; i++)
        if (covers(jobs->items[i].id, id))
            found = &jobs->items[i];
    return found;
}

const struct slurm_job *slurm_jobs_find_named(const struct slurm_jobs *jobs, const char *name,
                                              int number)
{
    size_t length = strlen(name);

    for (int i = 0; i < jobs->count && length > 0; i++) {
        const struct slurm_job *job = &jobs->items[i];
        const char *part = job->name + length, *element = strchr(job->id, '_');
        char *end;

        if (strncmp(job->name, name, length) != 0 || *part != '.')
            continue;
        long first = strtol(part + 1, &end, 10);
        if (*end == '\0' && first + (element != NULL ? atol(element + 1) : 0) == number)
            return job;
    }
    return NULL;
}

bool slurm_ended_for_memory(const char *log, long number)
{
    static const char words[] = " exceeded memory limit";

    for (const char *at = log; (at = strstr(at, words)) != NULL; at++) {
        const char *word = at;

        while (word > log && isspace((unsigned char)word[-1]) == 0 && word[-1] != '=')
            word--;
        if (number > 0 && strtol(word, NULL, 10) == number)
            return true;
    }
    return false;
}

bool slurm_was_put_back(const char *text, const char *id)
{
    char job[41];
    int count;

    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');

        if (sscanf(line, "%40s %9d", job, &count) == 2 && strcmp(job, id) == 0)
            return count > 0;
        line = end != NULL ? end + 1 : NULL;
    }
    return false;
}

bool slurm_read_job_id(char out[32], const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 20 || strchr(";\n", text[digits]) == NULL)
        return false;
    snprintf(out, 32, "%.*s", (int)digits, text);
    return true;
}
