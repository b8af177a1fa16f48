/* test_present.c - results arranged as a person asks: sorted, chosen, pivoted, completed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compare.h"
#include "curve_plot.h"
#include "curve_query.h"
#include "error.h"
#include "file.h"
#include "filter.h"
#include "live_query.h"
#include "pivot.h"
#include "query.h"
#include "results_table.h"
#include "run_list.h"
#include "run_tables.h"
#include "store.h"
#include "support/opened.h"
#include "support/place.h"
#include "support/release_1.h"
#include "table_arrange.h"
#include "text.h"

static struct opened opened;
static struct store *store;
static struct results *results;

/* The workspace of the first release: two arms by arch.name, one seed, two evaluations. */
static int open_workspace(void **state)
{
    struct error err;

    (void)state;
    opened_make(&opened);
    store = opened.store;
    must(results_load(&results, store, "last", NULL, 0, RESULTS_LAST, &err), &err);
    return 0;
}

static int close_workspace(void **state)
{
    (void)state;
    results_destroy(results);
    opened_remove(&opened);
    return 0;
}

static void expect_print(struct table *table, enum output_format format, const char *expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct error err;

    assert_non_null(out);
    must(table_print(table, out, format, false, &err), &err);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

/* name, number, value: b 2 0.5; a 10 -; a 9 0.25; c 1 1.5 */
static struct table *make_table(void)
{
    static const struct table_column columns[] = {
        { .name = "name", .type = TABLE_TEXT, .fold = true },
        { .name = "number", .title = "no.", .type = TABLE_INT, .machine_only = true },
        { .name = "value", .type = TABLE_REAL, .digits = 2 },
    };
    static const struct {
        const char *name;
        int number;
        double value;
    } ROWS[] = { { "b", 2, 0.5 }, { "a", 10, -1 }, { "a", 9, 0.25 }, { "c", 1, 1.5 } };
    struct table *table;

    assert_int_equal(table_create(&table, columns, 3, NULL), 0);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        table_row(table);
        table_text(table, ROWS[i].name);
        table_int(table, ROWS[i].number);
        if (ROWS[i].value < 0)
            table_empty(table);
        else
            table_real(table, ROWS[i].value);
    }
    return table;
}

static void rows_are_sorted_by_several_columns_and_empty_ones_come_last(void **state)
{
    struct table *table = make_table();
    struct error err;

    (void)state;
    must(table_sort(table, "name,-no.", &err), &err);
    expect_print(table, FORMAT_CSV, "name,number,value\na,10,\na,9,0.25\nb,2,0.5\nc,1,1.5\n");
    must(table_sort(table, "-value", &err), &err);
    expect_print(table, FORMAT_CSV, "name,number,value\nc,1,1.5\nb,2,0.5\na,9,0.25\na,10,\n");
    assert_int_equal(table_sort(table, "nmae", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "did you mean \"name\"?"));
    assert_int_equal(table_sort(table, ",", &err), ERROR_FORMAT);
    table_destroy(table);
}

/* Those of a setting that takes a word, too. */
static void numbers_among_words_are_sorted_by_their_size(void **state)
{
    static const struct table_column COLUMN[] = { { .name = "voted", .type = TABLE_TEXT } };
    static const char *const TEXTS[] = { "all", "10", "2", "nan", "1e1", "-3", "" };
    struct table *table;
    struct error err;

    (void)state;
    must(table_create(&table, COLUMN, 1, &err), &err);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        table_row(table);
        table_text(table, TEXTS[i]);
    }
    must(table_sort(table, "voted", &err), &err);
    expect_print(table, FORMAT_CSV, "voted\n-3\n2\n10\n1e1\n\nall\nnan\n");
    must(table_sort(table, "-voted", &err), &err);
    expect_print(table, FORMAT_CSV, "voted\nnan\nall\n\n1e1\n10\n2\n-3\n");
    table_destroy(table);
}

static void chosen_columns_are_seen_by_people_too_in_the_order_asked(void **state)
{
    struct table *table = make_table();
    struct error err;

    (void)state;
    table_keep(table, "value", FILTER_GE, 0.5);
    must(table_choose(table, "number,name", &err), &err);
    expect_print(table, FORMAT_TABLE, "no.  name\n  2  b\n  1  c\n");
    assert_int_equal(table_choose(table, "value", &err), ERROR_FORMAT);
    assert_int_equal(table_choose(table, "name,name", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "named twice"));
    table_destroy(table);
}

static void conditions_on_measures_are_told_from_those_on_settings(void **state)
{
    enum metric metric;
    enum filter_relation relation;
    struct error err;
    double number;

    (void)state;
    assert_int_equal(filter_find_measure(&metric, &relation, &number, "pass_at_2>=0.5", &err),
                     1);
    assert_int_equal(metric, METRIC_PASS_AT_2);
    assert_int_equal(relation, FILTER_GE);
    assert_true(number == 0.5);
    assert_int_equal(filter_find_measure(&metric, &relation, &number, "train.lr<1", &err), 0);
    assert_int_equal(filter_find_measure(&metric, &relation, &number, "loss<much", &err),
                     ERROR_FORMAT);
    assert_non_null(strstr(err.message, "expected a number after loss<"));
    assert_int_equal(filter_find_measure(&metric, &relation, &number, "loss<nan", &err),
                     ERROR_FORMAT);
}

static void a_pivot_has_a_row_and_a_column_per_value(void **state)
{
    struct table *table;
    struct error err;

    (void)state;
    must(pivot_table(&table, store, results, "arch.name", "eval.halt_max_steps",
                     METRIC_PER_TOKEN_ACCURACY, &err),
         &err);
    expect_print(table, FORMAT_TABLE,
                 "token acc of t by arch.name and halt_max_steps\n"
                 "name             1      2\n"
                 "hrm          0.388  0.388\n"
                 "transformer  0.377  0.376\n"
                 "each a mean over 1 value (seeds, other settings)\n");
    table_destroy(table);
    must(pivot_table(&table, store, results, "eval.halt_max_steps", NULL, METRIC_PASS_AT_2,
                     &err),
         &err);
    expect_print(table, FORMAT_CSV, "eval.halt_max_steps,pass_at_2\n1,0\n2,0\n");
    table_destroy(table);
    must(pivot_table(&table, store, results, "arch.name", NULL, METRIC_SHORTEST_PATHS, &err),
         &err);
    expect_print(table, FORMAT_TABLE,
                 "shortest paths of t by arch.name\n"
                 "name\n"
                 "no value of shortest paths has been recorded\n");
    table_destroy(table);
    assert_int_equal(
        pivot_table(&table, store, results, "arch.nmae", NULL, METRIC_PASS_AT_2, &err),
        ERROR_FORMAT);
    assert_non_null(strstr(err.message, "did you mean \"arch.name\"?"));
    assert_int_equal(
        pivot_table(&table, store, results, "arch.name", "arch.name", METRIC_PASS_AT_2, &err),
        ERROR_FORMAT);
}

static void the_first_runs_are_listed_with_their_newest_trainings(void **state)
{
    struct table *table;
    struct error err;

    (void)state;
    database_change(opened.directory,
                    "INSERT INTO job (run_id, kind, state, cause, queued_at) SELECT run_id,"
                    " 'train', 'failed', 'crash', '' FROM run;"
                    "INSERT INTO job (run_id, kind, state, queued_at) SELECT run_id,"
                    " 'evaluate', 'queued', '' FROM run");
    must(run_list(&table, store, results->experiment, 1, &err), &err);
    expect_print(table, FORMAT_CSV,
                 "arm,seed,run_hash,state,cause,steps,total_steps,attempts\n"
                 "arch.name=hrm,0,"
                 "ec8813320c97792ee025bb390cb5567900b8649c24fb143c515b796e5cc2e1ca,"
                 "failed,crash,3,3,1\n");
    table_destroy(table);
}

static void failures_are_those_of_the_experiment(void **state)
{
    struct live_failure failures[2];
    struct error err;
    int count;

    (void)state;
    database_change(opened.directory,
                    "UPDATE job SET state = 'failed', cause = 'crash' WHERE run_id = 2");
    must(live_failures(store, failures, 2, &count, results->experiment, &err), &err);
    assert_int_equal(count, 1);
    assert_string_equal(failures[0].cause, "crash");
    must(live_failures(store, failures, 2, &count, "other", &err), &err);
    assert_int_equal(count, 0);
    must(live_failures(store, failures, 2, &count, NULL, &err), &err);
    assert_int_equal(count, 1);
}

static void a_pivot_by_seed_has_a_row_per_seed(void **state)
{
    struct results *more;
    struct table *table;
    struct error err;

    (void)state;
    database_change(opened.directory, "UPDATE run SET seed = 12 WHERE run_id = 1;"
                                      "UPDATE run SET seed = 3 WHERE run_id = 2");
    must(results_load(&more, store, "last", NULL, 0, RESULTS_LAST, &err), &err);
    must(pivot_table(&table, store, more, "train.seed", "eval.halt_max_steps", METRIC_PASS_AT_2,
                     &err),
         &err);
    expect_print(table, FORMAT_CSV,
                 "train.seed,eval.halt_max_steps=1,eval.halt_max_steps=2\n3,0,0\n12,0,0\n");
    table_destroy(table);
    results_destroy(more);
}

static void runs_that_share_their_settings_share_all_values_but_the_seed(void **state)
{
    struct result_row a = results->rows[0], b = a;
    const struct result_row *other = &results->rows[results->row_count - 1];
    struct table *table;
    struct error err;

    (void)state;
    assert_true(a.config_id != 0 && other->config_id != a.config_id);
    b.seed++;
    assert_true(result_axis_is_shared(results, &a, &b, "data.canvas"));
    assert_false(result_axis_is_shared(results, &a, &b, "train.seed"));
    b.config_id = other->config_id;
    assert_false(result_axis_is_shared(results, &a, &b, "data.canvas"));
    assert_true(result_axis_is_shared(results, &a, &b, "arch.name")); /* an axis */
    assert_false(result_axis_is_shared(results, &a, other, "data.canvas"));
    must(pivot_table(&table, store, results, "arch.H_cycles", "train.seed",
                     METRIC_PER_TOKEN_ACCURACY, &err),
         &err);
    expect_print(table, FORMAT_CSV,
                 "arch.H_cycles,train.seed=0\n"
                 "2,0.3879083690070418\ninactive,0.37647326447455975\n");
    table_destroy(table);
}

static void every_other_arm_is_compared_with_the_baseline(void **state)
{
    struct comparison_list list = { 0 };
    struct compare *compare;
    struct error err;

    (void)state;
    must(compare_create(&compare, store, results, METRIC_PASS_AT_2, &err), &err);
    must(compare_baseline(&list, compare, "arch.name=transformer", &err), &err);
    assert_int_equal(list.count, 2); /* one arm, two evaluations */
    for (int i = 0; i < list.count; i++)
        assert_string_equal(list.items[i].group, "arch.name=hrm - arch.name=transformer");
    comparison_list_release(&list);
    assert_int_equal(compare_baseline(&list, compare, "arch.name=trm", &err), ERROR_ABSENT);
    compare_destroy(compare);
}

static void curves_are_of_trainings_or_of_evaluations_on_the_way(void **state)
{
    struct results *all;
    struct curves curves;
    struct error err;

    (void)state;
    must(results_load(&all, store, "t", NULL, 0, RESULTS_ALL, &err), &err);
    must(curves_load(&curves, store, all, CURVES_DEFAULT, &err), &err);
    assert_int_equal(curves.count, 2); /* two arms, one seed */
    assert_string_equal(curves.items[0].label, "arch.name=hrm");
    assert_int_equal(curves.items[0].points[curves.items[0].count - 1].step, 3);
    curves_release(&curves);
    must(curves_load(&curves, store, all, "token", &err), &err);
    assert_int_equal(curves.count, 4); /* and two evaluations each */
    assert_string_equal(curves.items[1].label, "arch.name=hrm, infer 2, voted all");
    assert_int_equal(curves.items[1].count, 2); /* untrained and last */
    assert_true(curves.items[1].points[0].step == 0 && curves.items[1].points[1].step == 3);
    curves_release(&curves);
    /* what all evaluations record besides is not said */
    for (int i = 0; i < all->row_count; i++)
        all->rows[i].evaluation = all->rows[i].outer_steps == 2
                                      ? "{\"eval.trajectory\":true}"
                                      : "{\"eval.halt_max_steps\":1,\"eval.trajectory\":true}";
    must(curves_load(&curves, store, all, "token", &err), &err);
    assert_string_equal(curves.items[1].label, "arch.name=hrm, infer 2, voted all");
    curves_release(&curves);
    for (int i = 0; i < all->row_count; i++)
        if (all->rows[i].outer_steps == 1)
            all->rows[i].evaluation = "{}";
    must(curves_load(&curves, store, all, "token", &err), &err);
    assert_string_equal(curves.items[0].label,
                        "arch.name=hrm, infer 1, voted all, trajectory false");
    assert_string_equal(curves.items[1].label,
                        "arch.name=hrm, infer 2, voted all, trajectory true");
    curves_release(&curves);
    for (int i = 0; i < all->row_count; i++)
        all->rows[i].evaluation = all->rows[i].outer_steps == 1 ? "{}" : "{\"eval.seed\":0}";
    /* curves of one label are drawn as seeds of one evaluation */
    for (int i = 0; i < all->row_count; i++)
        all->rows[i].act_inference = all->rows[i].train_split = all->rows[i].outer_steps == 2;
    must(curves_load(&curves, store, all, "token", &err), &err);
    assert_string_equal(curves.items[1].label,
                        "arch.name=hrm, infer 2, voted all, ACT, train split");
    curves_release(&curves);
    assert_int_equal(curves_load(&curves, store, all, "train/none", &err), ERROR_ABSENT);
    assert_non_null(strstr(err.message, "train/lm_loss"));
    assert_int_equal(curves_load(&curves, store, all, "task_exact_votes", &err), ERROR_FORMAT);
    results_destroy(all);
}

/* The first release's transformer has no L cycles, whatever its spec says. */
static void tables_leave_out_what_has_no_effect_on_an_arm(void **state)
{
    static const struct shown SHOWN = { { METRIC_PASS_AT_2 }, 1 };
    struct results *all;
    struct curves curves;
    struct table *table;
    struct error err;

    (void)state;
    database_change(opened.directory, "UPDATE arm SET axes = json_set(axes,"
                                      " '$.\"arch.L_cycles\"', 2, '$.\"train.lr\"', 0.5)");
    must(results_load(&all, store, "t", NULL, 0, RESULTS_ALL, &err), &err);
    must(results_arms_table(&table, all, &SHOWN, &err), &err);
    must(table_choose(table, "arch.name,arch.L_cycles,train.lr,eval_outer_steps", &err), &err);
    expect_print(table, FORMAT_CSV,
                 "arch.name,arch.L_cycles,train.lr,eval_outer_steps\nhrm,2,0.5,1\nhrm,2,0.5,2\n"
                 "transformer,,0.5,1\ntransformer,,0.5,2\n");
    table_destroy(table);
    must(pivot_table(&table, store, all, "arch.name", "arch.L_cycles", METRIC_PASS_AT_2, &err),
         &err);
    expect_print(table, FORMAT_CSV,
                 "arch.name,arch.L_cycles=2,arch.L_cycles=inactive\nhrm,0,\ntransformer,,0\n");
    table_destroy(table);
    must(curves_load(&curves, store, all, "train/lm_loss", &err), &err);
    must(curves_table(&table, &curves, all, &err), &err);
    table_keep(table, "step", FILTER_EQ, 3);
    must(table_choose(table, "arch.name,arch.L_cycles", &err), &err);
    expect_print(table, FORMAT_CSV, "arch.name,arch.L_cycles\nhrm,2\ntransformer,\n");
    table_destroy(table);
    curves_release(&curves);
    results_destroy(all);
}

static void what_is_small_in_a_run_is_not_shown_as_zero(void **state)
{
    struct table *tables[RUN_TABLES];
    char *text = NULL;
    size_t size = 0;
    struct error err;

    (void)state;
    database_change(opened.directory, "UPDATE baseline SET pass_at_2 = 0.00012345;"
                                      "UPDATE training SET train_flops = 2.71828e8");
    must(run_tables(store, tables, results->rows[0].hash, true, &err), &err);
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    must(table_print(tables[0], out, FORMAT_TABLE, false, &err), &err);
    fclose(out);
    assert_non_null(strstr(text, "0.0002718 TFLOP\n"));
    assert_non_null(strstr(text, "pass@2 0.000123, per token 0.674\n"));
    free(text);
    for (int i = 0; i < RUN_TABLES; i++)
        table_destroy(tables[i]);
}

/* Two seeds that fall from 1 and 3 to 0, drawn so wide; fresh. */
static char *drawn(int width)
{
    struct curve_point first[] = { { 0, 1 }, { 50, 0.5 }, { 100, 0 } };
    struct curve_point second[] = { { 0, 3 }, { 100, 0 } };
    char label[] = "an arm";
    struct curve items[] = { { label, 0, 0, first, 3 }, { label, 0, 1, second, 2 } };
    struct curves curves = { "train/lm_loss", items, 2 };
    struct error err;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    must(curves_draw(out, &curves, width, false, &err), &err);
    fclose(out);
    return text;
}

static void drawn_curves_fit_the_terminal_and_tell_their_range(void **state)
{
    static const int WIDTHS[] = { 40, 80, 100, 120 };

    (void)state;
    for (size_t i = 0; i < sizeof WIDTHS / sizeof *WIDTHS; i++) {
        char *text = drawn(WIDTHS[i]);
        const char *line = text;
        int count = 0;

        assert_non_null(strstr(text, "an arm: train/lm_loss 0 at the end, 2"));
        assert_non_null(strstr(text, "\n       3 "));
        assert_non_null(strstr(text, "100 training steps\n"));
        for (; *line != '\0'; count++) {
            size_t length = strcspn(line, "\n");

            assert_true(text_columns(line, length) <= WIDTHS[i]);
            line += length + 1;
        }
        /* one panel for both seeds; its title may take two lines */
        assert_int_equal(count, WIDTHS[i] < 43 ? 9 : 8);
        free(text);
    }
}

/* Seeds end at different steps: an epoch takes one a step more than another. */
static void the_value_at_the_end_is_the_mean_over_all_seeds(void **state)
{
    struct curve_point first[] = { { 0, 1 }, { 99, -1.25e-5 } };
    struct curve_point second[] = { { 0, 1 }, { 100, -3.75e-5 } };
    struct curve_point third[] = { { 0, 1 }, { 6, 0.5 } };
    char label[] = "an arm", diverged[] = "another";
    struct curve items[] = { { label, 0, 0, first, 2 },
                             { label, 0, 1, second, 2 },
                             { diverged, 1, 0, third, 2 } };
    struct curves curves = { "train/lm_loss", items, 3 };
    struct error err;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    assert_non_null(out);
    must(curves_draw(out, &curves, 80, false, &err), &err);
    fclose(out);
    assert_non_null(strstr(text, "an arm: train/lm_loss -2.5e-05 at the end, 2 seeds"));
    assert_non_null(strstr(text, "another: train/lm_loss 0.5 at step 6, 1 seed\n"));
    /* a number that would move the drawing has fewer digits */
    assert_non_null(strstr(text, "\n       1 "));
    assert_non_null(strstr(text, "\n-3.7e-05 "));
    free(text);
}

/* Standard output of hrmlab with these words on a terminal so wide; fresh. */
static char *on_terminal(int width, const char *const *words)
{
    struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)width };
    size_t room = 1 << 18, used = 0;
    char *text = calloc(1, room);
    int master, status;
    pid_t pid = forkpty(&master, NULL, NULL, &size);

    assert_non_null(text);
    assert_true(pid >= 0);
    if (pid == 0) {
        char *line[12] = { (char *)(uintptr_t)place_hrmlab(), (char *)(uintptr_t) "--workspace",
                           opened.directory };
        int silent = open("/dev/null", O_WRONLY);

        for (int i = 0; i < 8 && words[i] != NULL; i++)
            line[i + 3] = (char *)(uintptr_t)words[i];
        dup2(silent, STDERR_FILENO);
        setenv("HRMLAB_PAGER", "cat", 1);
        execv(line[0], line);
        _exit(127);
    }
    for (ssize_t n; used + 1 < room && (n = read(master, text + used, room - 1 - used)) > 0;)
        used += (size_t)n;
    close(master);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("hrmlab %s on a terminal: status %d, %s", words[0], status, text);
    return text;
}

/* Without the colours of a terminal, in place. */
static void strip_colors(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0';) {
        if (*at == '\033') {
            at += strcspn(at, "m");
            at += *at == 'm';
        } else if (*at == '\r') {
            at++;
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
}

static void a_dumb_terminal_gets_no_escape_sequences(void **state)
{
    static const char *const WORDS[][3] = { { "results", NULL }, { "watch", NULL } };

    (void)state;
    for (int i = 0; i < 2; i++) {
        setenv("TERM", "xterm", 1);
        char *text = on_terminal(100, WORDS[i]);
        assert_non_null(strchr(text, '\033'));
        free(text);
        setenv("TERM", "dumb", 1);
        text = on_terminal(100, WORDS[i]);
        assert_null(strchr(text, '\033'));
        free(text);
    }
    setenv("TERM", "xterm-256color", 1);
}

static bool has_word_of(const char *line, size_t length, size_t least)
{
    for (size_t at = 0; at < length;) {
        size_t word = strcspn(line + at, " \n");

        if (word >= least)
            return true;
        at += word + 1;
    }
    return false;
}

/* Only a line with one of these hashes or paths may be longer: no word is broken. */
static void expect_within(const char *text, int width, const char *command)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (text_columns(line, length) > width && !has_word_of(line, length, 64))
            fail_msg("hrmlab %s at %d columns: %.*s", command, width, (int)length, line);
        line += length + (line[length] != '\0');
    }
}

static void every_command_fits_80_100_and_120_columns(void **state)
{
    static const char *const COMMANDS_SHOWN[][5] = {
        { "results", NULL }, /* the first three at every width */
        { "results", "--all", NULL },
        { "compare", "--matrix", NULL },
        { "results", "--rows", "arch.name", NULL },
        { "compare", "--axis", "arch.name", NULL },
        { "compare", "--baseline", "arch.name=hrm", NULL },
        { "status", NULL },
        { "show", "last", NULL },
        { "curves", NULL },
        { "axes", NULL },
    };
    static const int WIDTHS[] = { 80, 100, 120 };

    (void)state;
    for (size_t i = 0; i < sizeof COMMANDS_SHOWN / sizeof *COMMANDS_SHOWN; i++)
        for (size_t w = 0; w < (i < 3 ? sizeof WIDTHS / sizeof *WIDTHS : 1); w++) {
            char *text = on_terminal(WIDTHS[w], COMMANDS_SHOWN[i]);

            strip_colors(text);
            assert_true(strlen(text) > 20);
            expect_within(text, WIDTHS[w], COMMANDS_SHOWN[i][0]);
            free(text);
        }
}

static void axes_lists_the_settings_that_begin_so(void **state)
{
    const char *const words[] = { "axes", "train.lr", NULL };
    char *text = on_terminal(100, words);

    (void)state;
    assert_non_null(strstr(text, "train.lr "));
    assert_non_null(strstr(text, "train.lr_min_ratio "));
    assert_null(strstr(text, "train.seed "));
    assert_null(strstr(text, "arch.name "));
    free(text);
}

/* hrmlab completions with these words offers word, and nothing that begins otherwise. */
static void expect_offered(const struct place *place, const char *const *words,
                           const char *word)
{
    const char *line[12] = { "completions", "--" };
    char *out, *errors, expected[200];

    for (int i = 0; i < 9 && words[i] != NULL; i++)
        line[i + 2] = words[i];
    assert_int_equal(place_run(place, line, &out, &errors), 0);
    snprintf(expected, sizeof expected, "%s\t", word);
    if (strstr(out, expected) == NULL)
        fail_msg("no \"%s\" in: %s%s", word, out, errors);
    free(out);
    free(errors);
}

static void a_shell_is_told_what_may_stand_next(void **state)
{
    static const char *const CASES[][6] = {
        { "results", "res", NULL },
        { "--format", "results", "--fo", NULL },
        { "jsonl", "results", "--format", "js", NULL },
        { "--format=csv", "results", "--format=c", NULL },
        { "pass_at_2", "compare", "--metric", "pass", NULL },
        { "arch.name=trm", "run", "--set", "arch.name=", NULL },
        { "arch.H_cycles", "results", "--rows", "arch.H", NULL },
        { "train.lr", "axes", "train.l", NULL },
        { "measures", "axes", "mea", NULL },
        { "last", "status", "la", NULL },
        { "fish", "completions", "", NULL },
        { "order", "data", "o", NULL },
        { "Makefile", "data", "check", "Makef", NULL },
        { "Makefile", "import", "Makef", NULL },
        { "Makefile", "plot", "-o", "Makef", NULL },
        { "named-experiment", "results", "named", NULL },
    };
    struct place place;
    char *out, *errors, *spec = NULL;
    struct error err;
    size_t size;

    (void)state;
    place_make(&place);
    must(file_read(&spec, &size, place.spec, 1 << 20, &err), &err);
    FILE *file = fopen(place.spec, "w");

    assert_non_null(file);
    fprintf(file, "{\"name\": \"named-experiment\", %s", strchr(spec, ',') + 1);
    fclose(file);
    free(spec);
    assert_int_equal(
        place_run(&place, (const char *const[]){ "queue", place.spec, NULL }, &out, &errors),
        0);
    free(out);
    free(errors);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        expect_offered(&place, CASES[i] + 1, CASES[i][0]);
    place_remove(&place);
}

/* The command of the shell prints this line first. */
static void expect_line(const char *command, const char *line)
{
    char got[200] = "";
    FILE *out = popen(command, "r");

    assert_non_null(out);
    assert_non_null(fgets(got, sizeof got, out));
    pclose(out);
    assert_string_equal(got, line);
}

static void bash_completes_with_the_script(void **state)
{
    const char *program = place_hrmlab();
    char command[1000];

    (void)state;
    snprintf(command, sizeof command,
             "bash -c 'source <(%s completions bash); COMP_WORDS=(%s results --colu); "
             "COMP_CWORD=2; _hrmlab; echo \"${COMPREPLY[@]}\"'",
             program, program);
    expect_line(command, "--columns\n");
}

/* zsh takes the file in its path for the function's body, and calls it at once. */
static void zsh_completes_at_the_first_use(void **state)
{
    const char *program = place_hrmlab();
    char command[1000];

    (void)state;
    if (system("zsh -fc true 2>/dev/null") != 0)
        skip();
    snprintf(command, sizeof command,
             "d=$(mktemp -d) && %s completions zsh >$d/_hrmlab && zsh -fc \"fpath=($d); "
             "autoload -U _hrmlab; words=(%s resu); CURRENT=2; compadd() { print \\$whole }; "
             "_hrmlab\"; rm -r $d",
             program, program);
    expect_line(command, "results\n");
}

#define WITH_WORKSPACE(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, open_workspace, close_workspace)

static void
without_a_terminal_texts_wrap_beyond_120_columns_and_paths_after_a_slash(void **state)
{
    static const struct table_column columns[] = {
        { .name = "comparison", .type = TABLE_TEXT },
        { .name = "interval", .type = TABLE_TEXT, .whole = true },
    };
    struct table *table;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct error err;

    (void)state;
    assert_int_equal(table_create(&table, columns, 2, NULL), 0);
    table_row(table);
    table_text(table,
               "a name that a person has given to a comparison of two sides, of which each "
               "is told in many words, more than a line has room for");
    table_text(table, "[-0.225, -0.053]");
    must(table_print(table, out, FORMAT_TABLE, false, &err), &err);
    fclose(out);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(text_columns(line, strcspn(line, "\n")) <= 120);
    assert_non_null(strstr(text, "[-0.225, -0.053]\n"));
    free(text);
    table_destroy(table);
    out = open_memstream(&text, &size);
    assert_int_equal(
        table_print_paragraph(out, "in runs/0123456789/attempts/1/final", 20, false), 0);
    fclose(out);
    assert_string_equal(text, "in\nruns/0123456789/\nattempts/1/final\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_by_several_columns_and_empty_ones_come_last),
        cmocka_unit_test(numbers_among_words_are_sorted_by_their_size),
        cmocka_unit_test(chosen_columns_are_seen_by_people_too_in_the_order_asked),
        cmocka_unit_test(conditions_on_measures_are_told_from_those_on_settings),
        WITH_WORKSPACE(a_pivot_has_a_row_and_a_column_per_value),
        WITH_WORKSPACE(the_first_runs_are_listed_with_their_newest_trainings),
        WITH_WORKSPACE(failures_are_those_of_the_experiment),
        WITH_WORKSPACE(a_pivot_by_seed_has_a_row_per_seed),
        WITH_WORKSPACE(runs_that_share_their_settings_share_all_values_but_the_seed),
        WITH_WORKSPACE(every_other_arm_is_compared_with_the_baseline),
        WITH_WORKSPACE(curves_are_of_trainings_or_of_evaluations_on_the_way),
        WITH_WORKSPACE(what_is_small_in_a_run_is_not_shown_as_zero),
        WITH_WORKSPACE(tables_leave_out_what_has_no_effect_on_an_arm),
        cmocka_unit_test(drawn_curves_fit_the_terminal_and_tell_their_range),
        cmocka_unit_test(the_value_at_the_end_is_the_mean_over_all_seeds),
        WITH_WORKSPACE(every_command_fits_80_100_and_120_columns),
        WITH_WORKSPACE(axes_lists_the_settings_that_begin_so),
        cmocka_unit_test(a_shell_is_told_what_may_stand_next),
        cmocka_unit_test(bash_completes_with_the_script),
        WITH_WORKSPACE(a_dumb_terminal_gets_no_escape_sequences),
        cmocka_unit_test(zsh_completes_at_the_first_use),
        cmocka_unit_test(
            without_a_terminal_texts_wrap_beyond_120_columns_and_paths_after_a_slash),
    };

    return cmocka_run_group_tests_name("present", tests, NULL, NULL);
}
