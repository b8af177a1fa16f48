/* figure_numbers.c - see figure_numbers.h. */
#include "figure_numbers.h"

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

enum { MOST_TICKS = 24, DIGITS = 3 };

/* Ticks of an axis: value and place. */
struct ticks {
    double value[MOST_TICKS], place[MOST_TICKS];
    int count;
    bool logarithmic;
};

/* What a tooltip tells. */
struct said {
    double x, y;      /* NaN: not a number of an axis */
    double rounded;   /* half a unit of the last digit of the number drawn */
    double low, high; /* interval; NaN: none */
    char brief[100];  /* the text beside the mark; "": none */
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- scales ---- */

static double axis_value(const struct ticks *ticks, double value)
{
    return ticks->logarithmic ? log(value) : value;
}

static double place_of(const struct ticks *ticks, double value)
{
    int last = ticks->count - 1;
    double from = axis_value(ticks, ticks->value[0]),
           to = axis_value(ticks, ticks->value[last]);

    return ticks->place[0] + (axis_value(ticks, value) - from) / (to - from) *
                                 (ticks->place[last] - ticks->place[0]);
}

static bool ticks_fit(const struct ticks *ticks)
{
    for (int i = 0; i < ticks->count; i++)
        if (fabs(place_of(ticks, ticks->value[i]) - ticks->place[i]) > 0.03)
            return false;
    return true;
}

/* Whether the ticks are those of a linear or of a logarithmic scale. */
static bool find_scale(struct ticks *ticks)
{
    ticks->logarithmic = false;
    if (ticks->count < 2 || ticks_fit(ticks))
        return true;
    ticks->logarithmic = ticks->value[0] > 0;
    return ticks->logarithmic && ticks_fit(ticks);
}

/* "1.5 T" */
static double tick_value(const char *text)
{
    static const char PREFIXES[] = "kMGTPEZ";
    char *end;
    double value = strtod(text, &end);
    const char *prefix = *end == ' ' && end[1] != '\0' ? strchr(PREFIXES, end[1]) : NULL;

    return prefix != NULL ? value * pow(1000, 1 + (double)(prefix - PREFIXES)) : value;
}

static void add_tick(struct ticks *ticks, double value, double place)
{
    assert_true(ticks->count < MOST_TICKS);
    ticks->value[ticks->count] = value;
    ticks->place[ticks->count++] = place;
}

static bool is_y_tick(const struct page_item *item)
{
    return item->kind == PAGE_LABEL && item[-1].kind == PAGE_SHAPE &&
           strcmp(item[-1].class_name, "grid") == 0 && item[-1].y1 == item[-1].y2;
}

static bool is_x_tick(const struct page_item *item)
{
    return item->kind == PAGE_LABEL && item[-1].kind == PAGE_SHAPE &&
           strcmp(item[-1].class_name, "axis") == 0 && item[-1].x1 == item[-1].x2;
}

/* ---- tooltips ---- */

/* "pass@2 0.517 +- 0.037 (5 seeds: 0.500, ...)" of a cell. */
static void write_cell(char *out, size_t size, const struct outcomes *o, int arm, int step)
{
    size_t used = (size_t)snprintf(
        out, size,
        "pass@2 %s \xc2\xb1 %s (%d seeds: ", shown(outcomes_mean(o, arm, step), DIGITS),
        shown(outcomes_deviation(o, arm, step), DIGITS), outcomes_done(o, arm));

    for (int r = 0, listed = 0; r < o->seeds; r++) {
        double score = outcomes_score(o, arm, step, r);

        if (isfinite(score))
            used += (size_t)snprintf(out + used, size - used, "%s%s", listed++ > 0 ? ", " : "",
                                     shown(score, DIGITS));
    }
    snprintf(out + used, size - used, ")");
}

static double ask_number(sqlite3 *db, const char *sql, const char *system, int trained,
                         const char *name, double number, double *second)
{
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_text(s, 1, system, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(s, 2, trained);
    sqlite3_bind_text(s, 3, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_double(s, 4, number);
    double value = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_double(s, 0) : (double)NAN;

    if (second != NULL)
        *second = sqlite3_column_double(s, 1);
    sqlite3_finalize(s);
    return value;
}

/* The runs of arm ?1 ?2 that are done. */
#define OF_ARM                                                                                 \
    " JOIN arm_run x ON x.run_id = r.run_id JOIN arm a USING (arm_id)"                         \
    " JOIN job j ON j.run_id = r.run_id AND j.kind = 'train' AND j.state = 'done'"             \
    "  AND j.cause IS NULL"                                                                    \
    " WHERE json_extract(a.axes, '$.\"arch.name\"') = ?1"                                      \
    "  AND json_extract(a.axes, '$.\"arch.halt_max_steps\"') = ?2"

/* After "halt_max_steps=T, SYSTEM" a tooltip goes on in one of these ways. */
static void check_arm(struct number_check *check, const struct figure_facts *facts,
                      const char *text, const char *rest, int arm, struct said *said)
{
    const struct outcomes *o = facts->outcomes;
    const char *system = o->systems[arm];
    int trained = o->trained[arm], own = outcomes_step(o, trained), number = 0;
    int head = (int)(rest - text);
    char cell[400];
    double count;

    if (sscanf(rest, ", step %d", &number) == 1) {
        bool loss = strcmp(check->place, "loss") == 0;

        said->x = number;
        said->y = ask_number(
            facts->db,
            "SELECT avg(m.value), count(*) FROM metric m"
            " JOIN run r USING (run_id)" OF_ARM " AND m.name = ?3 AND m.step = ?4",
            system, trained, loss ? "train/lm_loss" : "train/accuracy", number, &count);
        said->rounded = 0.00005;
        check_equal(check, text, "%.*s, step %d: %s (%.0f seeds)", head, text, number,
                    shown(said->y, 4), count);
    } else if (sscanf(rest, ", pass@%d", &number) == 1) {
        snprintf(cell, sizeof cell, "pass_at_%d", number);
        said->x = number;
        said->y = ask_number(
            facts->db,
            "SELECT avg(m.value) FROM measure_value m JOIN evaluation v USING (evaluation_id)"
            " JOIN run r USING (run_id)" OF_ARM
            " AND m.name = ?3 AND v.outer_steps = ?2 AND m.step > 0 AND ?4 > 0",
            system, trained, cell, 1, NULL);
        check_equal(check, text, "%.*s, pass@%d: %s", head, text, number,
                    shown(said->y, DIGITS));
    } else if (sscanf(rest, ", seed %d", &number) == 1) {
        said->y = outcomes_score(o, arm, own, number);
        check_equal(check, text, "%.*s, seed %d: %s", head, text, number,
                    shown(said->y, DIGITS));
    } else {
        double flops = ask_number(
            facts->db,
            "SELECT avg(n.train_flops) FROM run r JOIN training n USING (training_id)" OF_ARM,
            system, trained, "", 0, NULL);

        write_cell(cell, sizeof cell, o, arm, own);
        said->y = outcomes_mean(o, arm, own);
        snprintf(said->brief, sizeof said->brief, "%s", shown(said->y, DIGITS));
        if (rest[0] == ',') {
            said->x = flops;
            check_equal(check, text, "%.*s, %s TFLOP: %s", head, text,
                        shown_trimmed(flops / 1e12, 2), cell);
        } else {
            check_equal(check, text, "%.*s: %s", head, text, cell);
        }
    }
}

/* "published, ARC Prize: about 0.385 (data, settings)" */
static void check_published(struct number_check *check, const char *text, struct said *said)
{
    for (const struct published *p = PUBLISHED; p->source != NULL; p++) {
        char expected[300], number[40];

        snprintf(number, sizeof number, "%s", shown_trimmed(p->value, DIGITS));
        snprintf(expected, sizeof expected, "published, %s: %s%s (%s, %s)", p->source,
                 p->kind == PUBLISHED_CHART ? "about " : "", number, p->data, p->settings);
        if (strcmp(expected, text) != 0 || p->x == NULL)
            continue;
        said->x = strtod(p->x, NULL);
        said->y = p->value;
        check_equal(check, text, "%s", expected);
        return;
    }
    check_equal(check, text, "one of the published values");
}

/* "ACT off minus ACT on: -0.03"; "1 x 1 minus 2 x 2 cycles: about -0.04 (within 4 points)"; of a
 * claim "HRM minus transformer: within 5 points". */
static void check_published_words(struct number_check *check, const struct published *p)
{
    char words[400];

    if (p->kind == PUBLISHED_CLAIM)
        snprintf(words, sizeof words, "%s: %s", p->settings, p->note);
    else
        snprintf(words, sizeof words, "%s: %s%s%s%s%s", p->settings,
                 p->kind == PUBLISHED_CHART ? "about " : "", shown_trimmed(p->value, DIGITS),
                 p->note != NULL ? " (" : "", p->note != NULL ? p->note : "",
                 p->note != NULL ? ")" : "");
    check_name(check, words);
}

static void check_difference(struct number_check *check, const struct figure_facts *facts,
                             const char *text, struct said *said)
{
    for (int i = 0; i < facts->difference_count; i++) {
        const struct named_difference *d = &facts->differences[i];
        const struct estimate *e = &d->value.estimate;
        char head[200];

        snprintf(head, sizeof head, "%s, %s: ", d->group, d->label);
        if (!begins(text, head))
            continue;
        said->y = e->value;
        said->low = e->low;
        said->high = e->high;
        snprintf(said->brief, sizeof said->brief, "%s [%s, %s]", shown_signed(e->value, DIGITS),
                 shown_signed(e->low, DIGITS), shown_signed(e->high, DIGITS));
        check_equal(check, text, "%s%s, p (Holm) %s, %s, %d seeds, %d tasks", head, said->brief,
                    shown(d->value.p_holm, 4), outcomes_verdict(&d->value), e->seeds, e->tasks);
        return;
    }
    check_equal(check, text, "one of the differences");
}

/* What the tooltip must be, by its beginning. */
static struct said check_tooltip(struct number_check *check, const struct figure_facts *facts,
                                 const char *text)
{
    const struct outcomes *o = facts->outcomes;
    struct said said = { .x = (double)NAN, .y = (double)NAN, .low = (double)NAN };
    char system[24], cell[400];
    int trained = 0, inference = 0, end = 0;

    said.rounded = 0.0005;
    if (begins(text, "published")) {
        check_published(check, text, &said);
    } else if (sscanf(text, "%23[a-z], outer steps in training %d, outer steps at inference %d",
                      system, &trained, &inference) == 3) {
        int arm = outcomes_arm(o, system, trained), step = outcomes_step(o, inference);

        write_cell(cell, sizeof cell, o, arm, step);
        said.y = outcomes_mean(o, arm, step);
        snprintf(said.brief, sizeof said.brief, "%s", shown(said.y, DIGITS));
        check_equal(check, text,
                    "%s, outer steps in training %d, outer steps at inference %d: %s", system,
                    trained, inference, cell);
    } else if (sscanf(text, "%23[a-z], halt_max_steps=%d%n", system, &trained, &end) == 2) {
        check_arm(check, facts, text, text + end, outcomes_arm(o, system, trained), &said);
    } else if (sscanf(text, "%23[a-z], outer steps in training %d:%n", system, &trained,
                      &end) == 2 &&
               end > 0) {
        int arm = outcomes_arm(o, system, trained), step = outcomes_step(o, trained);

        write_cell(cell, sizeof cell, o, arm, step);
        said.x = trained;
        said.y = outcomes_mean(o, arm, step);
        check_equal(check, text, "%s, outer steps in training %d: %s", system, trained, cell);
    } else {
        check_difference(check, facts, text, &said);
    }
    return said;
}

/* ---- marks ---- */

static void check_place(struct number_check *check, const struct page_item *item,
                        const struct ticks *ticks, double value, double rounded, double place)
{
    double expected = place_of(ticks, value);
    /* a triangle's box is not around its middle */
    double off = strcmp(item->tag, "path") == 0 ? 0.12 * (item->x2 - item->x1) : 0;
    double room = 0.05 + off + fabs(place_of(ticks, value + rounded) - expected);

    if (fabs(place - expected) <= room)
        return;
    check->text = item->text;
    check->faults++;
    fprintf(stderr, "%s: a mark at %g, where %g stands at %g: %s\n", check->place, place, value,
            expected, item->text);
}

/* The mark's place between the ticks is its value's. rows: values go along x. */
static void check_mark(struct number_check *check, const struct page_item *item,
                       const struct said *said, const struct ticks *x, const struct ticks *y,
                       bool rows)
{
    if (rows && isfinite(said->low) && strcmp(item->tag, "line") == 0) {
        check_place(check, item, x, said->low, 0, item->x1);
        check_place(check, item, x, said->high, 0, item->x2);
    } else if (rows) {
        check_place(check, item, x, said->y, 0, item->x);
    } else if (y->count > 1) {
        bool bar = strstr(item->class_name, "bar") != NULL;

        check_place(check, item, y, said->y, 0, bar ? item->y1 : item->y);
        if (isfinite(said->x))
            check_place(check, item, x, said->x, 0, item->x);
    }
}

/* ---- labels ---- */

/* Whether it is, or is a line of, the name of an arm, an evaluation or a difference. */
static bool is_name(const struct figure_facts *facts, const char *text)
{
    const struct outcomes *o = facts->outcomes;
    char name[200];

    for (int a = 0; a < o->arms; a++) {
        snprintf(name, sizeof name, "%s, halt_max_steps=%d", o->systems[a], o->trained[a]);
        if (strstr(name, text) != NULL)
            return true;
    }
    for (int s = 0; s < o->steps; s++) {
        snprintf(name, sizeof name, "%d at inference", o->inference[s]);
        if (strcmp(name, text) == 0)
            return true;
    }
    for (int i = 0; i < facts->difference_count; i++)
        if (strcmp(facts->differences[i].label, text) == 0)
            return true;
    return false;
}

/* A label that is no tick of numbers: a name, a text beside a mark, an axis' title. */
static void check_label(struct number_check *check, const struct figure_facts *facts,
                        const char *text, const char *brief)
{
    check_begin(check, text);
    if (brief[0] != '\0' && strcmp(text, brief) == 0)
        check_name(check, brief);
    else if (is_name(facts, text))
        check_name(check, text);
    check_name(check, "pass@2");
    check_end(check);
}

/* The name of a category: outer steps in training, or at inference. */
static void check_category(struct number_check *check, const struct outcomes *o,
                           const char *text, bool inference)
{
    char name[12];

    check_begin(check, text);
    for (int i = 0; i < (inference ? o->steps : o->arms); i++) {
        snprintf(name, sizeof name, "%d", inference ? o->inference[i] : o->trained[i]);
        if (strcmp(name, text) == 0)
            check_name(check, name);
    }
    check_end(check);
}

/* One chart: its ticks first, then what is drawn. items[0]: PAGE_CHART. */
static int check_chart(struct number_check *check, const struct figure_facts *facts,
                       const struct page_item *items, int count)
{
    struct ticks x = { 0 }, y = { 0 };
    struct said said = { 0 };
    bool rows = strcmp(check->place, "differences") == 0 || strcmp(check->place, "seeds") == 0;
    bool heat = strcmp(check->place, "map") == 0;
    int end = 1;

    while (end < count && items[end].kind != PAGE_CHART &&
           (items[end].kind == PAGE_SHAPE || items[end].kind == PAGE_LABEL))
        end++;
    for (int i = 1; i < end; i++) {
        if (is_y_tick(&items[i]))
            add_tick(&y, tick_value(items[i].text), items[i - 1].y1);
        else if (is_x_tick(&items[i]))
            add_tick(&x, tick_value(items[i].text), items[i - 1].x1);
    }
    bool categories = heat || strcmp(check->place, "bars") == 0;

    if (!find_scale(&y) || (!categories && !find_scale(&x))) {
        check->faults++;
        fprintf(stderr, "%s: ticks of no scale\n", check->place);
    }
    for (int i = 1; i < end; i++) {
        const struct page_item *item = &items[i];

        if (is_x_tick(item) && categories) {
            check_category(check, facts->outcomes, item->text, heat);
        } else if (is_y_tick(item) || is_x_tick(item)) {
            check->matched += count_numbers(item->text); /* find_scale() */
        } else if (item->kind == PAGE_LABEL && heat && strstr(item->class_name, "muted")) {
            check_category(check, facts->outcomes, item->text, false);
        } else if (item->kind == PAGE_LABEL) {
            check_label(check, facts, item->text, said.brief);
        } else if (item->text[0] != '\0') {
            said = check_tooltip(check, facts, item->text);
            check_mark(check, item, &said, &x, &y, rows);
        }
    }
    return end;
}

/* What a figure tells about itself. */
static void check_about(struct number_check *check, const struct figure_facts *facts,
                        const char *text)
{
    const struct outcomes *o = facts->outcomes;
    int fewest = MOST_SEEDS, most = 0;

    for (int a = 0; a < o->arms; a++) {
        int done = outcomes_done(o, a);

        fewest = done < fewest ? done : fewest;
        most = done > most ? done : most;
    }
    check_begin(check, text);
    if (begins(text, "Mean over seeds;"))
        check_name(check, "\xc2\xb1 1 standard deviation");
    else if (begins(text, "Mean"))
        check_take(check, "Mean over %d to %d seeds", fewest, most);
    else
        check_take(check, "correction for the %d differences", facts->difference_count);
    check_name(check, "\xc2\xb1 1 standard deviation");
    check_name(check, "95 % intervals");
    check_name(check, "pass@2");
    for (const struct published *p = PUBLISHED; p->source != NULL; p++) {
        check_name(check, p->data);
        check_published_words(check, p);
    }
    check_name(check, "data/arc-agi-1");
    check_end(check);
}

int check_figure(struct number_check *check, const struct figure_facts *facts,
                 const struct page_item *items, int count)
{
    static const char *const PLACES[][2] = {
        { "Token loss", "loss" },
        { "Per-token", "accuracy" },
        { "Differences", "differences" },
        { "pass@2 of every seed", "seeds" },
        { "pass@2: outer steps in training and", "bars" },
        { "pass@2: outer steps in training against", "map" },
    };
    char about[1000] = "";
    int i = 1;

    check->place = "figure";
    for (size_t p = 0; p < sizeof PLACES / sizeof *PLACES; p++)
        if (begins(items[0].text, PLACES[p][0]))
            check->place = PLACES[p][1];
    check_begin(check, items[0].text);
    check_name(check, "pass@2");
    check_end(check);
    while (i < count && items[i].kind != PAGE_CHART) {
        const struct page_item *item = &items[i++];

        if (item->kind == PAGE_ABOUT) {
            check_about(check, facts, item->text);
        } else if (strcmp(item->class_name, "title") == 0) {
            check_equal(check, item->text, "%s", items[0].text);
        } else { /* the same as in <desc>, line by line */
            snprintf(about + strlen(about), sizeof about - strlen(about), "%s%s",
                     about[0] != '\0' ? " " : "", item->text);
        }
    }
    check_equal(check, about, "%s", items[1].text);
    while (i < count && items[i].kind == PAGE_CHART)
        i += check_chart(check, facts, items + i, count - i);
    return i;
}
