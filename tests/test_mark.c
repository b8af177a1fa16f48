/* test_mark.c - notes, tags and what is kept: seen everywhere, safe from gc, remove and rebuild. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs hrmlab; its output and messages as one text, fresh. */
static char *run(const struct place *place, int code, const char *const *words)
{
    char *out, *errors;
    int got = place_run(place, words, &out, &errors);
    char *both = format_string("%s%s", out, errors);

    if (got != code)
        fail_msg("%s: exit %d: %s", words[0], got, both);
    free(out);
    free(errors);
    return both;
}
#define RUN(place, code, ...) run(place, code, (const char *const[]){ __VA_ARGS__, NULL })

static void expect(char *text, const char *words)
{
    place_expect_words(text, words);
    free(text);
}

static void marks_are_seen_and_survive_a_rebuild(void **state)
{
    struct place place;
    char path[100];

    (void)state;
    place_make(&place);
    free(RUN(&place, 0, "queue", place.spec));
    char *hash =
        place_ask(&place, "SELECT substr(hash, 1, 8) FROM run ORDER BY run_id LIMIT 1");
    free(RUN(&place, 0, "note", "last", "the", "first", "try"));
    free(RUN(&place, 0, "tag", "t:arch.name=hrm", "promising", "paper"));
    free(RUN(&place, 0, "tag", "t", "thesis"));
    free(RUN(&place, 0, "keep", hash));
    expect(RUN(&place, 2, "tag", "t", "two words"), "a word without spaces");
    expect(RUN(&place, 2, "note", "nothing", "x"), "expected an experiment");
    expect(RUN(&place, 2, "note", "t", "other", "--remove"), "there is no such note");
    for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
        expect(RUN(&place, 0, "status", "--format", "csv"), "\"note: the first try, thesis\"");
        expect(RUN(&place, 0, "results", "t"), "tag of arch.name=hrm: promising");
        expect(RUN(&place, 0, "show", hash), "keep");
        expect(RUN(&place, 0, "tag", "--format", "csv"), "tag,t,arch.name=hrm,,paper,");
        expect(RUN(&place, 0, "keep"), hash);
        snprintf(path, sizeof path, "%s/results.db", place.workspace);
        if (rebuilt == 0) {
            assert_int_equal(unlink(path), 0); /* marks.json alone has them now */
            free(RUN(&place, 0, "rebuild"));
        }
    }
    free(RUN(&place, 0, "tag", "t:arch.name=hrm", "--remove"));
    place_expect(&place, "SELECT count(*) FROM mark WHERE kind = 'tag'", "1");
    free(hash);
    place_remove(&place);
}

/* An axis is added: the arms that were there get other labels, in which it has its default. */
static void marks_of_arms_follow_their_labels(void **state)
{
    struct place place;
    struct error err;
    char path[100], *spec, *other;
    size_t size;

    (void)state;
    place_make(&place);
    free(RUN(&place, 0, "queue", place.spec));
    free(RUN(&place, 0, "tag", "t:arch.name=hrm", "promising"));
    free(RUN(&place, 0, "keep", "t:arch.name=hrm"));
    assert_int_equal(file_read(&spec, &size, place.spec, 1 << 16, &err), 0);
    char *grid = strstr(spec, "\"arch.name\": [");
    assert_non_null(grid);
    other = format_string("%.*s\"train.weight_decay\": [0.1, 0.2], %s", (int)(grid - spec),
                          spec, grid);
    assert_int_equal(file_write_atomic(place.spec, other, strlen(other), &err), 0);
    free(RUN(&place, 0, "queue", place.spec));
    free(RUN(&place, 0, "cancel", "t"));
    expect(RUN(&place, 2, "remove", "t"), "its arm arch.name=hrm train.weight_decay=0.1 is");
    for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
        expect(RUN(&place, 0, "tag", "--format", "csv"),
               "tag,t,\"arch.name=hrm train.weight_decay=0.1\",,promising,");
        snprintf(path, sizeof path, "%s/results.db", place.workspace);
        if (rebuilt == 0) {
            assert_int_equal(unlink(path), 0);
            free(RUN(&place, 0, "rebuild"));
        }
    }
    free(spec);
    free(other);
    place_remove(&place);
}

static bool has_run(const struct place *place, const char *hash)
{
    char path[200];

    snprintf(path, sizeof path, "%s/runs/%s", place->workspace, hash);
    return file_exists(path);
}

static void what_is_kept_is_neither_removed_nor_collected(void **state)
{
    struct place place;
    struct error err;
    char path[200], *hashes[2];

    (void)state;
    place_make(&place);
    free(RUN(&place, 0, "queue", place.spec));
    free(RUN(&place, 0, "cancel", "t"));
    for (int i = 0; i < 2; i++) {
        hashes[i] = place_ask(&place, i == 0 ? "SELECT min(hash) FROM run"
                                             : "SELECT max(hash) FROM run");
        snprintf(path, sizeof path, "%s/runs/%s/attempts/1", place.workspace, hashes[i]);
        assert_int_equal(file_make_directories(path, &err), 0);
    }
    free(RUN(&place, 0, "keep", "t:arch.name=hrm"));
    expect(RUN(&place, 2, "remove", "t"), "its arm arch.name=hrm is kept");
    free(RUN(&place, 0, "keep", "t:arch.name=hrm", "--remove"));
    free(RUN(&place, 0, "keep", hashes[0]));
    expect(RUN(&place, 2, "remove", "t"), "its run ");
    place_change(&place, "DELETE FROM arm_evaluation"); /* as remove has it do */
    place_change(&place, "DELETE FROM arm_run");
    expect(RUN(&place, 0, "gc", "--force"), "1 run is kept and skipped");
    assert_true(has_run(&place, hashes[0]));
    assert_false(has_run(&place, hashes[1]));
    free(hashes[0]);
    free(hashes[1]);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_seen_and_survive_a_rebuild),
        cmocka_unit_test(marks_of_arms_follow_their_labels),
        cmocka_unit_test(what_is_kept_is_neither_removed_nor_collected),
    };

    return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
