/* test_live.c - watch, and run on a terminal: drawn in place, whole after every change of size,
 * nothing left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "file.h"
#include "live_view.h"
#include "progress.h"
#include "recorder.h"
#include "support/place.h"
#include "support/terminal.h"
#include "text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A view of that many jobs and failures; the texts are static. */
static struct live *make_live(int jobs, int failures)
{
    static struct recorder_progress progress = { .phase = "train",
                                                 .step = 100,
                                                 .total_steps = 400,
                                                 .loss = 0.8125,
                                                 .accuracy = 0.5,
                                                 .steps_per_s = 2.0,
                                                 .eta_s = 150.0,
                                                 .step_share = -1,
                                                 .part_done = -1,
                                                 .part_total = -1 };
    struct live *live = calloc(1, sizeof *live);

    assert_non_null(live);
    live->experiment = "demo";
    live->counts = (struct status_counts){
        .total = 100, .done = 10, .running = jobs, .queued = 90 - jobs - failures
    };
    live->counts.failed = failures;
    live->work = (struct live_work){ .done = 10.0, .open = 90.0 };
    for (int i = 0; i < jobs; i++)
        live->jobs[live->job_count++] =
            (struct live_job){ .label = "demo: arch.name=hrm arch.halt_max_steps=16 seed 3",
                               .cost = 1.0,
                               .progress = &progress,
                               .points = { { 0, 3.0 }, { 50, 1.0 }, { 100, 0.5 } },
                               .point_count = 3 };
    for (int i = 0; i < failures; i++)
        live->failures[live->failure_count++] =
            (struct live_failure){ .label = "demo: arch.name=hrm arch.halt_max_steps=8 seed 3",
                                   .hash = "0123456789abcdef",
                                   .cause = "out of memory",
                                   .message = "no memory for activations" };
    return live;
}

/* The counts and the steps give way to both times left. */
static void long_counts_and_steps_make_room_for_the_time_left_in_50_columns(void **state)
{
    struct live *live = make_live(1, 0);
    struct recorder_progress long_step = *live->jobs[0].progress;
    struct live_lines lines;

    (void)state;
    long_step.step = 123456;
    long_step.total_steps = 1000000;
    long_step.step_share = 0.45;
    live->jobs[0].progress = &long_step;
    live->counts.total = 100000;
    live->counts.done = 30000;
    live->counts.failed = live->counts.cancelled = 20000;
    assert_true(live_view(&lines, live, 50, 0));
    const char *total = lines.items[1].text, *job = lines.items[3].text;
    assert_non_null(strstr(total, " %, 30000 of 100000 jobs, ETA "));
    assert_non_null(strstr(job, " train ETA 2m30s"));
    for (int line = 0; line < lines.count; line++)
        assert_true(text_columns(lines.items[line].text, strlen(lines.items[line].text)) < 50);
    live_lines_release(&lines);
    free(live);
}

static void a_view_says_how_far_what_runs_and_what_failed_in_80_columns(void **state)
{
    static const char EXPECTED[] =
        "demo\n"
        "[##------------------]  10 %, 10 of 100 jobs done, 1 failed, ETA 2h31m\n"
        "running: 1, queued: 88\n"
        "  hrm halt_max_steps=16 seed 3 \xe2\xa0\x89\xe2\xa0\xa7\xe2\xa1\x84 "
        "     train 100/400 loss 0.813 ETA 2m30s\n"
        "failed: 1\n"
        "  hrm halt_max_steps=8 seed 3 (01234567): out of memory: no memory for\n"
        "      activations\n";
    struct live *live = make_live(1, 1);
    struct live_lines lines;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    live->work.open = 45.75; /* a quarter of 1 is done; 45.5 are left, at 1 in 200 s */
    live->work.done = 5.0;
    assert_true(live_view(&lines, live, 80, 0));
    live_lines_print(&lines, out, 80);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, EXPECTED);
    free(text);
    live_lines_release(&lines);
    free(live);
}

/* So that two columns of one page tell the same time left, also where not all jobs at work tell
 * theirs, or are looked at. */
static void a_worker_has_the_mean_rate_of_the_jobs_at_work(void **state)
{
    struct live *live = make_live(3, 0);
    struct recorder_progress silent = { .eta_s = -1 };
    char text[200];
    double share;

    (void)state;
    live->jobs[0].cost = 100.0;
    live->jobs[1].cost = 300.0; /* three quarters of each are left, for 150 s */
    live->jobs[2].progress = &silent;
    assert_true(live_worker_rate(live) == 2.0 / 3.0);
    live->work = (struct live_work){ .open = 100.0 + 12000.0 };
    live->counts.running = 3;
    live_describe_share(text, sizeof text, &share, live);
    assert_non_null(strstr(text, "ETA 1h40m"));
    live->counts.running = 300;
    live_describe_share(text, sizeof text, &share, live);
    assert_non_null(strstr(text, "ETA 2m30s")); /* of the longest of those that tell */
    live->work.open = 100.0 + 120000.0;
    live_describe_share(text, sizeof text, &share, live);
    assert_non_null(strstr(text, "ETA 10m00s"));
    live->job_count = 0;
    assert_true(live_worker_rate(live) == 0.0);
    free(live);
}

/* The name of an experiment gives way, then those of settings; the time left is whole. */
static void long_labels_keep_their_values_and_the_time_left(void **state)
{
    static const struct {
        int width;
        const char *label, *end;
    } CASES[] = {
        { 50, "  lear..: hrm 16.. seed 3 ", " train 100/400 ETA 2m30s" },
        { 60, "  lear..: hrm 16 0.0012345.. seed 3 ", " train 100/400 ETA 2m30s" },
        { 80, "  lear..: hrm 16 0.0012345.. seed 3 ", " train 100/400 loss 0.813 ETA 2m30s" },
        { 94, "  lear..: hrm 16 lr=0.00123456789 seed 3 \xe2", " ETA 2m30s" }, /* the curve */
        { 100, "  lear..: hrm halt_max_steps=16 lr=0.00123456789 seed 3 ", " ETA 2m30s" },
        { 140, "  learning_rates: hrm halt_max_steps=16 lr=0.00123456789 seed 3 ",
          " acc 0.500 2.0 steps/s ETA 2m30s" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct live *live = make_live(1, 0);
        struct live_lines lines;

        live->experiment = NULL;
        live->counts.cancelled = CASES[i].width == 60 ? 30000 : 0;
        live->jobs[0].label = "learning_rates: arch.name=hrm arch.halt_max_steps=16 "
                              "train.lr=0.00123456789 seed 3";
        assert_true(live_view(&lines, live, CASES[i].width, 0));
        const char *total = lines.items[1].text, *job = lines.items[3].text;

        /* a bar that would be too short makes room for the time */
        assert_true((total[0] == '[') == (CASES[i].width != 60));
        assert_string_equal(total + strlen(total) - strlen("ETA 4h59m"), "ETA 4h59m");
        size_t length = strlen(job), end = strlen(CASES[i].end);

        assert_memory_equal(job, CASES[i].label, strlen(CASES[i].label));
        assert_string_equal(job + length - end, CASES[i].end);
        for (int line = 0; line < lines.count; line++)
            assert_true(text_columns(lines.items[line].text, strlen(lines.items[line].text)) <
                        CASES[i].width);
        live_lines_release(&lines);
        free(live);
    }
}

/* However many there are, the lines fit, and those without room are counted. */
static void a_view_never_has_more_lines_than_the_terminal(void **state)
{
    (void)state;
    for (int height = 4; height < 60; height += 3)
        for (int jobs = 0; jobs <= LIVE_JOBS; jobs += 16) {
            struct live *live = make_live(jobs, jobs > 0 ? LIVE_FAILURES : 0);
            struct live_lines lines;
            int told = 0, more = 0, failures = 0, causes = 0;

            assert_true(live_view(&lines, live, 80, height));
            assert_true(lines.count < height);
            for (int i = 0; i < lines.count; i++) {
                told += strstr(lines.items[i].text, "train 100/400") != NULL;
                sscanf(lines.items[i].text, "  ... and %d more", &more);
                failures += strstr(lines.items[i].text, "(01234567)") != NULL;
                causes += strstr(lines.items[i].text, "activations") != NULL;
                assert_true(strlen(lines.items[i].text) <= 80 ||
                            strstr(lines.items[i].text, "train") != NULL);
            }
            if (height > 10)
                assert_int_equal(told + more, jobs);
            assert_int_equal(causes, failures); /* to their ends, in one line or in two */
            live_lines_release(&lines);
            free(live);
        }
}

static int count_of(const char *text, const char *words)
{
    int count = 0;

    for (; (text = strstr(text, words)) != NULL; text++)
        count++;
    return count;
}

/* Lines with something in them. */
static int lines_of(const char *text)
{
    int count = 0;

    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        count += *line != '\n';
    return count;
}

/* The screen has the view once, whatever size the terminal takes meanwhile. */
/* As those of a cluster may be: a view has room for some of them. */
static void jobs_that_are_not_drawn_are_counted_as_running(void **state)
{
    struct recorder_progress at;
    struct live_job job = { .label = "arm", .cost = 1.0, .progress = &at };
    struct progress *progress = calloc(1, sizeof *progress);

    (void)state;
    assert_non_null(progress);
    recorder_progress_init(&at);
    progress_init(progress, &(struct progress_setup){ .plain = true });
    progress->jobs_total = 120;
    progress_update(progress, NULL, &job, 1, 100);
    assert_int_equal(progress->live.counts.running, 100);
    assert_int_equal(progress->live.counts.queued, 20);
    progress_finish(progress);
    free(progress);
}

static void watch_is_drawn_in_place_and_survives_resizing(void **state)
{
    static const int SIZES[][2] = { { 24, 80 }, { 10, 41 }, { 40, 120 }, { 6, 60 } };
    struct place place;
    struct terminal terminal;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    const char *const words[] = { "watch", "t", NULL };
    terminal_start(&terminal, place_hrmlab(), place.workspace, words, 24, 80);
    terminal_wait_for(&terminal, "no runner is at work");
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        terminal_resize(&terminal, SIZES[i][0], SIZES[i][1]);
        terminal_wait_for(&terminal, "0 of 2 jobs done");
        terminal_settle(&terminal);
        char *screen = terminal_text(&terminal);
        assert_int_equal(count_of(screen, "of 2 jobs"), 1);
        assert_int_equal(lines_of(screen), 4); /* a heading, the total, jobs, the message */
        free(screen);
    }
    terminal_send(&terminal, "\003"); /* Ctrl-C */
    assert_int_equal(terminal_finish(&terminal), 130);
    assert_false(terminal.steered); /* no mode was changed: nothing is to be restored */
    assert_int_equal(terminal.column, 0);
    terminal_release(&terminal);
    place_remove(&place);
}

static void a_killed_watch_leaves_the_terminal_clean(void **state)
{
    struct place place;
    struct terminal terminal;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    const char *const words[] = { "watch", NULL };
    terminal_start(&terminal, place_hrmlab(), place.workspace, words, 24, 80);
    terminal_wait_for(&terminal, "no runner is at work");
    kill(terminal.pid, SIGKILL);
    assert_int_equal(terminal_finish(&terminal), 128 + SIGKILL);
    assert_false(terminal.steered);
    assert_int_equal(terminal.column, 0);
    terminal_release(&terminal);
    place_remove(&place);
}

static void run_on_a_terminal_has_the_same_view_and_ends_with_what_failed(void **state)
{
    struct place place;
    struct terminal terminal;

    (void)state;
    place_make(&place);
    const char *const words[] = { "run", place.spec, "--set", "train.max_steps=20", NULL };
    terminal_start(&terminal, place_hrmlab(), place.workspace, words, 24, 100);
    terminal_wait_for(&terminal, "running: ");
    assert_int_equal(terminal_finish(&terminal), 0);
    assert_false(terminal.steered);
    char *screen = terminal_text(&terminal);
    assert_non_null(
        strstr(screen, "[################################] 100 %, 2 of 2 jobs done"));
    assert_int_equal(count_of(screen, "jobs done"), 1);
    assert_non_null(strstr(screen, "see: hrmlab results t"));
    free(screen);
    terminal_release(&terminal);
    /* Without a terminal: a snapshot and lines of log. */
    char *out, *errors;
    const char *const watch[] = { "watch", "last", NULL };
    assert_int_equal(place_run(&place, watch, &out, &errors), 0);
    assert_string_equal(out, "t\n[####################] 100 %, 2 of 2 jobs done\n"
                             "running: 0, queued: 0\n");
    free(out);
    free(errors);
    const char *const other[] = { "watch", "other", NULL };
    assert_int_equal(place_run(&place, other, &out, &errors), 2);
    assert_non_null(strstr(errors, "no experiment \"other\""));
    free(out);
    free(errors);
    place_remove(&place);
}

/* On a terminal only, and with the width of the terminal. */
static void long_output_goes_through_the_pager_of_a_terminal(void **state)
{
    struct place place;
    struct terminal terminal;
    char *out, *errors;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    setenv("HRMLAB_PAGER", "sed 's/^/paged: /'", 1);
    const char *const words[] = { "status", "--color", "never", NULL };
    terminal_start(&terminal, place_hrmlab(), place.workspace, words, 24, 60);
    assert_int_equal(terminal_finish(&terminal), 0);
    char *screen = terminal_text(&terminal);
    assert_non_null(strstr(screen, "paged: t "));
    free(screen);
    terminal_release(&terminal);
    assert_int_equal(place_run(&place, words, &out, &errors), 0);
    assert_null(strstr(out, "paged"));
    free(out);
    free(errors);
    unsetenv("HRMLAB_PAGER");
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_counts_and_steps_make_room_for_the_time_left_in_50_columns),
        cmocka_unit_test(a_view_says_how_far_what_runs_and_what_failed_in_80_columns),
        cmocka_unit_test(a_worker_has_the_mean_rate_of_the_jobs_at_work),
        cmocka_unit_test(long_labels_keep_their_values_and_the_time_left),
        cmocka_unit_test(a_view_never_has_more_lines_than_the_terminal),
        cmocka_unit_test(jobs_that_are_not_drawn_are_counted_as_running),
        cmocka_unit_test(watch_is_drawn_in_place_and_survives_resizing),
        cmocka_unit_test(a_killed_watch_leaves_the_terminal_clean),
        cmocka_unit_test(long_output_goes_through_the_pager_of_a_terminal),
        cmocka_unit_test(run_on_a_terminal_has_the_same_view_and_ends_with_what_failed),
    };

    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
