/* slot.c - the jobs that are going on, each with the cores that it is pinned to. */
#include "clock.h"
#include "supervisor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void on_slot_closed(uv_handle_t *handle)
{
    struct executor_local *executor = handle->data;

    free(executor->user); /* the slot that holds it */
}

/* One of our places on that core, of several when there are more places than cores. */
static void mark_core(struct supervisor *s, int core, bool used)
{
    for (int i = 0; i < s->core_count; i++)
        if (s->cores[i] == core && s->core_used[i] != used) {
            s->core_used[i] = used;
            return;
        }
}

void slot_destroy(struct supervisor *s, struct slot *slot)
{
    for (struct slot **at = &s->slots; *at != NULL; at = &(*at)->next)
        if (*at == slot) {
            *at = slot->next;
            break;
        }
    for (int i = 0; i < slot->core_count; i++)
        mark_core(s, slot->cores[i], false);
    recorder_release(&slot->recorder);
    free(slot->job.label);
    if (slot->executor.started)
        uv_close((uv_handle_t *)&slot->executor.process, on_slot_closed);
    else
        free(slot);
}

struct slot *slot_create(struct supervisor *s, const struct record_job *job)
{
    struct slot *slot = calloc(1, sizeof *slot);

    if (slot == NULL)
        return NULL;
    slot->supervisor = s;
    slot->job = *job;
    slot->job.label = strdup(job->label);
    slot->executor.on_exit = s->on_keeper_exit;
    slot->executor.user = slot;
    slot->started_at = slot->beat_at = clock_monotonic_s();
    slot->next = s->slots;
    s->slots = slot;
    return slot;
}

void slot_take_core(struct supervisor *s, struct slot *slot, int core)
{
    assert(slot->core_count < SUPERVISOR_MAX_CORES);
    slot->cores[slot->core_count++] = core;
    mark_core(s, core, true);
}
