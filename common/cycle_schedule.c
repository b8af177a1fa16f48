/* cycle_schedule.c - cycles that change in the course of a training. */
#include "cycle_schedule.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static const int CYCLES_MOST = 64;

/* Reads one stage that ends later than `begins`. false: it is none. */
static bool read_stage(struct cycle_stage *out, const cJSON *item, double begins)
{
    const cJSON *until = cJSON_GetObjectItemCaseSensitive(item, "until");
    const cJSON *cycles[] = { cJSON_GetObjectItemCaseSensitive(item, "H_cycles"),
                              cJSON_GetObjectItemCaseSensitive(item, "L_cycles") };
    int *const values[] = { &out->H_cycles, &out->L_cycles };

    if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 3 || !cJSON_IsNumber(until) ||
        !(until->valuedouble > begins) || until->valuedouble > 1.0)
        return false;
    out->until = until->valuedouble;
    for (int i = 0; i < 2; i++) {
        if (!cJSON_IsNumber(cycles[i]) || !(cycles[i]->valuedouble >= 1.0) ||
            cycles[i]->valuedouble > CYCLES_MOST ||
            trunc(cycles[i]->valuedouble) < cycles[i]->valuedouble)
            return false;
        *values[i] = (int)cycles[i]->valuedouble;
    }
    return true;
}

int cycle_schedule_read(struct cycle_schedule *out, const cJSON *list, const char *where,
                        const char *key, struct error *err)
{
    const cJSON *item;
    double begins = 0.0;

    *out = (struct cycle_schedule){ 0 };
    cJSON_ArrayForEach(item, list)
    {
        if (out->count == CYCLE_STAGES_MOST ||
            !read_stage(&out->stages[out->count], item, begins))
            return error_set(
                err, ERROR_FORMAT,
                "%s: %s: item %d: expected at most %d stages {\"until\": share, "
                "\"H_cycles\": 1 to %d, \"L_cycles\": 1 to %d}, their shares of the "
                "training ascending to 1",
                where, key, out->count + 1, CYCLE_STAGES_MOST, CYCLES_MOST, CYCLES_MOST);
        begins = out->stages[out->count++].until;
    }
    if (!cJSON_IsArray(list) || (out->count > 0 && begins < 1.0))
        return error_set(
            err, ERROR_FORMAT,
            "%s: %s: expected a list of stages, the last one with \"until\": 1, such "
            "as [{\"until\": 0.5, \"H_cycles\": 1, \"L_cycles\": 1}, {\"until\": 1, "
            "\"H_cycles\": 2, \"L_cycles\": 2}]",
            where, key);
    return 0;
}

int cycle_schedule_parse(struct cycle_schedule *out, const char *text, struct error *err)
{
    cJSON *list;

    *out = (struct cycle_schedule){ 0 };
    if (text[0] == '\0')
        return 0;
    list = cJSON_Parse(text);
    if (list == NULL)
        return error_no_memory(err, "the schedule of cycles");
    int rc = cycle_schedule_read(out, list, "settings", "train.cycle_schedule", err);
    cJSON_Delete(list);
    return rc;
}

const struct cycle_stage *cycle_schedule_at(const struct cycle_schedule *schedule, int64_t done,
                                            int64_t total)
{
    for (int i = 0; i < schedule->count; i++)
        if (i == schedule->count - 1 ||
            (double)done < schedule->stages[i].until * (double)total)
            return &schedule->stages[i];
    return NULL;
}
