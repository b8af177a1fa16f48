/* slot.c - the list of running jobs. */
#include "clock.h"
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>

void slot_destroy(struct supervisor *s, struct slot *slot)
{
    for (struct slot **at = &s->slots; *at != NULL; at = &(*at)->next)
        if (*at == slot) {
            *at = slot->next;
            break;
        }
    if (slot->task != NULL)
        slot->task->executor->type->release(slot->task);
    recorder_release(&slot->recorder);
    free(slot->job.label);
    free(slot);
}

struct slot *slot_create(struct supervisor *s, const struct record_job *job)
{
    struct slot *slot = calloc(1, sizeof *slot);

    if (slot == NULL)
        return NULL;
    slot->job = *job;
    slot->job.label = strdup(job->label);
    slot->started_at = slot->beat_at = clock_monotonic_s();
    slot->next = s->slots;
    s->slots = slot;
    return slot;
}
