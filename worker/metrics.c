/* metrics.c - sums and means of training steps. */
#include "metrics.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "error.h"
#include "json.h"

static const struct {
    const char *name;
    size_t offset;
} FIELDS[] = {
    { "steps", offsetof(struct metrics, steps) },
    { "rows", offsetof(struct metrics, rows) },
    { "target_rows", offsetof(struct metrics, target_rows) },
    { "lm_loss", offsetof(struct metrics, lm_loss) },
    { "q_halt_loss", offsetof(struct metrics, q_halt_loss) },
    { "q_continue_loss", offsetof(struct metrics, q_continue_loss) },
    { "count", offsetof(struct metrics, count) },
    { "accuracy", offsetof(struct metrics, accuracy) },
    { "exact_accuracy", offsetof(struct metrics, exact_accuracy) },
    { "q_halt_accuracy", offsetof(struct metrics, q_halt_accuracy) },
    { "outer_steps", offsetof(struct metrics, outer_steps) },
    { "lr", offsetof(struct metrics, lr) },
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

void metrics_add(struct metrics *metrics, const struct engine_result *result, int batch_rows)
{
    assert(batch_rows > 0);
    metrics->steps += 1.0;
    metrics->rows += batch_rows;
    metrics->lm_loss += result->lm_loss;
    metrics->q_halt_loss += result->q_halt_loss;
    if (result->has_target_q) {
        metrics->target_rows += batch_rows;
        metrics->q_continue_loss += result->q_continue_loss;
    }
    metrics->count += result->count;
    metrics->accuracy += result->accuracy;
    metrics->exact_accuracy += result->exact_accuracy;
    metrics->q_halt_accuracy += result->q_halt_accuracy;
    metrics->outer_steps += result->steps;
    metrics->lr = result->lr;
}

static bool add_mean(cJSON *values, const char *name, double sum, double count)
{
    return count <= 0.0 || cJSON_AddNumberToObject(values, name, sum / count) != NULL;
}

cJSON *metrics_values(const struct metrics *metrics)
{
    cJSON *values = cJSON_CreateObject();
    bool ok =
        values != NULL && add_mean(values, "train/lm_loss", metrics->lm_loss, metrics->rows) &&
        add_mean(values, "train/q_halt_loss", metrics->q_halt_loss, metrics->rows) &&
        add_mean(values, "train/q_continue_loss", metrics->q_continue_loss,
                 metrics->target_rows) &&
        add_mean(values, "train/accuracy", metrics->accuracy, metrics->count) &&
        add_mean(values, "train/exact_accuracy", metrics->exact_accuracy, metrics->count) &&
        add_mean(values, "train/q_halt_accuracy", metrics->q_halt_accuracy, metrics->count) &&
        add_mean(values, "train/steps", metrics->outer_steps, metrics->count) &&
        add_mean(values, "train/lr", metrics->lr, 1.0);

    if (ok)
        return values;
    cJSON_Delete(values);
    return NULL;
}

cJSON *metrics_to_json(const struct metrics *metrics)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = object != NULL;

    for (int i = 0; ok && i < FIELD_COUNT; i++) {
        const char *field = (const char *)metrics + FIELDS[i].offset;

        ok = cJSON_AddNumberToObject(object, FIELDS[i].name,
                                     *(const double *)(const void *)field) != NULL;
    }
    if (ok)
        return object;
    cJSON_Delete(object);
    return NULL;
}

int metrics_from_json(struct metrics *out, const cJSON *object, struct error *err)
{
    int rc = 0;

    *out = (struct metrics){ 0 };
    for (int i = 0; rc == 0 && i < FIELD_COUNT; i++) {
        char *field = (char *)out + FIELDS[i].offset;

        rc = json_get_real((double *)(void *)field, object, FIELDS[i].name, "metrics", err);
    }
    return rc;
}
