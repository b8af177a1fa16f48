/* data_progress.c - the line of progress of data build. */
#include "data_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "data_draw.h"

static const double INTERVAL_S = 0.1;

void data_progress_begin(struct data_progress *progress, const char *when)
{
    *progress = (struct data_progress){
        .drawn = strcmp(when, "never") != 0 && isatty(STDERR_FILENO) == 1,
    };
}

void data_progress_tell(void *user, const char *what, int64_t done, int64_t total)
{
    struct data_progress *progress = user;
    char line[200];

    if (!progress->drawn || (done > 0 && clock_monotonic_s() < progress->next_s))
        return;
    if (total > 0)
        snprintf(line, sizeof line, "%s: %" PRId64 " of %" PRId64, what, done, total);
    else
        snprintf(line, sizeof line, "%s", what);
    fprintf(stderr, "\r\033[K%.*s", draw_width_of(stderr) - 1, line);
    fflush(stderr);
    progress->on_line = true;
    progress->next_s = clock_monotonic_s() + INTERVAL_S;
}

void data_progress_end(struct data_progress *progress)
{
    if (progress->on_line) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress->on_line = false;
}
