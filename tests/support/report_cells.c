/* report_cells.c - cells of a report's tables. */
#include "report_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "published.h"
#include "settings.h"

static const char *head_of(const struct page_item *cell)
{
    return cell->heads[cell->column];
}

static const char *beside(struct report_facts *facts, const struct page_item *cell,
                          const char *head)
{
    return page_cell(&facts->page, cell, head, 0);
}

static void check_setting_cell(struct report_facts *facts, const struct page_item *cell)
{
    const char *key = beside(facts, cell, "setting"), *head = head_of(cell);
    char sql[400];

    if (strcmp(head, "setting") == 0) {
        check_equal(&facts->check, cell->text, "%s", key); /* the next cell's SQL knows it */
        return;
    }
    if (strcmp(head, "means") == 0) {
        int id = setting_find(key);

        assert_true(id >= 0);
        check_equal(&facts->check, cell->text, "%s", settings_table[id].meaning);
        return;
    }
    snprintf(sql, sizeof sql,
             strcmp(key, "eval.halt_max_steps") == 0
                 ? "SELECT group_concat(v, ', ') FROM (SELECT DISTINCT outer_steps AS v"
                   " FROM evaluation ORDER BY 1)"
                 : "SELECT group_concat(v, ', ') FROM (SELECT DISTINCT"
                   " json_extract(axes, '$.\"%s\"') AS v FROM arm ORDER BY position)",
             key);
    check_equal(&facts->check, cell->text, "%s", facts_ask(facts, sql));
}

/* The mean over runs of an expression of v_results, of an arm at its own steps. */
static double mean_of(struct report_facts *facts, int arm, const char *expression)
{
    char sql[300];

    snprintf(sql, sizeof sql,
             "SELECT avg(%s) FROM v_results WHERE train_outer_steps = %d AND"
             " eval_outer_steps = train_outer_steps AND arm LIKE '%%arch.name=%s%%'",
             expression, facts->outcomes.trained[arm], facts->outcomes.systems[arm]);
    return facts_number(facts, sql);
}

static void check_arm_cell(struct report_facts *facts, const struct page_item *cell)
{
    int trained = atoi(beside(facts, cell, "halt_max_steps"));
    const char *system = beside(facts, cell, "name"), *head = head_of(cell), *text = cell->text;
    int arm = outcomes_arm(&facts->outcomes, system, trained);
    int own = outcomes_step(&facts->outcomes, trained);

    if (strcmp(head, "halt_max_steps") == 0) {
        check_equal(&facts->check, text, "%d", trained); /* outcomes_arm() knows it */
    } else if (strcmp(head, "seeds") == 0) {
        check_equal(&facts->check, text, "%d of %s", outcomes_done(&facts->outcomes, arm),
                    facts_ask(facts, "SELECT count(DISTINCT seed) FROM run"));
    } else if (strcmp(head, "pass@2") == 0) {
        check_equal(&facts->check, text, "%s",
                    shown(outcomes_mean(&facts->outcomes, arm, own), SHOWN_DIGITS));
        check_equal(&facts->check, text, "%s",
                    shown(mean_of(facts, arm, "pass_at_2"), SHOWN_DIGITS));
    } else if (strcmp(head, "sd") == 0) {
        check_equal(&facts->check, text, "%s",
                    shown(outcomes_deviation(&facts->outcomes, arm, own), SHOWN_DIGITS));
    } else if (strcmp(head, "difference") == 0) {
        const struct outcome_term terms[] = { { arm, own, 1 },
                                              facts_term(facts, "hrm", 1, 1, -1) };
        struct outcome_difference d = outcomes_difference(&facts->outcomes, terms, 2);

        check_equal(&facts->check, text, "%s", difference_interval(&d));
    } else if (strcmp(head, "token acc") == 0) {
        check_equal(&facts->check, text, "%s",
                    shown(mean_of(facts, arm, "per_token_accuracy"), SHOWN_DIGITS));
    } else if (strcmp(head, "exact rows") == 0) {
        check_equal(&facts->check, text, "%s",
                    shown(mean_of(facts, arm, "exact_rows"), SHOWN_DIGITS));
    } else if (strcmp(head, "parameters") == 0) {
        check_equal(&facts->check, text, "%.0f",
                    mean_of(facts, arm,
                            "(SELECT n.parameters FROM run r JOIN training n USING "
                            "(training_id) WHERE r.hash = run_hash)"));
    } else if (strcmp(head, "training") == 0) {
        check_equal(&facts->check, text, "%s TFLOP",
                    shown_trimmed(mean_of(facts, arm, "train_flops") / 1e12, 2));
    } else if (strcmp(head, "CPU s") == 0) {
        check_equal(&facts->check, text, "%s",
                    shown(mean_of(facts, arm, "train_cpu_seconds"), 1));
    } else {
        check_begin(&facts->check, text);
        check_end(&facts->check);
    }
}

static void check_comparison_cell(struct report_facts *facts, const struct page_item *cell,
                                  const struct named_difference *list, int count)
{
    const char *group = list == facts->others ? beside(facts, cell, "arms") : "",
               *head = head_of(cell);
    const struct named_difference *d =
        difference_find(list, count, group, beside(facts, cell, "comparison"));
    const struct estimate *e = &d->value.estimate;
    const char *text = cell->text;

    if (strcmp(head, "comparison") == 0)
        check_equal(&facts->check, text, "%s", d->label);
    else if (strcmp(head, "from") == 0)
        check_equal(&facts->check, text, "%s", shown(d->value.from, SHOWN_DIGITS));
    else if (strcmp(head, "to") == 0)
        check_equal(&facts->check, text, "%s", shown(d->value.to, SHOWN_DIGITS));
    else if (strcmp(head, "difference") == 0)
        check_equal(&facts->check, text, "%s", shown_signed(e->value, SHOWN_DIGITS));
    else if (strcmp(head, "95 % interval") == 0)
        check_equal(&facts->check, text, "[%s, %s]", shown_signed(e->low, SHOWN_DIGITS),
                    shown_signed(e->high, SHOWN_DIGITS));
    else if (strcmp(head, "p") == 0)
        check_equal(&facts->check, text, "%s", shown_p(e->p));
    else if (strcmp(head, "p (Holm)") == 0)
        check_equal(&facts->check, text, "%s", shown_p(d->value.p_holm));
    else if (strcmp(head, "verdict") == 0)
        check_equal(&facts->check, text, "%s", outcomes_verdict(&d->value));
}

/* The mean over the seeds of an arm, at its own outer steps, on one task. */
static double task_mean(struct report_facts *facts, int arm, int task)
{
    int own = outcomes_step(&facts->outcomes, facts->outcomes.trained[arm]), known = 0;
    double sum = 0;

    for (int r = 0; r < facts->outcomes.seeds; r++) {
        double value = facts->outcomes.solved[arm][own][r][task];

        sum += isfinite(value) ? value : 0;
        known += isfinite(value);
    }
    return sum / known;
}

static void check_task_cell(struct report_facts *facts, const struct page_item *cell)
{
    const char *name = beside(facts, cell, "task"), *head = head_of(cell), *text = cell->text;
    double low = 2, high = -1, sum = 0;
    int task = 0;

    while (task < facts->outcomes.tasks && strcmp(facts->outcomes.names[task], name) != 0)
        task++;
    assert_true(task < facts->outcomes.tasks);
    for (int a = 0; a < facts->outcomes.arms; a++) {
        double mean = task_mean(facts, a, task);

        low = mean < low ? mean : low;
        high = mean > high ? mean : high;
        sum += mean / facts->outcomes.arms;
    }
    bool contested = cell->heads[3] != NULL, best = cell->column >= 3 || !contested;

    if (strcmp(head, "task") == 0) {
        check_equal(&facts->check, text, "%s", facts->outcomes.names[task]);
    } else if (strcmp(head, "mean over arms") == 0) {
        check_equal(&facts->check, text, "%s", shown(sum, SHOWN_DIGITS));
    } else if (strcmp(head, "its share") == 0 || !contested) {
        check_equal(&facts->check, text, "%s", shown(best ? high : low, SHOWN_DIGITS));
    } else { /* an arm that has this share */
        char system[24];
        int trained;

        assert_int_equal(sscanf(text, "%23[^,], halt_max_steps=%d", system, &trained), 2);
        check_equal(
            &facts->check,
            shown(task_mean(facts, outcomes_arm(&facts->outcomes, system, trained), task), 6),
            "%s", shown(best ? high : low, 6));
        check_equal(&facts->check, text, "%s, halt_max_steps=%d", system, trained);
    }
}

/* "hrm 0.517, transformer 0.333": the arms trained with so many outer steps. */
static void check_own_values(struct report_facts *facts, const struct page_item *cell,
                             const char *steps)
{
    char expected[200] = "";
    size_t used = 0;

    for (int a = 0; a < facts->outcomes.arms; a++) {
        int own = outcomes_step(&facts->outcomes, facts->outcomes.trained[a]);

        if (steps != NULL && atoi(steps) == facts->outcomes.trained[a])
            used +=
                (size_t)snprintf(expected + used, sizeof expected - used, "%s%s %s",
                                 used > 0 ? ", " : "", facts->outcomes.systems[a],
                                 shown(outcomes_mean(&facts->outcomes, a, own), SHOWN_DIGITS));
    }
    check_equal(&facts->check, cell->text, "%s", expected);
}

/* The row of this number of those published on data like this. */
static void check_published_cell(struct report_facts *facts, const struct page_item *cell)
{
    const struct published *p = PUBLISHED;
    const char *head = head_of(cell);
    int row = cell->row;

    while (p->source != NULL && !(published_is_shown(p, "data/arc-agi-1", false) && row-- == 0))
        p++;
    assert_non_null(p->source);
    if (strcmp(head, "published") == 0 && isfinite(p->value))
        check_equal(&facts->check, cell->text, "%s%s",
                    p->kind == PUBLISHED_CHART ? "about " : "",
                    shown_trimmed(p->value, SHOWN_DIGITS));
    else if (strcmp(head, "in this experiment") == 0)
        check_own_values(facts, cell, strcmp(p->question, "outer loop") == 0 ? p->x : NULL);
    else
        check_equal(&facts->check, cell->text, "%s",
                    strcmp(head, "question") == 0   ? p->question
                    : strcmp(head, "settings") == 0 ? p->settings
                    : strcmp(head, "data") == 0     ? p->data
                    : strcmp(head, "measure") == 0  ? p->measure
                    : strcmp(head, "source") == 0   ? p->source
                    : strcmp(head, "remark") == 0   ? (p->note != NULL ? p->note : "")
                                                    : "");
}

static void check_failure_cell(struct report_facts *facts, const struct page_item *cell)
{
    static const char *const COLUMNS[][2] = {
        { "arm", "a.label" },
        { "seed", "r.seed" },
        { "run", "substr(r.hash, 1, 12)" },
        { "message", "j.message" },
        { "attempts", "(SELECT count(*) FROM attempt t WHERE t.job_id = j.job_id)" },
    };
    char sql[400];

    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++) {
        if (strcmp(COLUMNS[i][0], head_of(cell)) != 0)
            continue;
        snprintf(sql, sizeof sql,
                 "SELECT %s FROM job j JOIN run r USING (run_id) JOIN arm_run USING (run_id)"
                 " JOIN arm a USING (arm_id) WHERE j.state = 'failed' OR j.cause = 'diverged'"
                 " ORDER BY a.position, r.seed LIMIT 1 OFFSET %d",
                 COLUMNS[i][1], cell->row);
        check_equal(&facts->check, cell->text, "%s", facts_ask(facts, sql));
        return;
    }
    check_begin(&facts->check, cell->text);
    check_end(&facts->check);
}

static void check_origin_cell(struct report_facts *facts, const struct page_item *cell)
{
    static const char *const COLUMNS[][2] = {
        { "engine", "max(engine_version)" },
        { "numeric", "max(numeric_version)" },
        { "commit", "max(git_commit)" },
        { "compiler", "max(compiler)" },
        { "kernels", "max(kernel_set)" },
        { "BLAS", "max(blas)" },
        { "CPU", "max(cpu)" },
        { "host", "max(host)" },
        { "attempts", "count(*)" },
        { "runs", "count(DISTINCT run_id)" },
        { "first begun", "replace(substr(min(started_at), 1, 19), 'T', ' ') || 'Z'" },
        { "last begun", "replace(substr(max(started_at), 1, 19), 'T', ' ') || 'Z'" },
    };
    char sql[200];

    for (size_t i = 0; i < sizeof COLUMNS / sizeof *COLUMNS; i++)
        if (strcmp(COLUMNS[i][0], head_of(cell)) == 0) {
            snprintf(sql, sizeof sql,
                     "SELECT %s FROM attempt t JOIN run USING (run_id) JOIN training USING "
                     "(training_id)",
                     COLUMNS[i][1]);
            check_equal(&facts->check, cell->text, "%s", facts_ask(facts, sql));
            return;
        }
    fail_msg("a column %s", head_of(cell));
}

void check_cell(struct report_facts *facts, const struct page_item *cell)
{
    const char *section = cell->section;

    if (strcmp(section, "design") == 0)
        check_setting_cell(facts, cell);
    else if (strcmp(section, "arms") == 0 && strcmp(cell->text, "baseline") != 0)
        check_arm_cell(facts, cell);
    else if (strcmp(section, "comparisons") == 0 && strcmp(cell->heads[0], "arms") == 0)
        check_comparison_cell(facts, cell, facts->others, facts->other_count);
    else if (strcmp(section, "comparisons") == 0)
        check_comparison_cell(facts, cell, facts->planned, facts->planned_count);
    else if (strcmp(section, "tasks") == 0)
        check_task_cell(facts, cell);
    else if (strcmp(section, "published") == 0)
        check_published_cell(facts, cell);
    else if (strcmp(section, "failures") == 0)
        check_failure_cell(facts, cell);
    else if (strcmp(section, "origin") == 0)
        check_origin_cell(facts, cell);
    else {
        check_begin(&facts->check, cell->text);
        check_end(&facts->check);
    }
}
