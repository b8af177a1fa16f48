/* report_words.c - headings, sentences and notes of a report. */
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

#include "error.h"
#include "file.h"
#include "json.h"
#include "published.h"

/* " gave +0.483 [+0.340, +0.626]", or that there is none. */
static void take_effect(struct report_facts *facts, const char *before,
                        const struct named_difference *d)
{
    if (strcmp(outcomes_verdict(&d->value), "equal") == 0)
        check_take(&facts->check, "%s made no difference on any task", before);
    else
        check_take(&facts->check, "%s gave %s", before, difference_interval(&d->value));
}

/* The best of all cells, against what comes without learning. */
static void take_best(struct report_facts *facts)
{
    double best = 0, copy = facts_number(facts, "SELECT avg(pass_at_2) FROM baseline");
    double untrained = facts_number(facts, "SELECT avg(pass_at_2) FROM v_untrained");
    int count = 0, of[2] = { 0 };

    for (int a = 0; a < facts->outcomes.arms; a++)
        for (int s = 0; s < facts->outcomes.steps; s++) {
            double mean = outcomes_mean(&facts->outcomes, a, s);

            if (mean > best + 1e-12) {
                best = mean;
                count = 0;
                of[0] = a;
                of[1] = s;
            }
            count += fabs(mean - best) < 1e-12;
        }
    if (count > 1)
        check_take(&facts->check, "%d of %d cells share the largest value, %s", count,
                   facts->outcomes.arms * facts->outcomes.steps, shown(best, SHOWN_DIGITS));
    else
        check_take(&facts->check, "trained with %d, inference with %d) has %s",
                   facts->outcomes.trained[of[0]], facts->outcomes.inference[of[1]],
                   shown(best, SHOWN_DIGITS));
    check_take(&facts->check, "copying the input has %s (%s)", shown(copy, SHOWN_DIGITS),
               shown_signed(best - copy, SHOWN_DIGITS));
    check_take(&facts->check, "the untrained model has %s (%s)", shown(untrained, SHOWN_DIGITS),
               shown_signed(best - untrained, SHOWN_DIGITS));
}

static void take_seeds(struct report_facts *facts, const struct named_difference *list,
                       int count)
{
    int fewest = MOST_SEEDS, most = 0;

    for (int i = 0; i < count; i++) {
        int seeds = list[i].value.estimate.seeds;

        fewest = seeds < fewest ? seeds : fewest;
        most = seeds > most ? seeds : most;
    }
    check_take(&facts->check, "(pass@2, %d tasks, %d to %d seeds)", facts->outcomes.tasks,
               fewest, most);
}

static void check_basis(struct report_facts *facts)
{
    take_seeds(facts, facts->others, facts->other_count);
    check_take(&facts->check, "95 %% intervals");
    check_take(&facts->check, "correction for %d comparisons", facts->other_count);
}

/* "For arch.name=hrm: ..." */
static void check_group(struct report_facts *facts, const char *group)
{
    const struct named_difference *direct =
        difference_find(facts->others, facts->other_count, group,
                        "4 steps in training only - at inference only");

    take_effect(facts, "training with 4 outer steps instead of 1 (inference at 1)",
                difference_find(facts->others, facts->other_count, group,
                                "inference 1: trained 4 - 1"));
    take_effect(facts, "inference with 8 outer steps instead of 1 (trained with 4)",
                difference_find(facts->others, facts->other_count, group,
                                "trained 4: inference 8 - 1"));
    take_effect(facts, "both together",
                difference_find(facts->others, facts->other_count, group,
                                "training and inference 4 - 1"));
    if (strcmp(outcomes_verdict(&direct->value), "equal") != 0)
        check_take(&facts->check, "(training only minus inference only %s)",
                   difference_interval(&direct->value));
}

/* How many of the planned differences are told. */
static int planned_shown(const struct report_facts *facts)
{
    int shown = 0;

    for (int i = 0; i < facts->planned_count; i++) {
        const char *verdict = outcomes_verdict(&facts->planned[i].value);

        shown += strcmp(verdict, "higher") == 0 || strcmp(verdict, "lower") == 0;
    }
    return shown;
}

static void check_finding(struct report_facts *facts, const char *text)
{
    check_begin(&facts->check, text);
    if (strncmp(text, "Planned beforehand", 18) == 0) {
        take_seeds(facts, facts->planned, facts->planned_count);
        check_take(&facts->check, ": of %d differences %d %s shown", facts->planned_count,
                   planned_shown(facts), planned_shown(facts) == 1 ? "is" : "are");
        check_take(&facts->check, "(intervals: 95 %%, not corrected)");
    } else if (strncmp(text, "Finding (", 9) == 0) {
        check_basis(facts);
    } else if (strncmp(text, "For arch.name=", 14) == 0) {
        check_group(facts, strncmp(text + 14, "hrm", 3) == 0 ? "arch.name=hrm"
                                                             : "arch.name=transformer");
    } else if (strstr(text, "over all cells") != NULL) {
        check_take(&facts->check, "over all cells: %s",
                   difference_interval(&facts->others[facts->other_count - 1].value));
    } else if (strncmp(text, "The best cell", 13) == 0) {
        take_best(facts);
    } else {
        for (int i = 0; i < facts->planned_count; i++)
            if (strncmp(text, facts->planned[i].label, strlen(facts->planned[i].label)) == 0 &&
                text[strlen(facts->planned[i].label)] == ':')
                check_take(&facts->check, "%s: %s, %s.", facts->planned[i].label,
                           difference_interval(&facts->planned[i].value),
                           outcomes_verdict(&facts->planned[i].value));
    }
    check_end(&facts->check);
}

static void check_design(struct report_facts *facts, const char *text)
{
    check_begin(&facts->check, text);
    if (strncmp(text, "Not complete", 12) == 0)
        check_take(
            &facts->check, "%s of %s runs not done (%s failed, %s diverged)",
            facts_ask(facts, "SELECT count(*) FROM job WHERE kind = 'train'"
                             " AND (state <> 'done' OR cause IS NOT NULL)"),
            facts_ask(facts, "SELECT count(*) FROM run"),
            facts_ask(facts,
                      "SELECT count(*) FROM job WHERE kind = 'train' AND state = 'failed'"),
            facts_ask(facts, "SELECT count(*) FROM job WHERE kind = 'train' AND state = 'done'"
                             " AND cause = 'diverged'"));
    else if (strstr(text, " arms, seeds ") != NULL)
        check_take(
            &facts->check,
            "%s arms, seeds %s: %s runs, %s of them done. Data: %s; %s tasks scored",
            facts_ask(facts, "SELECT count(*) FROM arm"),
            facts_ask(facts, "SELECT group_concat(seed, ', ')"
                             " FROM (SELECT DISTINCT seed FROM run ORDER BY seed)"),
            facts_ask(facts, "SELECT count(*) FROM run"),
            facts_ask(facts, "SELECT count(DISTINCT run_hash) FROM v_results"),
            facts_ask(facts, "SELECT json_extract(provenance, '$.data.source') FROM attempt"),
            facts_ask(facts, "SELECT count(DISTINCT task) FROM task_outcome"));
    check_end(&facts->check);
}

static void check_arms_words(struct report_facts *facts, const char *text)
{
    check_begin(&facts->check, text);
    if (strstr(text, "copying the input") != NULL)
        check_take(
            &facts->check, "pass@2 %s.",
            shown(facts_number(facts, "SELECT avg(pass_at_2) FROM baseline"), SHOWN_DIGITS));
    else if (strstr(text, "the models have") != NULL)
        check_take(
            &facts->check, "pass@2 %s.",
            shown(facts_number(facts, "SELECT avg(pass_at_2) FROM v_untrained"), SHOWN_DIGITS));
    check_name(&facts->check, "pass@2");
    check_name(&facts->check, "95 % interval");
    check_end(&facts->check);
}

static void check_tasks_words(struct report_facts *facts, const char *text)
{
    int never = 0, always = 0;

    for (int t = 0; t < facts->outcomes.tasks; t++) {
        bool some = false, all = true;

        for (int a = 0; a < facts->outcomes.arms; a++)
            for (int r = 0; r < facts->outcomes.seeds; r++) {
                int own = outcomes_step(&facts->outcomes, facts->outcomes.trained[a]);
                double value = facts->outcomes.solved[a][own][r][t];

                some = some || value > 0;
                all = all && !(value < 1);
            }
        never += !some;
        always += all;
    }
    check_begin(&facts->check, text);
    if (strncmp(text, "pass@2 of", 9) == 0)
        check_take(&facts->check,
                   "pass@2 of %d tasks over the arms of the table above: %d have 0 in every "
                   "arm and seed, %d have 1 in all.",
                   facts->outcomes.tasks, never, always);
    check_end(&facts->check);
}

/* The time of all attempts as the report writes it. */
static const char *whole_time(struct report_facts *facts)
{
    static char text[40];
    double seconds =
        facts_number(facts, "SELECT sum(user_seconds + system_seconds) FROM attempt");

    if (seconds < 7200)
        snprintf(text, sizeof text, "%.0f min", seconds / 60);
    else
        snprintf(text, sizeof text, "%.1f h", seconds / 3600);
    return text;
}

void check_words(struct report_facts *facts, const struct page_item *item)
{
    const char *text = item->text, *section = item->section;

    if (strcmp(section, "finding") == 0) {
        check_finding(facts, text);
        return;
    }
    if (strcmp(section, "design") == 0) {
        check_design(facts, text);
        return;
    }
    if (strcmp(section, "tasks") == 0 && strncmp(text, "pass@2 of", 9) == 0) {
        check_tasks_words(facts, text);
        return;
    }
    if (strcmp(section, "arms") == 0) {
        check_arms_words(facts, text);
        return;
    }
    check_begin(&facts->check, text);
    if (section[0] == '\0') {
        check_name(&facts->check, facts_ask(facts, "SELECT description FROM experiment"));
        check_name(&facts->check,
                   facts_ask(facts, "SELECT 'note of ' || arm || ': ' || text FROM mark"
                                    " WHERE kind = 'note'"));
    } else if (strcmp(section, "comparisons") == 0 && strstr(text, "corrected for") != NULL) {
        check_take(&facts->check, "corrected for the %d comparisons",
                   facts->notes++ == 0 ? facts->planned_count : facts->other_count);
    } else if (strcmp(section, "cost") == 0 && strstr(text, "FLOP") != NULL) {
        check_take(&facts->check, "%s trainings are done: %s TFLOP",
                   facts_ask(facts, "SELECT count(DISTINCT run_hash) FROM v_results"),
                   shown(facts_number(facts, "SELECT sum(train_flops) FROM run JOIN training "
                                             "USING (training_id) WHERE hash IN"
                                             " (SELECT run_hash FROM v_results)") /
                             1e12,
                         0));
        check_take(&facts->check, "included: %s of one core", whole_time(facts));
    } else if (strcmp(section, "origin") == 0 && strncmp(text, "Queued", 6) == 0) {
        check_take(&facts->check, "Queued at %s; spec %s.",
                   facts_ask(facts, "SELECT replace(substr(queued_at, 1, 19), 'T', ' ') || 'Z'"
                                    " FROM experiment"),
                   facts_ask(facts, "SELECT substr(spec_hash, 1, 12) FROM experiment"));
    } else if (strcmp(section, "published") == 0) {
        check_name(&facts->check,
                   facts_ask(facts, "SELECT json_extract(provenance, '$.data.source')"
                                    " FROM attempt"));
        for (const struct published_source *s = PUBLISHED_SOURCES; s->name != NULL; s++)
            check_name(&facts->check, s->citation);
    }
    check_name(&facts->check, "pass@2");
    check_name(&facts->check, "95 % interval");
    check_end(&facts->check);
}

/* The spec as it lies in the workspace. */
void check_code(struct report_facts *facts, const char *code)
{
    char path[200], *spec;
    struct error err;
    size_t size;

    if (code[0] != '{') {
        check_begin(&facts->check, code);
        check_end(&facts->check);
        return;
    }
    snprintf(path, sizeof path, "%s/%s", facts->place->workspace,
             facts_ask(facts, "SELECT spec_file FROM experiment"));
    if (file_read(&spec, &size, path, 1 << 20, &err) != 0)
        fail_msg("%s", err.message);
    cJSON *written = cJSON_Parse(code), *stored = cJSON_Parse(spec);

    facts->check.text = code;
    if (cJSON_Compare(written, stored, true))
        facts->check.matched += count_numbers(code);
    else
        facts->check.faults++;
    cJSON_Delete(written);
    cJSON_Delete(stored);
    free(spec);
}
