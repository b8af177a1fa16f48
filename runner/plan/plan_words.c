/* plan_words.c - the warnings that a plan gives rise to. */
#include "plan_words.h"

#include "json.h"
#include "log.h"

#include <string.h>

void plan_tell_of_dropped(const struct plan *plan)
{
    for (int i = 0; i < plan->dropped_count; i++) {
        const struct plan_dropped *dropped = &plan->dropped[i];
        int count = 0;
        bool told = false;

        for (int k = 0; k < plan->dropped_count; k++) {
            bool same = strcmp(plan->dropped[k].reason, dropped->reason) == 0;
            told = told || (same && k < i);
            count += same;
        }
        if (!told)
            log_warning("%d %s left out, first of arm %s: %s", count,
                        count == 1 ? "evaluation is" : "evaluations are",
                        plan->spec->arms[dropped->arm].label, dropped->reason);
    }
}

/* How many arms the setting changes something in. */
static int count_active(const struct spec *spec, int id)
{
    int count = 0;

    for (int a = 0; a < spec->arm_count; a++)
        count += config_active(&spec->arms[a].config, id);
    return count;
}

static void tell_of_axis(const struct spec *spec, const char *key)
{
    int id = setting_find(key);

    if (id < 0)
        return;
    int active = count_active(spec, id);
    if (settings_table[id].phase == PHASE_EXECUTION)
        log_warning("the axis %s is no axis of results: it changes how a run is executed, so "
                    "that its values fall together into one run; put it into \"set\"",
                    key);
    else if (active == 0)
        log_warning("the axis %s changes nothing: other settings make it inactive in every "
                    "arm, so that its values fall together (hrmlab axes says when)",
                    key);
    else if (active < spec->arm_count && spec->collapsed_count > 0)
        log_warning("the axis %s changes nothing in %d of %d arms, where other settings make "
                    "it inactive; cells that differ in it alone are one arm there",
                    key, spec->arm_count - active, spec->arm_count);
}

static void tell_of_axes(const struct spec *spec, const cJSON *map)
{
    for (const cJSON *axis = map != NULL ? map->child : NULL; axis != NULL; axis = axis->next)
        if (axis->string != NULL)
            tell_of_axis(spec, axis->string);
}

void plan_tell_of_inactive_axes(const struct plan *plan)
{
    const struct spec *spec = plan->spec;
    struct error ignored;
    cJSON *merged;

    if (json_parse(&merged, spec->resolved, strlen(spec->resolved), spec->name, &ignored) < 0)
        return; /* out of memory: a warning less */
    const cJSON *zips = json_member(merged, "zip");
    tell_of_axes(spec, json_member(merged, "grid"));
    tell_of_axes(spec, json_member(merged, "ablate"));
    for (const cJSON *zip = zips != NULL ? zips->child : NULL; zip != NULL; zip = zip->next)
        tell_of_axes(spec, zip);
    cJSON_Delete(merged);
}
