/* baseline.c - the copy baseline of each split in use. */
#include "baseline.h"

#include <stdbool.h>

#include "error.h"
#include "job.h"
#include "report.h"
#include "scores.h"

static int say(const struct data_set *set, enum data_split split, struct report *report,
               struct error *err)
{
    struct score_result result = { 0 };
    int rc = scores_copy_baseline(set, split, &result, err);
    cJSON *body;

    if (rc < 0 || result.rows == 0) /* hidden tests: nothing to compare with */
        return rc;
    body = cJSON_CreateObject();
    bool ok =
        cJSON_AddStringToObject(body, "name", "copy") != NULL &&
        cJSON_AddStringToObject(body, "split", split == SPLIT_TEST ? "test" : "train") != NULL;
    for (int i = 0; ok && i < METRIC_RECORDED; i++)
        ok = !METRICS[i].of_copy ||
             cJSON_AddNumberToObject(body, METRICS[i].name, result.values[i]) != NULL;
    if (!ok) {
        cJSON_Delete(body);
        body = NULL;
    }
    return report_event(report, "baseline", body, true, err);
}

int baseline_say(const struct job *job, const struct data_set *set, struct report *report,
                 struct error *err)
{
    bool train = false;
    int rc = 0;

    for (int i = 0; i < job->evaluation_count; i++)
        train = train || job->evaluations[i].train_split;
    if (data_set_row_count(set, SPLIT_TEST) > 0)
        rc = say(set, SPLIT_TEST, report, err);
    if (rc == 0 && train)
        rc = say(set, SPLIT_TRAIN, report, err);
    return rc;
}
