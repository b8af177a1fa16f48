/* commands.c - the table of commands; checks, suggestions and help derived from it. */
#include "commands.h"

#include "error.h"
#include "executors.h"
#include "json.h"
#include "options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Sets of options shared by several commands. */
#define BIT(name) OPTION_BIT(OPTION_##name)
#define LOOP_OPTIONS (BIT(JOBS) | BIT(MAX_FAILS) | BIT(KEEP_GOING) | BIT(EXECUTOR) | BIT(PLAIN))
#define QUERY_OPTIONS (BIT(WHERE) | BIT(METRIC) | BIT(EXPERIMENT) | BIT(FORMAT))

static command_fn print_help_of;

const struct command COMMANDS[] = {
    { "run", "SPEC", "queue a spec and run it to its end",
      "SPEC is a JSON file, or - for standard input. If another runner is running on\n"
      "the workspace, follows it. After an interruption, the same command continues.",
      1, 1, LOOP_OPTIONS | BIT(SET) | BIT(NEW) | BIT(DRY_RUN) | BIT(FORMAT), command_run },
    { "queue", "SPEC...", "queue specs for a runner",
      "With --executor slurm: submits all that is queued, and returns.", 1, 1000,
      BIT(SET) | BIT(NEW) | BIT(EXECUTOR) | BIT(JOBS), command_queue },
    { "work", "", "run queued jobs until the queue is empty",
      "Takes over workers that an earlier runner left running. What is queued is run\n"
      "here, or with --executor slurm submitted, whichever command queued it.",
      0, 0, LOOP_OPTIONS, command_work },
    { "sync", "", "record what cluster jobs did, submit the next",
      "Submits all that is queued, also what was queued without --executor slurm.\n"
      "Returns once all of them go on without hrmlab; work stays and follows them.",
      0, 0, BIT(EXECUTOR) | BIT(JOBS) | BIT(PLAIN), command_sync },
    { "plan", "SPEC", "what would run, what exists already, the cost",
      "A table lists the first 1000 runs, other formats all. With --executor slurm:\n"
      "also the script of the first run's job.",
      1, 1, BIT(SET) | BIT(FORMAT) | BIT(JOBS) | BIT(EXECUTOR) | COMMAND_PAGES, command_plan },
    { "status", "[EXPERIMENT]", "the progress of every experiment, or of one", NULL, 0, 1,
      BIT(FORMAT) | COMMAND_PAGES, command_status },
    { "watch", "[EXPERIMENT]", "live: jobs, curves, failures, time left",
      "Redrawn in place until nothing is queued or running, or Ctrl-C. Without a\n"
      "terminal, or with --plain: the current state, once.",
      0, 1, BIT(PLAIN), command_watch },
    { "results", "[EXPERIMENT]", "the table of arms: means, spread, seeds",
      "Without EXPERIMENT: the only one of the workspace. --where also takes measures\n"
      "(pass_at_2>0.5). --rows arch.name --cols arch.H_cycles is a table of two\n"
      "settings.",
      0, 1,
      QUERY_OPTIONS | BIT(ALL) | BIT(SORT) | BIT(COLUMNS) | BIT(ROWS) | BIT(COLS) | BIT(VALUE) |
          BIT(TRAJECTORY) | BIT(PRICE) | COMMAND_PAGES,
      command_results },
    { "compare", "[EXPERIMENT] [ARM ARM]", "differences with 95 % intervals",
      "With EXPERIMENT alone: the comparisons that its spec planned. Else two arms,\n"
      "all arms with one (--baseline), the values of one setting (--axis), or outer\n"
      "steps in training with outer steps at inference (--matrix). ARM is a label as\n"
      "results shows it, the beginning of a run's hash, or KEY=VALUE ...;\n"
      "EXPERIMENT:ARM is an arm of another experiment.",
      0, 3, QUERY_OPTIONS | BIT(AXIS) | BIT(MATRIX) | BIT(BASELINE) | COMMAND_PAGES,
      command_compare },
    { "tasks", "[EXPERIMENT] [ARM ARM]", "tasks from hard to easy; two arms by task",
      "Means over seeds of a measure of tasks. Each arm under one evaluation: its own\n"
      "outer steps, most augmentations; --where or ARM can name another one\n"
      "(eval.halt_max_steps=1). ARM as for compare.",
      0, 3, QUERY_OPTIONS | BIT(SORT) | BIT(COLUMNS) | COMMAND_PAGES, command_tasks },
    { "importance", "[EXPERIMENT]", "the share of variance each axis explains",
      "The analysis of variance of a full grid: every axis, every pair of axes, the\n"
      "seed, with intervals by bootstrap. Every combination must have results of as\n"
      "many seeds; --where chooses a part that has.",
      0, 1, QUERY_OPTIONS | BIT(SORT) | BIT(COLUMNS) | COMMAND_PAGES, command_importance },
    { "diff", "A B", "in what two runs or arms differ",
      "Settings, data, provenance, cost, results. A and B are the beginnings of runs'\n"
      "hashes, last, or arms as for compare, also EXPERIMENT:ARM. --all: what is equal,\n"
      "too, and all results where there are many.",
      2, 2, BIT(METRIC) | BIT(EXPERIMENT) | BIT(FORMAT) | BIT(ALL) | COMMAND_PAGES,
      command_diff },
    { "curves", "[EXPERIMENT]", "learning curves, drawn or as data",
      "A panel per arm: the mean over seeds as a line, the seeds' range as dots.\n"
      "--metric is a metric of training (default: train/lm_loss) or a measure of the\n"
      "interim evaluations. --format csv: the points.",
      0, 1, QUERY_OPTIONS | COMMAND_PAGES, command_curves },
    { "plot", "[EXPERIMENT]", "a figure of its results as SVG, PNG or PDF",
      "Without --figure: the list of figures, and which are possible. FILE ends in\n"
      ".svg, or .png or .pdf (by rsvg-convert); without -o SVG goes to standard output.\n"
      "--axis KEY is for the figure axis, --rows KEY and --cols KEY for pivot.",
      0, 1,
      QUERY_OPTIONS | BIT(FIGURE) | BIT(PUBLISHED) | BIT(AXIS) | BIT(ROWS) | BIT(COLS) |
          BIT(OUTPUT),
      command_plot },
    { "report", "[EXPERIMENT]", "its results as one HTML page, or Markdown",
      "Question, design, finding, figures, tables, cost, failures, provenance. The\n"
      "page is self-contained. -o FILE.md or --format markdown: Markdown, with the\n"
      "figures in files beside it.",
      0, 1, QUERY_OPTIONS | BIT(OUTPUT) | BIT(BASELINE) | BIT(PUBLISHED), command_report },
    { "serve", "", "the workspace as live pages in a browser",
      "Prints the address, which only this machine can reach; the token in it lets in.\n"
      "Pages follow what runs. On another machine: --socket PATH there, and here\n"
      "ssh -L 8000:PATH HOST. Ctrl-C ends it (exit 130).",
      0, 0, BIT(PORT) | BIT(SOCKET), command_serve },
    { "export", "DIR [EXPERIMENT...]", "all numbers as files for other programs",
      "Writes runs, settings, results, trajectories, curves, tasks and a dictionary of\n"
      "their columns to the new folder DIR. --format csv (default), jsonl, or\n"
      "tensorboard: event files, a folder per run. Without EXPERIMENT: all of them.\n"
      "--force replaces an earlier export.",
      1, 1000, BIT(WHERE) | BIT(FORMAT) | BIT(FORCE) | COMMAND_EVENTS, command_export },
    { "show", "RUN", "everything about a run",
      "RUN is the beginning of its hash, 4 digits or more. With --task: input,\n"
      "solution and the model's answer, wrong cells marked, and how the variants\n"
      "voted; --steps: its answer after each outer step; -o FILE, or --svg FILE: drawn\n"
      "to an SVG file.\n"
      "--all: also settings at their defaults, and every evaluation.",
      1, 1,
      BIT(FORMAT) | BIT(TASK) | BIT(STEPS) | BIT(ALL) | BIT(OUTPUT) | BIT(SVG) | COMMAND_PAGES,
      command_show },
    { "logs", "RUN", "the log of a run's last attempt",
      "RUN is the beginning of its hash, 4 digits or more.", 1, 1, BIT(FOLLOW), command_logs },
    { "cancel", "TARGET", "stop jobs of an experiment, a run, or all",
      "TARGET is an experiment's name, the beginning of a run's hash (4 digits or\n"
      "more), or all.",
      1, 1, 0, command_cancel },
    { "retry", "TARGET", "queue failed or cancelled jobs again",
      "Quarantined ones, too. TARGET is an experiment's name, the beginning of a\n"
      "run's hash (4 digits or more), or all. --set changes how jobs are executed:\n"
      "resources, retries, slurm, data.path, data.batch_order,\n"
      "train.checkpoint_interval.",
      1, 1, BIT(SET), command_retry },
    { "revote", "SPEC", "evaluate from kept predictions alone",
      "Works out evaluations that its runs lack (votes, pools, halting rules, fewer\n"
      "outer steps) from the answers that earlier evaluations kept: the numbers that a\n"
      "new inference would find, bit for bit. Trains nothing; says what is missing.",
      1, 1, LOOP_OPTIONS | BIT(SET) | BIT(NEW), command_revote },
    { "verify", "RUN", "train a run again and compare it bit for bit",
      "Trains in a separate directory and compares every metric, every task's outcome,\n"
      "the baselines and the weights. Exit 1: something differs.",
      1, 1, 0, command_verify },
    { "rebuild", "", "a new database from specs and journals",
      "The old one is renamed when the new one is complete. Exit 1: a spec or an\n"
      "attempt had to be left out; it is named.",
      0, 0, 0, command_rebuild },
    { "note", "[TARGET [TEXT...]]", "notes on experiments, arms and runs",
      "Adds a note, or lists notes. TARGET is an experiment, EXPERIMENT:ARM, or the\n"
      "beginning of a run's hash. --remove: the note of that TEXT, or all of TARGET.",
      0, 1000, BIT(REMOVE) | BIT(FORMAT) | COMMAND_PAGES, command_note },
    { "tag", "[TARGET [TAG...]]", "tags of experiments, arms and runs",
      "Adds tags, or lists them. TARGET as for note. --remove: these TAGs, or all.", 0, 1000,
      BIT(REMOVE) | BIT(FORMAT) | COMMAND_PAGES, command_tag },
    { "keep", "[TARGET]", "protect it from gc and remove",
      "Without TARGET: what is kept. TARGET as for note. gc deletes no file of a run\n"
      "that is kept or belongs to what is; remove refuses it. --remove: no longer.",
      0, 1, BIT(REMOVE) | BIT(FORMAT), command_keep },
    { "remove", "EXPERIMENT", "remove an experiment from the workspace",
      "Its runs keep their files and results until gc. Cancel its jobs first.", 1, 1, 0,
      command_remove },
    { "gc", "", "list files no longer needed, or delete them",
      "Lists bytes by reason; --force deletes the files. Files that an experiment\n"
      "needs are never deleted.",
      0, 0, BIT(DRY_RUN) | BIT(FORCE) | BIT(YES) | BIT(FORMAT), command_gc },
    { "import", "FILE", "copy a safetensors file into the workspace",
      "Prints the value of train.init_from that names it. Names are those of the\n"
      "published models. With train.epochs = 0 a run evaluates the weights as they are.",
      1, 1, 0, command_import },
    { "data", "build|show|check|order SOURCE [TASK...]", "write, draw and check data",
      "SOURCE is a value of data.path, or a spec: its data.\n"
      "build writes the data below --output. show prints counts, or draws the tasks\n"
      "that are named after SOURCE (-o FILE, or --svg FILE: to an SVG file). check\n"
      "reads everything. order writes the batches of a training in the format of\n"
      "data.batch_order.",
      2, 1000, BIT(SET) | BIT(OUTPUT) | BIT(LAYOUT) | BIT(SVG), command_data },
    { "axes", "[KEY|schema|markdown|measures]", "every setting: bounds, default, meaning",
      "With KEY: the settings whose keys begin so. With schema: the JSON Schema of\n"
      "specs. With markdown: docs/settings.md. With measures: every measure.",
      0, 1, BIT(FORMAT) | COMMAND_PAGES, command_axes },
    { "doctor", "", "this machine, its libraries, the workspace", NULL, 0, 0,
      BIT(FORMAT) | BIT(FULL), command_doctor },
    { "completions", "SHELL", "a script that completes words in a shell",
      "SHELL is bash, zsh or fish. For bash: source <(hrmlab completions bash). The\n"
      "script calls `hrmlab completions -- WORD...`, which completes the last word.",
      1, 1000, 0, command_completions },
    { "help", "[COMMAND]", "this list, or the help of a command", NULL, 0, 1, BIT(MAN),
      print_help_of },
    { 0 },
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS - 1 };

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, COMMANDS[i].name) == 0)
            return &COMMANDS[i];
    return NULL;
}

static bool takes(const struct command *command, int option)
{
    return ((command->options | COMMAND_COMMON) & OPTION_BIT(option)) != 0;
}

static int unknown_command(const char *name, struct error *err)
{
    const char *names[COMMAND_COUNT];

    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = COMMANDS[i].name;
    const char *nearest = json_nearest_name(name, names, COMMAND_COUNT);
    return error_set(err, ERROR_FORMAT, "unknown command \"%.60s\"%s%s%s", name,
                     nearest != NULL ? "; did you mean \"" : "; see hrmlab --help",
                     nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* Reports an unknown option. command NULL: no command is known yet, so suggestions
 * come from all options. */
static int unknown_option(const struct command *command, const char *word, struct error *err)
{
    const char *names[OPTION_COUNT];
    int count = 0, dashes = (int)strspn(word, "-");
    char bare[100];

    for (int i = 0; i < OPTION_COUNT; i++)
        if (command == NULL || takes(command, i))
            names[count++] = OPTIONS[i].name;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word + dashes, "="), word + dashes);
    const char *nearest = dashes < 2 ? NULL : json_nearest_name(bare, names, count);
    if (nearest != NULL)
        return error_set(err, ERROR_FORMAT, "unknown option --%s; did you mean --%s?", bare,
                         nearest);
    return error_set(err, ERROR_FORMAT, "unknown option %.*s%s; see hrmlab %s%s--help", dashes,
                     "--", bare, command != NULL ? command->name : "",
                     command != NULL ? " " : "");
}

/* Reports an option of other commands and names these. */
static int foreign_option(const struct command *command, int option, struct error *err)
{
    char takers[300] = "";
    size_t used = 0;
    int count = 0, written = 0;

    for (int i = 0; i < COMMAND_COUNT; i++)
        count += takes(&COMMANDS[i], option);
    for (int i = 0; i < COMMAND_COUNT && used < sizeof takers; i++)
        if (takes(&COMMANDS[i], option)) {
            const char *between = written == 0 ? "" : written + 1 == count ? " and " : ", ";
            used += (size_t)snprintf(takers + used, sizeof takers - used, "%s%s", between,
                                     COMMANDS[i].name);
            written++;
        }
    return error_set(err, ERROR_FORMAT, "hrmlab %s: --%s is for %s; see hrmlab %s --help",
                     command->name, OPTIONS[option].name, takers, command->name);
}

/* The meaning of one of the command's options: of --format the formats that it has. */
static const char *meaning_of(const struct command *command, int option)
{
    static const struct {
        command_fn *run;
        const char *formats;
    } OTHERS[] = { { command_export, "csv, jsonl or tensorboard" },
                   { command_report, "markdown (without it HTML)" },
                   { command_show, "table, json, jsonl, markdown or latex" } };

    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (option == OPTION_FORMAT && command != NULL && command->run == OTHERS[i].run)
            return OTHERS[i].formats;
    return OPTIONS[option].meaning;
}

/* A format that the command lacks is refused where it was typed; HRMLAB_FORMAT, the
 * default of all commands, then counts for nothing. */
static int check_format(const struct command *command, struct options *options,
                        struct error *err)
{
    if (options->unknown_format != NULL)
        return error_set(err, ERROR_FORMAT, "--format %.60s: expected %s",
                         options->unknown_format, meaning_of(command, OPTION_FORMAT));
    if (options->format != FORMAT_EVENTS || (command->options & COMMAND_EVENTS) != 0)
        return 0;
    if ((options->given & OPTION_BIT(OPTION_FORMAT)) != 0)
        return error_set(
            err, ERROR_FORMAT,
            "hrmlab %s: the format tensorboard is for export; see hrmlab %s --help",
            command->name, command->name);
    options->format = FORMAT_TABLE;
    return 0;
}

/* Refuses options that exclude each other, and an executor that there is not. */
static int check_contradictions(const struct options *options, struct error *err)
{
    /* compare has the arguments EXPERIMENT, ARM ARM, or all three */
    bool named = options->argument_count == 1 || options->argument_count == 3;

    if (options->keep_going && options->max_fails > 0)
        return error_set(err, ERROR_FORMAT,
                         "--max-fails %d and --keep-going contradict each other; choose one",
                         options->max_fails);
    if (options->executor != NULL && executor_check_name(EXECUTORS, options->executor, err) < 0)
        return ERROR_FORMAT;
    if (options->experiment != NULL && named &&
        strcmp(options->experiment, options->arguments[0]) != 0)
        return error_set(err, ERROR_FORMAT,
                         "two experiments are named: %s and --experiment %s; choose one",
                         options->arguments[0], options->experiment);
    return 0;
}

int commands_check(const struct command **out, struct options *options, struct error *err)
{
    const struct command *command = options->command != NULL ? find(options->command) : NULL;

    *out = command;
    if (options->unknown != NULL)
        return unknown_option(command, options->unknown, err);
    if (options->command == NULL)
        return 0;
    if (command == NULL)
        return unknown_command(options->command, err);
    for (int i = 0; i < OPTION_COUNT; i++)
        if ((options->given & OPTION_BIT(i)) != 0 && !takes(command, i))
            return foreign_option(command, i, err);
    if (options->help)
        return 0;
    if (options->argument_count < command->least || options->argument_count > command->most)
        return error_set(err, ERROR_FORMAT,
                         "usage: hrmlab %s%s%s [options]; see hrmlab %s --help", command->name,
                         command->arguments[0] != '\0' ? " " : "", command->arguments,
                         command->name);
    int rc = check_format(command, options, err);
    return rc < 0 ? rc : check_contradictions(options, err);
}

/* command NULL: those of every command. */
static void print_options(const struct command *command, FILE *out)
{
    uint64_t set = COMMAND_COMMON | (command != NULL ? command->options : 0);

    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_entry *option = &OPTIONS[i];
        char letter[6] = "    ", left[40];

        if ((set & OPTION_BIT(i)) == 0)
            continue;
        if (option->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name,
                 option->value != NULL ? " " : "", option->value != NULL ? option->value : "");
        fprintf(out, "  %-22s  %s\n", left, meaning_of(command, i));
    }
}

void commands_print_help(const struct command *command, FILE *out)
{
    if (command != NULL) {
        fprintf(out, "usage: hrmlab %s%s%s [options]\n\n  %s\n", command->name,
                command->arguments[0] != '\0' ? " " : "", command->arguments, command->meaning);
        if (command->details != NULL)
            fprintf(out, "\n%s\n", command->details);
        fputs("\noptions:\n", out);
        print_options(command, out);
        return;
    }
    fputs("usage: hrmlab COMMAND [options]\n\n", out);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        char left[40];

        snprintf(left, sizeof left, "%s %s", COMMANDS[i].name, COMMANDS[i].arguments);
        fprintf(out, "  %-30s  %s\n", left, COMMANDS[i].meaning);
    }
    fputs("\noptions of every command (hrmlab COMMAND --help shows the others):\n", out);
    print_options(NULL, out);
    fputs("\nexit: 0 done, 1 some runs failed, 2 usage or bad input, 3 environment,\n"
          "130 interrupted (state safe)\n",
          out);
}

/* Prints text for troff: dashes and backslashes as themselves, no line a request. */
static void print_troff(const char *text, FILE *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool at_line = c == text || c[-1] == '\n';

        if (at_line && (*c == '.' || *c == '\''))
            fputs("\\&", out);
        if (*c == '-' || *c == '\\')
            fputs(*c == '-' ? "\\-" : "\\e", out);
        else
            fputc(*c, out);
    }
}

void commands_print_man(const struct command *command, FILE *out)
{
    fprintf(out, ".TH HRMLAB\\-%s 1 \"\" hrmlab \"User Commands\"\n", command->name);
    fprintf(out, ".SH NAME\nhrmlab\\-%s \\- ", command->name);
    print_troff(command->meaning, out);
    fprintf(out, "\n.SH SYNOPSIS\n.B hrmlab %s\n", command->name);
    print_troff(command->arguments, out);
    fputs("\n[\\fIoptions\\fR]\n", out);
    if (command->details != NULL) {
        fputs(".SH DESCRIPTION\n", out);
        print_troff(command->details, out);
        fputs("\n", out);
    }
    fputs(".SH OPTIONS\n", out);
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_entry *option = &OPTIONS[i];

        if (!takes(command, i))
            continue;
        fputs(".TP\n\\fB", out);
        if (option->letter != 0)
            fprintf(out, "\\-%c\\fR, \\fB", option->letter);
        fputs("\\-\\-", out);
        print_troff(option->name, out);
        fprintf(out, "\\fR%s%s%s\n", option->value != NULL ? " \\fI" : "",
                option->value != NULL ? option->value : "",
                option->value != NULL ? "\\fR" : "");
        print_troff(meaning_of(command, i), out);
        fputs("\n", out);
    }
    fputs(".SH SEE ALSO\n.BR hrmlab (1)\n", out);
}

/* help [COMMAND] */
static int print_help_of(const struct options *options, int *exit_code, struct error *err)
{
    const char *name = options->argument_count > 0 ? options->arguments[0] : NULL;
    const struct command *command = name != NULL ? find(name) : NULL;

    (void)exit_code;
    if (name != NULL && command == NULL)
        return unknown_command(name, err);
    if (options->man && command == NULL)
        return error_set(err, ERROR_FORMAT,
                         "hrmlab help --man: name a command; the page of the whole program is "
                         "docs/hrmlab.1");
    if (options->man)
        commands_print_man(command, stdout);
    else
        commands_print_help(command, stdout);
    return 0;
}
