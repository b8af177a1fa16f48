/* report_facts.c - reads the database, and computes every difference of the demo. */
#include "report_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

const char *facts_ask(struct report_facts *facts, const char *sql)
{
    static char buffers[8][600];
    static int next;
    char *answer = place_ask(facts->place, sql), *out = buffers[next++ % 8];

    snprintf(out, sizeof buffers[0], "%s", answer);
    free(answer);
    return out;
}

double facts_number(struct report_facts *facts, const char *sql)
{
    return strtod(facts_ask(facts, sql), NULL);
}

struct outcome_term facts_term(struct report_facts *facts, const char *system, int trained,
                               int inference, double weight)
{
    return (struct outcome_term){ outcomes_arm(&facts->outcomes, system, trained),
                                  outcomes_step(&facts->outcomes, inference), weight };
}

static struct outcome_difference between(struct report_facts *facts, const char *system,
                                         int to_trained, int to_inference, int from_trained,
                                         int from_inference)
{
    const struct outcome_term terms[] = {
        facts_term(facts, system, to_trained, to_inference, 1),
        facts_term(facts, system, from_trained, from_inference, -1)
    };

    return outcomes_difference(&facts->outcomes, terms, 2);
}

static void load_planned(struct report_facts *facts)
{
    sqlite3_stmt *s;

    assert_int_equal(
        sqlite3_prepare_v2(facts->db,
                           "SELECT name, json_extract(c.to_cells, '$.\"arch.name\"'),"
                           " json_extract(c.to_cells, '$.\"arch.halt_max_steps\"'),"
                           " json_extract(c.to_cells, '$.\"eval.halt_max_steps\"'),"
                           " json_extract(c.from_cells, '$.\"arch.name\"'),"
                           " json_extract(c.from_cells, '$.\"arch.halt_max_steps\"'),"
                           " json_extract(c.from_cells, '$.\"eval.halt_max_steps\"')"
                           " FROM contrast c ORDER BY position",
                           -1, &s, NULL),
        SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        struct named_difference *d = &facts->planned[facts->planned_count++];
        const struct outcome_term terms[] = {
            facts_term(facts, (const char *)sqlite3_column_text(s, 1), sqlite3_column_int(s, 2),
                       sqlite3_column_int(s, 3), 1),
            facts_term(facts, (const char *)sqlite3_column_text(s, 4), sqlite3_column_int(s, 5),
                       sqlite3_column_int(s, 6), -1)
        };

        snprintf(d->label, sizeof d->label, "%s", (const char *)sqlite3_column_text(s, 0));
        d->value = outcomes_difference(&facts->outcomes, terms, 2);
    }
    sqlite3_finalize(s);
}

__attribute__((format(printf, 4, 5))) static void add_other(struct report_facts *facts,
                                                            const char *system,
                                                            struct outcome_difference value,
                                                            const char *format, ...)
{
    struct named_difference *d = &facts->others[facts->other_count++];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(d->label, sizeof d->label, format, arguments);
    va_end(arguments);
    snprintf(d->group, sizeof d->group, "%s%s", system[0] != '\0' ? "arch.name=" : "all cells",
             system);
    d->value = value;
}

/* Those that the axes allow: trained with 1, 2, 4; inference with 1, 2, 4, 8. */
static void load_others(struct report_facts *facts)
{
    static const char *const SYSTEMS[] = { "hrm", "transformer" };
    struct outcome_term all[MOST_TERMS];
    int count = 0;

    for (int i = 0; i < 2; i++) {
        const char *system = SYSTEMS[i];

        for (int t = 1; t <= 4; t *= 2)
            add_other(facts, system, between(facts, system, t, 8, t, 1),
                      "trained %d: inference 8 - 1", t);
        for (int t = 2; t <= 4; t *= 2)
            add_other(facts, system, between(facts, system, t, 1, 1, 1),
                      "inference 1: trained %d - 1", t);
        add_other(facts, system, between(facts, system, 4, 4, 1, 1),
                  "training and inference 4 - 1");
        add_other(facts, system, between(facts, system, 4, 1, 1, 4),
                  "4 steps in training only - at inference only");
        for (int t = 1; t <= 4; t *= 2)
            for (int v = 1; v <= 8; v *= 2)
                all[count++] = facts_term(facts, system, t, v, i == 1 ? 1.0 / 12 : -1.0 / 12);
    }
    add_other(facts, "", outcomes_difference(&facts->outcomes, all, count),
              "arch.name=transformer - arch.name=hrm");
}

static void correct(struct named_difference *list, int count)
{
    struct outcome_difference values[MOST_DIFFERENCES];

    for (int i = 0; i < count; i++)
        values[i] = list[i].value;
    outcomes_correct(values, count);
    for (int i = 0; i < count; i++)
        list[i].value = values[i];
}

const char *difference_interval(const struct outcome_difference *d)
{
    static char buffers[4][120];
    static int next;
    char *out = buffers[next++ % 4];

    snprintf(out, sizeof buffers[0], "%s [%s, %s]",
             shown_signed(d->estimate.value, SHOWN_DIGITS),
             shown_signed(d->estimate.low, SHOWN_DIGITS),
             shown_signed(d->estimate.high, SHOWN_DIGITS));
    return out;
}

const struct named_difference *difference_find(const struct named_difference *list, int count,
                                               const char *group, const char *label)
{
    for (int i = 0; i < count; i++)
        if (strcmp(list[i].group, group) == 0 && strcmp(list[i].label, label) == 0)
            return &list[i];
    fail_msg("no difference \"%s\", \"%s\"", group, label);
    return NULL;
}

void facts_open(struct report_facts *out, const struct place *place)
{
    char *path = file_join(place->workspace, "results.db");

    *out = (struct report_facts){ .place = place };
    assert_int_equal(sqlite3_open(path, &out->db), SQLITE_OK);
    free(path);
    outcomes_load(&out->outcomes, out->db);
    load_planned(out);
    correct(out->planned, out->planned_count);
    load_others(out);
    correct(out->others, out->other_count);
}

void facts_close(struct report_facts *facts)
{
    report_page_release(&facts->page);
    sqlite3_close(facts->db);
}
