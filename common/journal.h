/*
 * journal.h - the attempt's append-only event file, the only way in which a worker
 * reports to the runner.
 *
 * A line is
 *   {"h":"<16 hex>","n":<sequence from 0>,"t":"<ISO 8601 UTC>","type":"...",...}\n
 * where h is the XXH3-64 of the bytes behind the comma that follows the member h, up to
 * and without the newline: "n":0,"t":...}. Event types and members: docs/formats.md.
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { JOURNAL_MAX_LINE = 4 << 20 };

struct journal_writer {
    int fd;           /* -1 when closed */
    int64_t sequence; /* number of the next line */
    char *path;       /* owned */
};

/* Creates path, which must not exist yet (each attempt has its own). */
int journal_open(struct journal_writer *writer, const char *path, struct error *err) MUST_CHECK;
/* Appends an event. body is an object of the event's members besides h, n, t and type;
 * it may be NULL, and is deleted whatever happens. sync: the line must survive a power
 * cut. After an error the line may be there in part, or, where the sequence has
 * advanced, whole but not synced. */
int journal_append(struct journal_writer *writer, const char *type, cJSON *body, bool sync,
                   struct error *err) MUST_CHECK;
void journal_close(struct journal_writer *writer);

enum journal_status {
    JOURNAL_EVENT,   /* *event is filled */
    JOURNAL_PARTIAL, /* no whole line yet: the end, or a torn last line */
    JOURNAL_BAD,     /* a bad line: err says where and why */
    /* not the line's fault: an allocation failed; err is ERROR_NOMEM */
    JOURNAL_FAILED
};

struct journal_event {
    cJSON *body;      /* the whole object, to be cJSON_Delete'd by the caller */
    const char *type; /* inside body */
    const char *time; /* inside body */
    int64_t sequence;
};

/*
 * Reads the next event from size bytes of journal text at data. *used is the length of
 * the line with its newline, or 0 if the result is not JOURNAL_EVENT. expected is the
 * sequence number that the line must have (-1: any). Checks the hash, the sequence
 * number, the JSON and the line's length.
 */
enum journal_status journal_next(struct journal_event *event, size_t *used, const char *data,
                                 size_t size, int64_t expected, struct error *err);

#endif
