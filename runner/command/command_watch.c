/* command_watch.c - watch: how far the workspace is, drawn over in place. */
#include "clock.h"
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "live_load.h"
#include "live_screen.h"
#include "live_view.h"
#include "options.h"
#include "query.h"
#include "store.h"
#include "table.h"
#include "workspace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH_WITHOUT_TERMINAL = 80 };

/* What is watched, and what was found in it last. */
struct watch {
    struct workspace workspace;
    struct store *store;
    char name[EXPERIMENT_NAME_SIZE]; /* that source.live.experiment is, unless NULL */
    struct live_source source;
};

static volatile sig_atomic_t stopped, continued;

static void on_signal(int number)
{
    if (number == SIGCONT)
        continued = 1;
    else if (number != SIGWINCH) /* which only ends a sleep */
        stopped = number;
}

/* All of it at one moment. */
static int load(struct watch *w, struct error *err)
{
    int rc = store_begin(w->store, err);

    if (rc == 0)
        rc = live_load(&w->source, err);
    store_rollback(w->store); /* nothing was written */
    return rc;
}

static bool is_over(const struct watch *w)
{
    return w->source.live.counts.queued + w->source.live.counts.running == 0;
}

static int draw(struct live_screen *screen, const struct watch *w, bool color,
                struct error *err)
{
    struct live_lines lines;
    int width, height;

    live_screen_size(screen, &width, &height);
    if (!live_view(&lines, &w->source.live, width, height))
        return error_no_memory(err, "the view");
    bool drawn = live_screen_draw(screen, &lines, color);
    live_lines_release(&lines);
    return drawn ? 0 : error_no_memory(err, "the view");
}

/* Draws until nothing is left to do or a signal asks to stop. The database is read once
 * a second, less often where that takes long; a new size is answered at once. */
static int follow(struct watch *w, bool color, int *exit_code, struct error *err)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT };
    struct live_screen screen = { .out = stdout };
    double next_at = 0.0;
    int rc = 0;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
    while (rc == 0 && stopped == 0) {
        double now = clock_monotonic_s();
        bool due = now >= next_at;

        if (continued) /* the shell has written below the view */
            live_screen_leave(&screen);
        if (due) {
            rc = load(w, err);
            next_at = now + 1.0 + 10.0 * (clock_monotonic_s() - now);
        }
        if (rc == 0 && (due || continued || live_screen_resized(&screen)))
            rc = draw(&screen, w, color, err);
        continued = 0;
        if (rc == 0 && is_over(w))
            break;
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
    if (stopped != 0) {
        fputc('\n', stdout); /* behind the ^C that the terminal shows */
        *exit_code = EXIT_STOPPED;
    }
    return rc;
}

static int print_once(struct watch *w, struct error *err)
{
    struct live_lines lines;
    int width = table_terminal_width(stdout);
    int rc = load(w, err);

    if (rc < 0)
        return rc;
    width = width > 0 ? width : WIDTH_WITHOUT_TERMINAL;
    if (!live_view(&lines, &w->source.live, width, 0))
        return error_no_memory(err, "the view");
    live_lines_print(&lines, stdout, width);
    live_lines_release(&lines);
    return 0;
}

int command_watch(const struct options *options, int *exit_code, struct error *err)
{
    struct watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return error_no_memory(err, "the view");
    w->workspace.lock_fd = -1;
    int rc = workspace_find(&w->workspace, options->workspace, err);
    if (rc == 0)
        rc = store_open(&w->store, w->workspace.path, STORE_READ, err);
    w->source.workspace = &w->workspace;
    w->source.store = w->store;
    if (rc == 0 && options->argument_count > 0) {
        rc = experiment_find(w->store, w->name, options->arguments[0], err);
        w->source.live.experiment = w->name;
    }
    if (rc == 0)
        rc = isatty(STDOUT_FILENO) == 1 && !options->plain
                 ? follow(w, options_color(options), exit_code, err)
                 : print_once(w, err);
    live_source_release(&w->source);
    store_close(w->store);
    workspace_close(&w->workspace);
    free(w);
    return rc;
}
