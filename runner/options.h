/*
 * options.h - the command line of hrmlab: one struct for all commands.
 */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H

#include "error.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* The options of all commands; the table OPTIONS has their names and arguments. */
enum option_id {
    OPTION_WORKSPACE,
    OPTION_SET,
    OPTION_WHERE,
    OPTION_FORMAT,
    OPTION_METRIC,
    OPTION_SORT,
    OPTION_COLUMNS,
    OPTION_ROWS,
    OPTION_COLS,
    OPTION_VALUE,
    OPTION_PRICE,
    OPTION_AXIS,
    OPTION_FIGURE,
    OPTION_PUBLISHED,
    OPTION_MATRIX,
    OPTION_BASELINE,
    OPTION_EXPERIMENT,
    OPTION_ALL,
    OPTION_FULL,
    OPTION_TRAJECTORY,
    OPTION_NEW,
    OPTION_JOBS,
    OPTION_MAX_FAILS,
    OPTION_EXECUTOR,
    OPTION_KEEP_GOING,
    OPTION_DRY_RUN,
    OPTION_FORCE,
    OPTION_YES,
    OPTION_TASK,
    OPTION_STEPS,
    OPTION_REMOVE,
    OPTION_FOLLOW,
    OPTION_OUTPUT,
    OPTION_LAYOUT,
    OPTION_SVG,
    OPTION_PORT,
    OPTION_SOCKET,
    OPTION_PLAIN,
    OPTION_MAN,
    OPTION_QUIET,
    OPTION_COLOR,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT
};

/* A set of options: bits combined with |. */
#define OPTION_BIT(id) (UINT64_C(1) << (unsigned)(id))

struct option_entry {
    const char *name; /* without the dashes */
    char letter;      /* short form; 0: none */
    /* placeholder of its value in the help ("DIR"); NULL: it takes none */
    const char *value;
    const char *meaning; /* one line of the help */
};

extern const struct option_entry OPTIONS[OPTION_COUNT]; /* indexed by enum option_id */

struct command;

struct options {
    const char *command;
    char **arguments; /* positional, after the command; borrowed from argv */
    int argument_count;
    bool after_dashes; /* whether "--" stands before the first argument */
    /* the table of commands, for commands that describe it; borrowed */
    const struct command *commands;
    const char *workspace; /* --workspace, HRMLAB_WORKSPACE or "./hrmlab-workspace" */
    /* HRMLAB_WORKER, or hrmlab-worker beside this program; owned by main */
    const char *worker_program;
    const char *serve_program; /* HRMLAB_SERVE, or hrmlab-serve; likewise */
    const char **sets;         /* --set key=value, in order */
    int set_count;
    const char **wheres; /* --where key=value (also != < <= > >=); all must hold */
    int where_count;
    enum output_format format;
    enum color_mode color;
    /* --jobs: threads at once, over all cores; 0: as many as cores */
    int jobs;
    int max_fails;        /* --max-fails: stop after this many failed jobs; 0: never */
    bool keep_going;      /* --keep-going */
    const char *executor; /* --executor NAME; NULL: the first of the table */
    /* sync, queue --executor: the runner leaves once all attempts go on without it */
    bool leave;
    bool dry_run, quiet, follow, all, full, help, version;
    /* --plain, HRMLAB_PLAIN: lines instead of a view that is drawn over */
    bool plain;
    bool man;         /* help --man: as a man page */
    const char *axis; /* compare, plot --axis KEY */
    /* compare, results, curves --metric, results --value; NULL: pass_at_2 */
    const char *metric;
    const char *sort, *columns; /* results --sort, --columns; NULL: unchanged */
    const char *rows, *cols;    /* results, plot --rows KEY --cols KEY */
    const char *figure;         /* plot --figure NAME; NULL: the list of figures */
    const char *baseline;       /* compare --baseline ARM */
    /* compare --matrix: train-time against inference-time outer steps */
    bool matrix;
    bool published;  /* plot, report --published: published values on any data */
    double price;    /* results --price: of a core-hour; 0: not given */
    bool trajectory; /* results --trajectory: changes per outer step */
    bool as_new;     /* run, queue --new: add beside an experiment of the same name */
    /* gc --force (or --yes): delete, instead of listing what could be deleted; export:
     * replace an earlier export */
    bool force;
    const char *task;       /* show --task NAME; NULL: not given */
    bool steps;             /* show --steps: the answer after each outer step */
    bool remove;            /* note, tag, keep --remove */
    const char *output;     /* data, plot, report, show --output; NULL: not given */
    const char *layout;     /* data build --layout NAME; NULL: not given */
    const char *svg;        /* show, data show --svg FILE; NULL: not given */
    const char *port;       /* serve --port N; NULL: not given */
    const char *socket;     /* serve --socket PATH; NULL: not given */
    const char *experiment; /* --experiment NAME; NULL: all, or the only one */
    uint64_t given;         /* OPTION_BITs of the options on the command line */
    const char *unknown;    /* the first word that is not an option; NULL: none */
    /* that --format names, of no command; NULL: none */
    const char *unknown_format;
};

/* Reads the command line and the environment. argv is reordered and stays borrowed.
 * An unknown option or format is no error here: it is stored in *options for
 * commands_check(), which knows the command. */
int options_read(struct options *options, int argc, char **argv, struct error *err) MUST_CHECK;
void options_release(struct options *options);
/* Whether standard output may be coloured: --color, or a terminal. */
bool options_color(const struct options *options);
/* The file to draw to: that of --svg, or of -o, which means the same where only a
 * drawing is written. *out NULL: neither is given. ERROR_FORMAT: both are, or the name
 * does not end in .svg. */
int options_drawing(const char **out, const struct options *options,
                    struct error *err) MUST_CHECK;

/* A command: prints its data to stdout, everything else to stderr. Returns 0 or a
 * negative error_code; *exit_code (preset 0) may be set to 1 for "some runs failed". */
typedef int command_fn(const struct options *options, int *exit_code, struct error *err);

command_fn command_run, command_queue, command_work, command_sync, command_plan, command_status,
    command_results, command_compare, command_show, command_logs, command_cancel, command_retry,
    command_axes, command_data, command_doctor, command_verify, command_rebuild, command_remove,
    command_gc, command_import, command_completions, command_curves, command_plot,
    command_report, command_watch, command_tasks, command_diff, command_importance,
    command_note, command_tag, command_keep, command_serve, command_export, command_revote;

#endif
