/* live_view.c - a total, a line per experiment, per job and per failure. */
#include "live_view.h"

#include "braille.h"
#include "human.h"
#include "number.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_LINES = 200,
    WIDE = 99,
    DETAILED = 110, /* columns from which on a job's line has all */
    NARROW = 59,
    LEAST_BAR = 3,     /* columns */
    LEAST_NAME = 4,    /* bytes of an experiment's name in a label */
    FAILURE_LINES = 4, /* of one failure, at most */
    LEAST_LABEL = 16,  /* columns of an arm beside its failure */
    LABEL_INDENT = 2,
    CAUSE_INDENT = 6
};

void live_say(struct live *live, const char *text)
{
    if (live->message_count == LIVE_MESSAGES) {
        memmove(live->messages[0], live->messages[1],
                sizeof live->messages - sizeof live->messages[0]);
        live->message_count--;
    }
    snprintf(live->messages[live->message_count++], LIVE_LINE, "%s", text);
}

/* Share of a job's work that is done. */
static double job_share(const struct recorder_progress *p)
{
    double step = (double)p->step + (p->step_share > 0.0 ? p->step_share : 0.0);

    return p->total_steps > 0 ? step / (double)p->total_steps : 0.0;
}

/* The label with "halt_max_steps=4" for "arch.halt_max_steps=4" and a system's word for
 * "arch.name=" and that, without "name: " if that is the experiment. */
static void shorten_label(char *out, size_t size, const char *label, const char *experiment)
{
    static const char SYSTEM[] = "arch.name=";
    size_t used = 0, named = experiment != NULL ? strlen(experiment) : 0;

    if (named > 0 && strncmp(label, experiment, named) == 0 &&
        strncmp(label + named, ": ", 2) == 0)
        label += named + 2;
    for (const char *word = label; *word != '\0' && used + 1 < size;) {
        size_t length = strcspn(word, " ");
        const char *equals = memchr(word, '=', length);
        const char *from = word;
        for (const char *at = word; equals != NULL && at < equals; at++)
            if (*at == '.')
                from = at + 1;
        if (strncmp(word, SYSTEM, sizeof SYSTEM - 1) == 0)
            from = word + sizeof SYSTEM - 1;
        length -= (size_t)(from - word);
        length += from[length] == ' ';
        if (length > size - 1 - used)
            length = size - 1 - used;
        memcpy(out + used, from, length);
        used += length;
        word = from + length;
    }
    out[used] = '\0';
}

/* Cuts the first head bytes until the label has so many columns, or least bytes of them
 * are left. */
static void cut_head(char *label, size_t head, size_t least, int columns)
{
    int over = text_columns(label, strlen(label)) - columns;

    if (over <= 0 || head <= least)
        return;
    size_t keep = head > (size_t)over + 2 + least ? head - (size_t)over - 2 : least;
    keep = text_whole_characters(label, keep);
    memmove(label + keep + 2, label + head, strlen(label + head) + 1);
    memcpy(label + keep, "..", 2);
}

/* Takes away "key=" from the front on, until the label has so many columns. */
static void drop_keys(char *label, int columns)
{
    for (char *word = label; *word != '\0'; word += strcspn(word, " "), word += *word == ' ') {
        size_t key = strcspn(word, "= ");

        if (text_columns(label, strlen(label)) <= columns)
            return;
        if (word[key] == '=')
            memmove(word, word + key + 1, strlen(word + key + 1) + 1);
    }
}

/* Brings a label to so many columns. The experiment's name gives way first, then the
 * names of settings, then values, the seed never: "learning_r..: hrm 0.0.. seed 0". */
static void cut_label(char *label, int columns)
{
    char *colon = strstr(label, ": ");

    if (colon != NULL)
        cut_head(label, (size_t)(colon - label), LEAST_NAME, columns);
    drop_keys(label, columns);
    char *seed = strstr(label, " seed ");

    cut_head(label, seed != NULL ? (size_t)(seed - label) : strlen(label), 0, columns);
}

/* " step 12/400, 37 % of this step" in long training steps, " 12/400", " 37/400
 * rows". */
static int format_place(char *out, size_t size, const struct recorder_progress *p)
{
    const char *unit = strcmp(p->phase, "evaluate") == 0 ? "rows" : "results";

    if (p->part_total > 0.0)
        return snprintf(out, size, " %.0f/%.0f %s", floor(p->part_done), p->part_total, unit);
    if (p->total_steps <= 0)
        return 0;
    if (p->step_share >= 0.0)
        return snprintf(out, size, " step %lld/%lld, %.0f %% of this step",
                        (long long)p->step + 1, (long long)p->total_steps,
                        100.0 * p->step_share);
    return snprintf(out, size, " %lld/%lld", (long long)p->step, (long long)p->total_steps);
}

/* How much is told of a job. */
enum detail { DETAIL_TIME, DETAIL_PLACE, DETAIL_LOSS, DETAIL_ALL };

/* "train 12/400 loss 0.812 acc 0.530 3.1 steps/s ETA 3m05s"; without accuracy and rate;
 * without the loss, too; without the step. */
static void format_state(char *out, size_t size, const struct recorder_progress *p,
                         enum detail detail)
{
    char eta[HUMAN_SIZE], number[NUMBER_TEXT_SIZE];
    int used = snprintf(out, size, "%s", p->phase[0] != '\0' ? p->phase : "starting");

    if (detail >= DETAIL_PLACE)
        used += format_place(out + used, size - (size_t)used, p);
    if (detail >= DETAIL_LOSS && p->loss >= 0)
        used += snprintf(out + used, size - (size_t)used, " loss %s",
                         number_measure(number, p->loss, 3));
    if (detail == DETAIL_ALL && p->accuracy >= 0)
        used += snprintf(out + used, size - (size_t)used, " acc %s",
                         number_measure(number, p->accuracy, 3));
    if (detail == DETAIL_ALL && p->steps_per_s >= 0.5)
        used += snprintf(out + used, size - (size_t)used, " %.1f steps/s", p->steps_per_s);
    else if (detail == DETAIL_ALL && p->steps_per_s > 0)
        used += snprintf(out + used, size - (size_t)used, " %.0f s/step", 1.0 / p->steps_per_s);
    if (p->eta_s >= 0)
        snprintf(out + used, size - (size_t)used, " ETA %s", human_duration(eta, p->eta_s));
}

void live_describe_progress(char *out, size_t size, const struct recorder_progress *progress)
{
    format_state(out, size, progress, DETAIL_ALL);
}

void live_describe_job(char *out, size_t size, const struct live_job *job)
{
    char label[240], state[240];

    shorten_label(label, sizeof label, job->label, NULL);
    format_state(state, sizeof state, job->progress, DETAIL_ALL);
    snprintf(out, size, "%s: %s", label, state);
}

double live_worker_rate(const struct live *live)
{
    double rate = 0.0;

    for (int i = 0; i < live->job_count; i++) {
        const struct live_job *job = &live->jobs[i];
        double eta = job->progress->eta_s;
        double own = job->cost * (1.0 - job_share(job->progress));

        if (eta > 0.0 && own > 0.0)
            rate += own / eta;
    }
    return live->job_count > 0 ? rate / live->job_count : 0.0;
}

/* Seconds until all work is done; negative: not known. While no job tells its remaining
 * time, live->rate counts. done: of the running jobs. */
static double total_eta_s(const struct live *live, double done)
{
    int running =
        live->counts.running > live->job_count ? live->counts.running : live->job_count;
    double rate = live_worker_rate(live) * running;
    double longest = 0.0, left = live->work.open - done;

    for (int i = 0; i < live->job_count; i++)
        if (live->jobs[i].progress->eta_s > longest)
            longest = live->jobs[i].progress->eta_s;
    if (rate <= 0.0)
        rate = live->rate;
    if (rate <= 0.0)
        return -1.0;
    return left / rate > longest ? left / rate : longest;
}

static void draw_bar(char *out, double share, int columns)
{
    for (int i = 0; i < columns; i++)
        out[i] = i < (int)(share * columns) ? '#' : '-';
    out[columns] = '\0';
}

/* "12 of 30 jobs done (1 diverged), 2 failed, 1 cancelled" */
static int describe_counts(char *out, size_t size, const struct status_counts *counts,
                           int diverged)
{
    int used = snprintf(out, size, "%d of %d jobs done", counts->done, counts->total);

    if (diverged > 0)
        used += snprintf(out + used, size - (size_t)used, " (%d diverged)", diverged);
    if (counts->failed > 0)
        used += snprintf(out + used, size - (size_t)used, ", %d failed", counts->failed);
    if (counts->cancelled > 0)
        used += snprintf(out + used, size - (size_t)used, ", %d cancelled", counts->cancelled);
    return used;
}

static double share_of(const struct live_work *work, double running)
{
    double total = work->done + work->open;
    double share = total > 0 ? (work->done + running) / total : 0.0;

    return share > 1.0 ? 1.0 : share;
}

/* The share that is done; time: ", ETA 2h31m", or "" where nothing is left to do. */
static double find_share(char *time, size_t size, const struct live *live)
{
    char eta[HUMAN_SIZE] = "?";
    double running = 0.0;

    for (int i = 0; i < live->job_count; i++)
        running += job_share(live->jobs[i].progress) * live->jobs[i].cost;
    double eta_s = total_eta_s(live, running);
    if (eta_s >= 0.0)
        human_duration(eta, eta_s);
    bool open = live->counts.running + live->counts.queued > 0;
    snprintf(time, size, "%s%s", open ? ", ETA " : "", open ? eta : "");
    return share_of(&live->work, running);
}

void live_describe_share(char *out, size_t size, double *share, const struct live *live)
{
    char counts[120], time[HUMAN_SIZE + sizeof ", ETA "];

    *share = find_share(time, sizeof time, live);
    describe_counts(counts, sizeof counts, &live->counts, live->diverged);
    snprintf(out, size, "%s%s", counts, time);
}

void live_describe_total(char *out, size_t size, const struct live *live, int bar)
{
    char drawn[64], words[200];
    double share;

    live_describe_share(words, sizeof words, &share, live);
    draw_bar(drawn, share, bar < (int)sizeof drawn ? bar : (int)sizeof drawn - 1);
    if (bar >= LEAST_BAR)
        snprintf(out, size, "[%s] %3.0f %%, %s", drawn, 100.0 * share, words);
    else /* its columns are for the time left */
        snprintf(out, size, "%.0f %%, %s", 100.0 * share, words);
}

/* "10 %, 10 of 100 jobs, ETA 2h31m" */
static void describe_briefly(char *out, size_t size, const struct live *live)
{
    char time[HUMAN_SIZE + sizeof ", ETA "];
    double share = find_share(time, sizeof time, live);

    snprintf(out, size, "%.0f %%, %d of %d jobs%s", 100.0 * share, live->counts.done,
             live->counts.total, time);
}

/* What a job's line has, by the width of the terminal. */
struct job_columns {
    int label, curve; /* columns; curve 0: none */
    enum detail detail;
};

/* The columns that a label can have beside the widest state. */
static int label_room(const struct live *live, struct job_columns columns, int width)
{
    int widest = 0;

    for (int i = 0; i < live->job_count; i++) {
        char state[240];

        format_state(state, sizeof state, live->jobs[i].progress, columns.detail);
        int wide = text_columns(state, strlen(state));
        widest = wide > widest ? wide : widest;
    }
    return width - LABEL_INDENT - (columns.curve > 0 ? columns.curve + 1 : 0) - 1 - widest;
}

/* Labels get what the widest state leaves: it ends with the time left. Where that is
 * too little, curve and loss go, then the step. */
static struct job_columns choose_columns(const struct live *live, int width)
{
    static const struct job_columns PLAIN = { .detail = DETAIL_PLACE };
    struct job_columns columns = { .curve = width >= DETAILED ? 16 : 8,
                                   .detail = width >= DETAILED ? DETAIL_ALL : DETAIL_LOSS };
    int left = label_room(live, columns, width);

    if (width < NARROW || left < LEAST_LABEL) {
        columns = PLAIN;
        left = label_room(live, columns, width);
    }
    if (left < LEAST_LABEL) {
        columns.detail = DETAIL_TIME;
        left = label_room(live, columns, width);
    }
    left = left > LEAST_LABEL ? left : LEAST_LABEL;
    for (int i = 0; i < live->job_count; i++) {
        char label[240];

        shorten_label(label, sizeof label, live->jobs[i].label, live->experiment);
        cut_label(label, left);
        int label_width = text_columns(label, strlen(label));
        columns.label = label_width > columns.label ? label_width : columns.label;
    }
    return columns;
}

static void put_job(struct live_line *line, const struct live *live, const struct live_job *job,
                    struct job_columns columns)
{
    char label[240], state[240], curve[BRAILLE_BYTES(SPARKLINE_MOST)] = "";

    shorten_label(label, sizeof label, job->label, live->experiment);
    cut_label(label, columns.label);
    if (columns.curve > 0)
        sparkline(curve, columns.curve, job->points, job->point_count,
                  job->progress->total_steps);
    format_state(state, sizeof state, job->progress, columns.detail);
    int label_pad = columns.label - text_columns(label, strlen(label));
    int curve_pad = columns.curve - text_columns(curve, strlen(curve));
    snprintf(line->text, sizeof line->text, "%*s%.200s%*s %s%*s%s%s", LABEL_INDENT, "", label,
             label_pad, "", curve, curve_pad, "", columns.curve > 0 ? " " : "", state);
}

/* How many of count items get a line when there is room for so many lines: all, or one
 * less than room, whose last line counts the others. */
static int shown_of(int count, int room)
{
    return count <= room ? count : room > 1 ? room - 1 : 0;
}

static void put_jobs(struct live_lines *out, const struct live *live, int width, int room)
{
    struct job_columns columns = choose_columns(live, width);
    int shown = shown_of(live->job_count, room);

    for (int i = 0; i < shown; i++)
        put_job(live_lines_add(out), live, &live->jobs[i], columns);
    if (shown < live->job_count)
        snprintf(live_lines_add(out)->text, LIVE_LINE, "  ... and %d more",
                 live->job_count - shown);
}

/* Bytes of text that come onto one line of so many columns, broken between words where
 * there is a place for it. *next: where the line after it begins. */
static size_t line_of(const char *text, int columns, size_t *next)
{
    size_t all = strlen(text), end = 0;

    for (size_t at = 1; at <= all; at++)
        if ((text[at] == ' ' || text[at] == '\0') && text_columns(text, at) <= columns)
            end = at;
    if (end == 0 && all > 0) { /* a word that is wider */
        end = strcspn(text, " ");
        end = end == 0 ? all : end;
    }
    *next = end + strspn(text + end, " ");
    return end;
}

/* "  arm seed 3 (5f38d8c9): crash: killed by signal 11", in at most so many lines of
 * this width; the last one has all that is left. out NULL: only counts them. */
static int put_failure(struct live_lines *out, const struct live_failure *failure,
                       const struct live *live, int width, int most)
{
    char text[LIVE_LINE], label[200], cause[400];
    int lines = 0;

    shorten_label(label, sizeof label, failure->label, live->experiment);
    snprintf(cause, sizeof cause, " (%.8s): %s%s%s", failure->hash,
             failure->cause[0] != '\0' ? failure->cause : "failed",
             failure->message[0] != '\0' ? ": " : "", failure->message);
    int left = width * most - LABEL_INDENT - text_columns(cause, strlen(cause));

    if (most == 1) /* the arm gives way to the cause */
        cut_label(label, left > LEAST_LABEL ? left : LEAST_LABEL);
    snprintf(text, sizeof text, "%s%s", label, cause);
    for (size_t at = 0, next; text[at] != '\0'; at += next) {
        int indent = lines == 0 ? LABEL_INDENT : CAUSE_INDENT;
        size_t length = line_of(text + at, width - indent, &next);

        if (++lines == most)
            length = next = strlen(text + at);
        if (out == NULL)
            continue;
        struct live_line *line = live_lines_add(out);

        line->bad = true;
        snprintf(line->text, sizeof line->text, "%*s%.*s", indent, "", (int)length, text + at);
    }
    return lines;
}

/* Lines of all failures when each takes what it needs. */
static int failure_lines(const struct live *live, int width)
{
    int lines = 0;

    for (int i = 0; i < live->failure_count; i++)
        lines += put_failure(NULL, &live->failures[i], live, width, FAILURE_LINES);
    return lines;
}

static int shown_failures(const struct live *live, int room)
{
    return live->failure_count < room ? live->failure_count : room;
}

/* The newest first, each in as many lines as there are, but for one line of each
 * other. */
static void put_failures(struct live_lines *out, const struct live *live, int width, int room)
{
    int shown = shown_failures(live, room);

    for (int i = 0; i < shown; i++) {
        int most = room - (shown - 1 - i);

        room -= put_failure(out, &live->failures[i], live, width,
                            most < FAILURE_LINES ? most : FAILURE_LINES);
    }
}

static void put_groups(struct live_lines *out, const struct live *live)
{
    for (int i = 0; i < live->group_count; i++) {
        const struct live_group *group = &live->groups[i];
        char bar[11], counts[120];

        draw_bar(bar, share_of(&group->work, 0.0), 10);
        describe_counts(counts, sizeof counts, &group->counts, group->diverged);
        snprintf(live_lines_add(out)->text, LIVE_LINE, "  [%s] %-20s %s", bar, group->name,
                 counts);
    }
}

static void put_heading(struct live_lines *out, const struct live *live, int width)
{
    enum { AROUND_BAR = sizeof "[] 100 %, " - 1 };
    struct live_line *line = live_lines_add(out);
    int most = width >= WIDE ? 32 : width >= NARROW ? 20 : 6, left;
    char words[200];
    double share;

    live_describe_share(words, sizeof words, &share, live);
    left = width - AROUND_BAR - (int)strlen(words);
    left = left > 0 ? left : 0;
    line->strong = true;
    snprintf(line->text, sizeof line->text, "%s%s%s",
             live->experiment != NULL ? live->experiment : "all experiments",
             live->runner[0] != '\0' ? "; at work: " : "", live->runner);
    char *total = live_lines_add(out)->text;
    live_describe_total(total, LIVE_LINE, live, left < most ? left : most);
    /* what failed and was cancelled makes room for the time */
    if ((int)strlen(total) > width)
        describe_briefly(total, LIVE_LINE, live);
    put_groups(out, live);
}

bool live_view(struct live_lines *out, const struct live *live, int width, int height)
{
    width--; /* the last column stays free, as in live_screen_draw() */
    int most = height > 0 && height - 1 < MOST_LINES ? height - 1 : MOST_LINES;

    if (!live_lines_init(out, most))
        return false;
    put_heading(out, live, width);
    int left = most - out->count - live->message_count;
    int waiting = live->counts.queued;
    /* A heading for each list; failures get up to a third of the room. */
    int failures = live->failure_count > 0 ? 1 + failure_lines(live, width) : 0;
    if (failures > left / 3 && left - failures < 1 + live->job_count)
        failures = left / 3;
    if (left >= 2) {
        snprintf(live_lines_add(out)->text, LIVE_LINE, "running: %d, queued: %d",
                 live->counts.running, waiting);
        put_jobs(out, live, width, left - failures - 1);
    }
    if (failures >= 2) {
        snprintf(live_lines_add(out)->text, LIVE_LINE, "failed: %d%s", live->counts.failed,
                 live->counts.failed > shown_failures(live, failures - 1) ? ", the last ones:"
                                                                          : "");
        put_failures(out, live, width, failures - 1);
    }
    for (int i = 0; i < live->message_count; i++)
        shorten_label(live_lines_add(out)->text, LIVE_LINE, live->messages[i],
                      live->experiment);
    return true;
}
