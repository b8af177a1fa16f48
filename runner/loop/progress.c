/* progress.c - prints a line per running job and a total line, redrawn in place. */
#include "progress.h"

#include "clock.h"
#include "human.h"
#include "log.h"
#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_SIZE = 400, BAR = 24 };
static const double LIVE_INTERVAL_S = 0.5, PLAIN_INTERVAL_S = 10.0;

void progress_init(struct progress *progress, bool quiet, bool color)
{
    *progress = (struct progress){ .quiet = quiet, .color = color };
    progress->live = !quiet && isatty(STDERR_FILENO);
    progress->started_at = clock_monotonic_s();
    if (!progress->live)
        progress->next_at = progress->started_at + PLAIN_INTERVAL_S;
}

static void erase(struct progress *progress)
{
    for (int i = 0; i < progress->lines_drawn; i++)
        fputs("\033[A\033[2K", stderr);
    progress->lines_drawn = 0;
}

void progress_say(struct progress *progress, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    if (progress->quiet)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    erase(progress);
    log_info("%s", line);
    fflush(stderr);
}

/* Completed share of a job's work. */
static double job_share(const struct recorder_progress *p)
{
    double step = (double)p->step + (p->step_share > 0.0 ? p->step_share : 0.0);

    return p->total_steps > 0 ? step / (double)p->total_steps : 0.0;
}

/* Shortens a label: without the group of its setting ("halt_max_steps=4"), cut to
 * width bytes. */
static void shorten_label(char *out, size_t size, const char *label, int width)
{
    size_t used = 0, limit = width > 0 && (size_t)width < size ? (size_t)width : size - 1;

    for (const char *word = label; *word != '\0' && used < limit;) {
        size_t length = strcspn(word, " ");
        const char *equals = memchr(word, '=', length);
        const char *from = word;
        for (const char *at = word; equals != NULL && at < equals; at++)
            if (*at == '.')
                from = at + 1;
        length -= (size_t)(from - word);
        length += from[length] == ' ';
        if (length > limit - used)
            length = limit - used;
        memcpy(out + used, from, length);
        used += length;
        word = from + length;
    }
    out[used] = '\0';
    if (used == limit && used > 2 && limit < size - 1)
        memcpy(out + used - 2, "..", 2);
}

/* Formats the position: " step 12/400, 37 % of this step" in long training steps,
 * otherwise " 12/400" or " 37/400 rows". */
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

/* label_width: bytes for the label; 0: its whole length. */
static void format_job(char *out, size_t size, const struct progress_job *job, int label_width)
{
    const struct recorder_progress *p = job->progress;
    char eta[HUMAN_SIZE], label[200];

    shorten_label(label, sizeof label, job->label, label_width);
    int used =
        snprintf(out, size, "%s: %s", label, p->phase[0] != '\0' ? p->phase : "starting");

    used += format_place(out + used, size - (size_t)used, p);
    if (p->loss >= 0)
        used += snprintf(out + used, size - (size_t)used, " loss %.3f", p->loss);
    if (p->accuracy >= 0)
        used += snprintf(out + used, size - (size_t)used, " acc %.3f", p->accuracy);
    if (p->steps_per_s >= 0.5)
        used += snprintf(out + used, size - (size_t)used, " %.1f steps/s", p->steps_per_s);
    else if (p->steps_per_s > 0)
        used += snprintf(out + used, size - (size_t)used, " %.0f s/step", 1.0 / p->steps_per_s);
    if (p->eta_s >= 0) {
        human_duration(eta, p->eta_s);
        snprintf(out + used, size - (size_t)used, " ETA %s", eta);
    }
    for (char *at = out; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
}

/*
 * Estimates the seconds until all work is done; negative: unknown. Running trainings
 * report their remaining time at the rate of their current attempt, which gives the
 * rate of all of them; work of earlier sessions does not count. Until the first
 * report, the rate is that of the jobs done in this session.
 */
static double total_eta_s(const struct progress *progress, double done,
                          const struct progress_job *jobs, int count)
{
    double rate = 0.0, longest = 0.0, left = progress->work_total - done;

    for (int i = 0; i < count; i++) {
        double eta = jobs[i].progress->eta_s;
        double own = jobs[i].cost * (1.0 - job_share(jobs[i].progress));
        if (eta > 0.0 && own > 0.0)
            rate += own / eta;
        longest = eta > longest ? eta : longest;
    }
    if (rate <= 0.0)
        rate = progress->work_done / (clock_monotonic_s() - progress->started_at);
    if (rate <= 0.0)
        return -1.0;
    return left / rate > longest ? left / rate : longest;
}

static void format_total(char *out, size_t size, const struct progress *progress,
                         const struct progress_job *jobs, int count)
{
    char bar[BAR + 1], eta[HUMAN_SIZE] = "?";
    double done = progress->work_done;

    for (int i = 0; i < count; i++)
        done += job_share(jobs[i].progress) * jobs[i].cost;
    double share = progress->work_total > 0 ? done / progress->work_total : 0.0;
    if (share > 1.0)
        share = 1.0;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < (int)(share * BAR) ? '#' : '-';
    bar[BAR] = '\0';
    double eta_s = total_eta_s(progress, done, jobs, count);
    if (eta_s >= 0.0)
        human_duration(eta, eta_s);
    snprintf(out, size, "[%s] %3.0f %%, %d of %d jobs done%s, ETA %s", bar, 100.0 * share,
             progress->jobs_done, progress->jobs_total,
             progress->jobs_failed > 0 ? ", some failed" : "", eta);
}

static int terminal_width(void)
{
    struct winsize size = { 0 };

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

/* Prints a line. Workers choose the names of phases, so control characters are
 * removed. */
static void print_line(char *line, int width, const char *before, const char *after)
{
    line[text_make_printable(line, strlen(line), "")] = '\0';
    fprintf(stderr, "%s%.*s%s\n", before, width, line, after);
}

void progress_update(struct progress *progress, const struct progress_job *jobs, int count)
{
    char line[LINE_SIZE];
    double now = clock_monotonic_s();

    if (progress->quiet || now < progress->next_at)
        return;
    progress->next_at = now + (progress->live ? LIVE_INTERVAL_S : PLAIN_INTERVAL_S);
    if (!progress->live) {
        for (int i = 0; i < count; i++) {
            format_job(line, sizeof line, &jobs[i], 0);
            log_info("%s", line);
        }
        format_total(line, sizeof line, progress, jobs, count);
        log_info("%s", line);
        return;
    }
    int width = terminal_width() - 1;
    erase(progress);
    for (int i = 0; i < count; i++) {
        format_job(line, sizeof line, &jobs[i], width > 100 ? width - 66 : 34);
        print_line(line, width, "", "");
    }
    format_total(line, sizeof line, progress, jobs, count);
    print_line(line, width, progress->color ? "\033[1m" : "", progress->color ? "\033[0m" : "");
    progress->lines_drawn = count + 1;
    fflush(stderr);
}

void progress_finish(struct progress *progress)
{
    if (progress->live) {
        erase(progress);
        fflush(stderr);
    }
}
