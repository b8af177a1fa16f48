/* report.c - builds events and appends them. */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"

#define PROGRESS_INTERVAL_S 1.0

int report_open(struct report *report, const char *path, struct error *err)
{
    *report = (struct report){ .journal.fd = -1, .said_at_s = -PROGRESS_INTERVAL_S };
    return journal_open(&report->journal, path, err);
}

void report_close(struct report *report)
{
    journal_close(&report->journal);
}

int report_sync(struct report *report, struct error *err)
{
    if (fsync(report->journal.fd) < 0)
        return error_set(err, error_code_from_errno(errno), "%s: %s", report->journal.path,
                         strerror(errno));
    return 0;
}

int report_event(struct report *report, const char *type, cJSON *body, bool sync,
                 struct error *err)
{
    off_t size = lseek(report->journal.fd, 0, SEEK_END);
    int64_t sequence = report->journal.sequence;
    int rc;

    if (body == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the event %s", type);
    rc = journal_append(&report->journal, type, body, sync, err);
    /* Removes a line cut off by a full disk, so that the error event can follow. A
     * whole one that could not be synced stays: it may have been read. */
    bool whole = report->journal.sequence > sequence;
    if (rc < 0 && !whole && size >= 0 && ftruncate(report->journal.fd, size) < 0)
        return rc;
    return rc;
}

/* Adds a member. If that fails, or *body is NULL already, *body becomes NULL. */
static void add(cJSON **body, const char *name, cJSON *item)
{
    if (*body != NULL && item != NULL && cJSON_AddItemToObject(*body, name, item))
        return;
    cJSON_Delete(item);
    cJSON_Delete(*body);
    *body = NULL;
}

static void add_number(cJSON **body, const char *name, double value)
{
    add(body, name, cJSON_CreateNumber(value));
}

static void add_text(cJSON **body, const char *name, const char *text)
{
    add(body, name, text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull());
}

static void add_known(cJSON **body, const char *name, double value)
{
    if (isfinite(value))
        add_number(body, name, value);
}

bool report_progress_due(const struct report *report)
{
    return clock_monotonic_s() - report->said_at_s >= PROGRESS_INTERVAL_S;
}

int report_progress(struct report *report, const struct report_progress *progress,
                    struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_number(&body, "step", (double)progress->step);
    add_number(&body, "total_steps", (double)progress->total_steps);
    add_known(&body, "loss", progress->loss);
    add_known(&body, "accuracy", progress->accuracy);
    add_known(&body, "exact_accuracy", progress->exact_accuracy);
    add_known(&body, "steps_per_s", progress->steps_per_s);
    add_known(&body, "eta_s", progress->eta_s);
    add_known(&body, "step_share", progress->step_share);
    add_known(&body, "part_done", progress->part_done);
    add_known(&body, "part_total", progress->part_total);
    add_text(&body, "phase", progress->phase);
    add_number(&body, "heartbeat", (double)report->heartbeat);
    report->said_at_s = clock_monotonic_s();
    return report_event(report, "progress", body, false, err);
}

int report_resume(struct report *report, int64_t step, const char *from, struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_number(&body, "step", (double)step);
    add_text(&body, "from", from);
    return report_event(report, "resume", body, true, err);
}

int report_metric(struct report *report, int64_t step, cJSON *values, struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_number(&body, "step", (double)step);
    add(&body, "values", values);
    return report_event(report, "metric", body, false, err);
}

int report_checkpoint(struct report *report, int64_t step, const char *file,
                      const char *weights_hash, bool final, struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_number(&body, "step", (double)step);
    add_text(&body, "file", file);
    add_text(&body, "weights_hash", weights_hash);
    add(&body, "final", cJSON_CreateBool(final));
    return report_event(report, "checkpoint", body, true, err);
}

int report_diverged(struct report *report, int64_t step, double loss, struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_number(&body, "step", (double)step);
    add_text(&body, "loss", isnan(loss) ? "nan" : loss > 0.0 ? "inf" : "-inf");
    return report_event(report, "diverged", body, true, err);
}

int report_error(struct report *report, enum outcome cause, const char *message,
                 struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_text(&body, "cause", outcome_name(cause));
    add_text(&body, "message", message);
    return report_event(report, "error", body, true, err);
}

int report_end(struct report *report, const struct report_end *end, struct error *err)
{
    cJSON *body = cJSON_CreateObject();

    add_text(&body, "status", outcome_name(end->status));
    add_number(&body, "step", (double)end->step);
    add_text(&body, "weights_hash", end->weights_hash);
    add_number(&body, "seconds", end->seconds);
    add_number(&body, "train_seconds", end->train_seconds);
    add_number(&body, "evaluation_seconds", end->evaluation_seconds);
    if (end->message != NULL)
        add_text(&body, "message", end->message);
    return report_event(report, "end", body, true, err);
}
