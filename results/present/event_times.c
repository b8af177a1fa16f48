/* event_times.c - reads the times of events in journals. */
#include "event_times.h"

#include "error.h"
#include "file.h"
#include "journal.h"
#include "json.h"
#include "sql.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t MOST_BYTES = (size_t)1 << 31; /* of a journal */

/* Seconds since 1970 of "2026-11-23T18:02:48.123Z"; 0: it is none. */
static double parse_time(const char *text)
{
    struct tm tm = { 0 };
    double seconds = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%lfZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &seconds) != 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (double)timegm(&tm) + seconds;
}

static int add_moment(struct event_times *times, enum event_kind kind, int64_t step,
                      double time, struct error *err)
{
    int count = times->count;

    if ((count & (count - 1)) == 0) { /* full at powers of two */
        struct event_moment *items =
            realloc(times->items, (count == 0 ? 1 : 2 * (size_t)count) * sizeof *items);

        if (items == NULL)
            return error_no_memory(err, "times of events");
        times->items = items;
    }
    times->items[times->count++] = (struct event_moment){ kind, step, count, time };
    return 0;
}

static int take_line(struct event_times *times, const char *line, size_t size,
                     struct error *err)
{
    struct journal_event event;
    struct error why;
    size_t used;
    int rc = 0;
    enum journal_status status = journal_next(&event, &used, line, size, -1, &why);

    if (status == JOURNAL_FAILED)
        return error_no_memory(err, "a journal");
    if (status != JOURNAL_EVENT)
        return 0; /* the runner has quarantined the attempt, or will */
    bool metric = strcmp(event.type, "metric") == 0;

    if (metric || strcmp(event.type, "evaluation") == 0)
        rc = add_moment(times, metric ? EVENT_OF_METRIC : EVENT_OF_EVALUATION,
                        json_integer_or(event.body, "step", 0), parse_time(event.time), err);
    cJSON_Delete(event.body);
    return rc;
}

static bool has(const char *line, size_t size, const char *words)
{
    return memmem(line, size, words, strlen(words)) != NULL;
}

/* Reads a journal; only lines that can be of use are parsed. */
static int read_journal(struct event_times *times, const char *path, struct error *err)
{
    struct error ignored;
    char *data;
    size_t size;
    int rc = file_read(&data, &size, path, MOST_BYTES, &ignored);

    if (rc == ERROR_NOMEM)
        return error_no_memory(err, "a journal");
    if (rc < 0)
        return 0;
    for (size_t at = 0, length; at < size && rc == 0; at += length) {
        const char *end = memchr(data + at, '\n', size - at);

        length = end != NULL ? (size_t)(end - (data + at)) + 1 : size - at;
        if (has(data + at, length, "\"type\":\"metric\"") ||
            has(data + at, length, "\"type\":\"evaluation\""))
            rc = take_line(times, data + at, length, err);
    }
    free(data);
    return rc;
}

static int compare_moments(const void *a, const void *b)
{
    const struct event_moment *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

int event_times_load(struct event_times *out, struct store *store, int64_t run_id,
                     const char *workspace, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT directory, started_at, coalesce(ended_at, started_at)"
                       " FROM attempt WHERE run_id = ?1 AND state NOT IN ('superseded',"
                       " 'quarantined') ORDER BY number",
                       "i", run_id);

    *out = (struct event_times){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        char *path = format_string("%s/%s/journal.jsonl", workspace, sql_text(s, 0));

        if (out->first == 0)
            out->first = parse_time(sql_text(s, 1));
        out->last = parse_time(sql_text(s, 2));
        rc = path == NULL ? error_no_memory(err, "a path") : read_journal(out, path, err);
        free(path);
        if (rc < 0)
            sql_end(&s);
    }
    if (rc == 0 && out->count > 0)
        qsort(out->items, (size_t)out->count, sizeof *out->items, compare_moments);
    if (rc < 0)
        event_times_release(out);
    return rc;
}

void event_times_release(struct event_times *times)
{
    free(times->items);
    *times = (struct event_times){ 0 };
}

double event_times_at(const struct event_times *times, enum event_kind kind, int64_t step)
{
    int low = 0, high = times->count; /* the first moment behind the one wanted */

    while (low < high) {
        int middle = low + (high - low) / 2;
        const struct event_moment *moment = &times->items[middle];

        if (moment->kind < kind || (moment->kind == kind && moment->step <= step))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && times->items[low - 1].kind == kind ? times->items[low - 1].time
                                                         : times->first;
}
