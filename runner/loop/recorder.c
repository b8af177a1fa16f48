/* recorder.c - applies journal lines to the database in transactions. */
#include "recorder.h"

#include "error.h"
#include "file.h"
#include "journal.h"
#include "json.h"
#include "store.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_LIMIT = 16 << 20 }; /* bytes of journal read per transaction */

void recorder_progress_init(struct recorder_progress *progress)
{
    *progress = (struct recorder_progress){
        .loss = -1,
        .accuracy = -1,
        .steps_per_s = -1,
        .eta_s = -1,
        .step_share = -1,
        .part_done = -1,
        .part_total = -1,
    };
}

int recorder_init(struct recorder *recorder, const struct record_attempt *attempt,
                  const char *workspace, struct error *err)
{
    *recorder = (struct recorder){ .attempt = *attempt, .checkpoint_step = -1 };
    recorder->path = format_string("%s/%s/journal.jsonl", workspace, attempt->directory);
    recorder_progress_init(&recorder->progress);
    return recorder->path == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path") : 0;
}

void recorder_release(struct recorder *recorder)
{
    free(recorder->path);
    recorder->path = NULL;
}

static void take_progress(struct recorder_progress *p, const cJSON *body)
{
    const cJSON *phase = json_member(body, "phase");

    snprintf(p->phase, sizeof p->phase, "%s", cJSON_IsString(phase) ? phase->valuestring : "");
    p->step = json_integer_or(body, "step", 0);
    p->total_steps = json_integer_or(body, "total_steps", 0);
    p->heartbeat = json_integer_or(body, "heartbeat", 0);
    p->loss = json_real_or(body, "loss", -1);
    p->accuracy = json_real_or(body, "accuracy", -1);
    p->steps_per_s = json_real_or(body, "steps_per_s", -1);
    p->eta_s = json_real_or(body, "eta_s", -1);
    p->step_share = json_real_or(body, "step_share", -1);
    p->part_done = json_real_or(body, "part_done", -1);
    p->part_total = json_real_or(body, "part_total", -1);
}

/* Opens a journal. *fd -1: there is none. *foreign: in its place is what a worker alone
 * can have put there: a FIFO, which would hang the runner, a folder or the like, which
 * must not end it. */
static int open_journal(int *fd, off_t *size, bool *foreign, const char *path,
                        struct error *err)
{
    struct stat status = { 0 };

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *foreign = *fd < 0 && (errno == ELOOP || errno == ENXIO);
    if (*fd < 0 && (*foreign || errno == ENOENT))
        return 0;
    if (*fd < 0 || fstat(*fd, &status) < 0) {
        int rc =
            error_set(err, error_code_from_errno(errno), "open %s: %s", path, strerror(errno));
        if (*fd >= 0)
            close(*fd);
        return rc;
    }
    *size = status.st_size;
    *foreign = !S_ISREG(status.st_mode);
    if (*foreign) {
        close(*fd);
        *fd = -1;
    }
    return 0;
}

/* The last bytes of a journal of at most limit, from the beginning of a line on; *data
 * is fresh. Nothing where there is no such file. */
static int read_tail(char **data, size_t *size, const char *path, size_t limit,
                     struct error *err)
{
    off_t all = 0;
    bool foreign;
    int fd, rc = open_journal(&fd, &all, &foreign, path, err);

    *data = NULL;
    *size = 0;
    if (rc < 0 || fd < 0)
        return rc;
    char *text = malloc(limit);
    ssize_t count = -1;
    if (text != NULL) {
        off_t from = all > (off_t)limit ? all - (off_t)limit : 0;
        count = pread(fd, text, limit, from);
        char *line = count > 0 && from > 0 ? memchr(text, '\n', (size_t)count) : NULL;
        if (line != NULL) {
            count -= line + 1 - text;
            memmove(text, line + 1, (size_t)count);
        }
    }
    close(fd);
    if (count < 0) {
        free(text);
        return text == NULL ? error_no_memory(err, "a journal")
                            : error_set(err, ERROR_IO, "read %s: %s", path, strerror(errno));
    }
    *data = text;
    *size = (size_t)count;
    return 0;
}

int recorder_peek(struct recorder_progress *out, const char *path, struct error *err)
{
    enum { TAIL = 256 << 10 };
    char *data;
    size_t size, used = 0;
    int rc = read_tail(&data, &size, path, TAIL, err);

    recorder_progress_init(out);
    for (size_t at = 0; rc == 0 && at < size; at += used) {
        struct journal_event event;
        struct error ignored; /* a torn or bad line is the recorder's affair */

        enum journal_status status =
            journal_next(&event, &used, data + at, size - at, -1, &ignored);
        if (status == JOURNAL_FAILED)
            rc = error_no_memory(err, "a journal");
        if (status != JOURNAL_EVENT)
            break;
        if (strcmp(event.type, "progress") == 0)
            take_progress(out, event.body);
        cJSON_Delete(event.body);
    }
    free(data);
    return rc;
}

static void take_text(char *out, size_t size, const cJSON *body, const char *key)
{
    const cJSON *item = json_member(body, key);

    text_strip_controls(out, size, cJSON_IsString(item) ? item->valuestring : "");
}

static enum outcome take_outcome(const cJSON *body, const char *key)
{
    const cJSON *item = json_member(body, key);

    return cJSON_IsString(item) ? outcome_parse(item->valuestring) : OUTCOME_NONE;
}

/* Takes attempt 1 from "attempts/1/checkpoint-0.safetensors". */
static void take_resume(struct recorder *recorder, const cJSON *body)
{
    char from[80];
    int attempt = 0;

    take_text(from, sizeof from, body, "from");
    recorder->resume.attempt =
        sscanf(from, "attempts/%d/", &attempt) == 1 && attempt > 0 ? attempt : -1;
    recorder->resume.step = json_integer_or(body, "step", 0);
}

void recorder_diverged_text(char *out, size_t size, const cJSON *body)
{
    char loss[40];

    take_text(loss, sizeof loss, body, "loss");
    snprintf(out, size, "loss %s at step %lld", loss[0] != '\0' ? loss : "not finite",
             (long long)json_integer_or(body, "step", 0));
}

/* Stores what the recorder itself needs of an event. False: the event may not come
 * any more. */
static bool keep_event(struct recorder *r, const struct journal_event *event)
{
    if (r->ended) {
        snprintf(r->error_text, sizeof r->error_text, "an event after the end of the journal");
        return false;
    }
    if (strcmp(event->type, "progress") == 0)
        take_progress(&r->progress, event->body);
    if (strcmp(event->type, "resume") == 0)
        take_resume(r, event->body);
    if (strcmp(event->type, "checkpoint") == 0)
        r->checkpoint_step = json_integer_or(event->body, "step", -1);
    if (strcmp(event->type, "error") == 0) {
        r->outcome = take_outcome(event->body, "cause");
        take_text(r->message, sizeof r->message, event->body, "message");
    }
    if (strcmp(event->type, "diverged") == 0)
        recorder_diverged_text(r->message, sizeof r->message, event->body);
    if (strcmp(event->type, "end") == 0) {
        r->ended = true;
        if (r->message[0] == '\0')
            take_text(r->message, sizeof r->message, event->body, "message");
        if (r->outcome == OUTCOME_NONE)
            r->outcome = take_outcome(event->body, "status");
    }
    return true;
}

/* Applies one event. Fills error_text if the attempt must be quarantined for it.
 * store NULL: the event is in the database already. */
static int take_event(struct recorder *r, struct store *store,
                      const struct journal_event *event, struct error *err)
{
    if (!keep_event(r, event) || store == NULL || strcmp(event->type, "progress") == 0)
        return 0;
    int rc = record_event(store, &r->attempt, event->type, event->body, err);
    if (rc == ERROR_DAMAGED) {
        text_strip_controls(r->error_text, sizeof r->error_text, err->message);
        rc = 0;
    }
    return rc;
}

/* Applies all complete lines of data. */
static int take_lines(struct recorder *r, struct store *store, const char *data, size_t size,
                      struct error *err)
{
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && at < size && r->error_text[0] == '\0') {
        struct journal_event event;
        struct error bad = { 0 };
        size_t used;
        enum journal_status status =
            journal_next(&event, &used, data + at, size - at, r->attempt.sequence, &bad);
        if (status == JOURNAL_PARTIAL)
            break;
        if (status == JOURNAL_FAILED) {
            rc = error_set(err, ERROR_NOMEM, "%s: %.900s", r->path, bad.message);
            break;
        }
        if (status == JOURNAL_BAD) {
            snprintf(r->error_text, sizeof r->error_text, "journal byte %lld: %.240s",
                     (long long)(r->attempt.offset + (int64_t)at), bad.message);
            r->damaged = true;
            break;
        }
        rc = take_event(r, store, &event, err);
        cJSON_Delete(event.body);
        at += used;
        r->attempt.sequence++;
    }
    r->attempt.offset += (int64_t)at;
    return rc;
}

/* Reads the journal from the recorder's offset on, at most limit bytes. *size 0:
 * there is nothing new. */
static int read_new(struct recorder *r, char **data, size_t *size, size_t limit,
                    struct error *err)
{
    off_t all = 0;
    bool foreign;
    int fd, rc = open_journal(&fd, &all, &foreign, r->path, err);

    *data = NULL;
    *size = 0;
    if (rc < 0)
        return rc;
    if (foreign) {
        snprintf(r->error_text, sizeof r->error_text, "the journal is no regular file");
    } else if (fd < 0) {
        /* it does not exist yet; or it has disappeared after some of it was read */
        if (r->attempt.offset > 0)
            snprintf(r->error_text, sizeof r->error_text, "the journal is gone");
    } else if (all < r->attempt.offset) {
        snprintf(r->error_text, sizeof r->error_text, "the journal became shorter");
    } else if (all > r->attempt.offset) {
        size_t want = (size_t)(all - r->attempt.offset);
        if (want > limit)
            want = limit;
        *data = malloc(want);
        ssize_t count = *data == NULL ? -1 : pread(fd, *data, want, r->attempt.offset);
        if (count < 0)
            rc = *data == NULL
                     ? error_set(err, ERROR_NOMEM, "no memory to read %s", r->path)
                     : error_set(err, ERROR_IO, "read %s: %s", r->path, strerror(errno));
        else
            *size = (size_t)count;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

int recorder_restore(struct recorder *r, struct error *err)
{
    int64_t offset = r->attempt.offset, sequence = r->attempt.sequence;
    int rc = 0;

    r->attempt.offset = r->attempt.sequence = 0;
    while (rc == 0 && r->attempt.offset < offset && r->error_text[0] == '\0') {
        int64_t before = r->attempt.offset, left = offset - before;
        char *data;
        size_t size;
        rc = read_new(r, &data, &size, left < READ_LIMIT ? (size_t)left : READ_LIMIT, err);
        if (rc == 0)
            rc = take_lines(r, NULL, data, size, err);
        free(data);
        if (rc == 0 && r->attempt.offset == before)
            break;
    }
    if (rc == 0 && r->error_text[0] == '\0' &&
        (r->attempt.offset != offset || r->attempt.sequence != sequence))
        snprintf(r->error_text, sizeof r->error_text,
                 "the journal became shorter, or is another one");
    r->attempt.offset = offset;
    r->attempt.sequence = sequence;
    return rc;
}

/* Applies the next piece of the journal in the caller's transaction. *more: there
 * may be another piece. */
static int take_piece(struct recorder *r, struct store *store, bool *more, struct error *err)
{
    char *data;
    size_t size;
    int rc = read_new(r, &data, &size, READ_LIMIT, err);

    *more = false;
    if (rc == 0 && size > 0 && memchr(data, '\n', size) != NULL) {
        rc = take_lines(r, store, data, size, err);
        if (rc == 0)
            rc = record_offset(store, r->attempt.attempt_id, r->attempt.offset,
                               r->attempt.sequence, err);
        *more = rc == 0 && r->error_text[0] == '\0' && size >= READ_LIMIT;
    } else if (rc == 0 && size >= READ_LIMIT) {
        snprintf(r->error_text, sizeof r->error_text, "a journal line without end");
    }
    free(data);
    return rc;
}

/* Whether the transaction must be rolled back: if an event contradicts a stored one,
 * neither it nor the other events of its piece are stored. Events before a damaged
 * line are valid and are stored: a power failure can leave such a line, and the next
 * attempt may resume from a checkpoint that these events report. */
static bool must_roll_back(const struct recorder *r)
{
    return r->error_text[0] != '\0' && !r->damaged;
}

/* Whether the journal has grown since it was read. */
static bool has_grown(const struct recorder *r)
{
    struct stat status;

    return stat(r->path, &status) == 0 && status.st_size != r->attempt.offset;
}

int recorder_read(struct recorder *r, struct store *store, struct error *err)
{
    bool more = has_grown(r);
    int rc = 0;

    while (more && rc == 0) {
        struct recorder before = *r;

        rc = store_begin(store, err);
        if (rc < 0)
            break;
        rc = take_piece(r, store, &more, err);
        if (rc == 0 && !must_roll_back(r))
            rc = store_commit(store, err);
        else
            store_rollback(store);
        if (rc < 0) {
            store_rollback(store);
            *r = before;
        }
    }
    return rc;
}

int recorder_drain(struct recorder *r, struct store *store, struct error *err)
{
    bool more = r->error_text[0] == '\0';
    int rc = 0;

    while (more && rc == 0)
        rc = take_piece(r, store, &more, err);
    if (rc == 0 && must_roll_back(r)) {
        store_rollback(store);
        rc = store_begin(store, err);
    }
    return rc;
}
