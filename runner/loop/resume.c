/* resume.c - finds the checkpoints before which the database has all events. */
#include "resume.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

/* One attempt: the last step whose checkpoint may be resumed from. */
struct place {
    int attempt;
    int64_t step;
};

struct places {
    struct place *items; /* owned; by attempt */
    int count;
    int highest_known; /* highest number of an earlier attempt in the database, or 0 */
};

static bool is_covered(const struct places *places, int attempt, int64_t step)
{
    for (int i = 0; i < places->count; i++)
        if (places->items[i].attempt == attempt)
            return step <= places->items[i].step;
    return false;
}

/* Reads the part of the attempt's journal that is in the database. If a power
 * failure damaged the journal, the lines before the damage are valid. */
static int add_place(struct places *places, const struct record_attempt *attempt,
                     const char *workspace, struct error *err)
{
    struct recorder recorder;
    int rc = recorder_init(&recorder, attempt, workspace, err);

    if (rc == 0)
        rc = recorder_restore(&recorder, err);
    if (rc == 0 && recorder.checkpoint_step >= 0 &&
        (recorder.resume.attempt == 0 ||
         is_covered(places, recorder.resume.attempt, recorder.resume.step)))
        places->items[places->count++] =
            (struct place){ attempt->number, recorder.checkpoint_step };
    recorder_release(&recorder);
    return rc;
}

/* Finds the places in the run's attempts below that number. items is the caller's to
 * free. */
static int find_places(struct places *out, struct store *store, const char *workspace,
                       int64_t run_id, int below, struct error *err)
{
    struct record_attempt *attempts = NULL;
    int count = 0;
    int rc = record_run_attempts(store, &attempts, &count, run_id, err);

    *out = (struct places){ 0 };
    if (rc == 0) {
        out->items = calloc((size_t)count + 1, sizeof *out->items);
        if (out->items == NULL)
            rc = error_set(err, ERROR_NOMEM, "no memory for the list of checkpoints");
    }
    for (int i = 0; i < count && rc == 0 && attempts[i].number < below; i++) {
        out->highest_known = attempts[i].number;
        if (attempts[i].state == ATTEMPT_ENDED)
            rc = add_place(out, &attempts[i], workspace, err);
    }
    free(attempts);
    return rc;
}

int resume_add(cJSON *job_json, bool *unknown, struct store *store, const char *workspace,
               const struct record_attempt *attempt, struct error *err)
{
    struct places places;
    int rc = find_places(&places, store, workspace, attempt->run_id, attempt->number, err);
    cJSON *list = rc == 0 ? cJSON_AddArrayToObject(job_json, "resume") : NULL;

    for (int i = 0; i < places.count && list != NULL; i++) {
        cJSON *item = cJSON_CreateObject();
        bool added =
            cJSON_AddNumberToObject(item, "attempt", places.items[i].attempt) != NULL &&
            cJSON_AddNumberToObject(item, "step", (double)places.items[i].step) != NULL &&
            cJSON_AddItemToArray(list, item);
        if (!added) {
            cJSON_Delete(item);
            list = NULL;
        }
    }
    if (rc == 0 && list == NULL)
        rc = error_set(err, ERROR_NOMEM, "no memory for a job");
    *unknown = attempt->number > places.highest_known + 1;
    free(places.items);
    return rc;
}

int resume_is_recorded(bool *out, struct store *store, const char *workspace,
                       const struct recorder *recorder, struct error *err)
{
    const struct record_attempt *attempt = &recorder->attempt;
    struct places places;

    *out = true;
    if (recorder->resume.attempt == 0)
        return 0;
    int rc = find_places(&places, store, workspace, attempt->run_id, attempt->number, err);
    *out = rc == 0 && is_covered(&places, recorder->resume.attempt, recorder->resume.step);
    free(places.items);
    return rc;
}
