/* test_damage.c - damaged weights and databases: seen, left alone, made again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One byte of the weights: the sizes are right, the checksum is not. */
static void damaged_weights_are_seen_and_trained_again(void **state)
{
    struct place place;
    char path[400];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 0);
    assert_true(place_output_has(&place, "all 2 final checkpoints are there and complete"));
    char *file = place_ask(&place, "SELECT file FROM checkpoint LIMIT 1");
    char *weights = place_ask(&place, "SELECT weights_hash FROM checkpoint LIMIT 1");
    snprintf(path, sizeof path, "%s/%s", place.workspace, file);
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, -100, SEEK_END), 0);
    int byte = fgetc(stream);
    assert_int_equal(fseek(stream, -100, SEEK_END), 0);
    fputc(byte ^ 1, stream);
    fclose(stream);
    assert_int_equal(place_finish(place_start(&place, "doctor", "--full", NULL)), 0);
    assert_true(place_output_has(&place, "0 are gone or cut, 1 fail their checksum"));
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--set", "eval.halt_max_steps=3",
                                 "--set", "retries.max=0", NULL)),
        0);
    place_expect(&place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'checkpoint damaged'",
                 "1");
    place_expect(&place, "SELECT count(*) FROM job WHERE kind = 'train'", "3");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "6");
    char *again = place_ask(&place, "SELECT weights_hash FROM checkpoint LIMIT 1");
    char *file_again = place_ask(&place, "SELECT file FROM checkpoint LIMIT 1");
    assert_string_equal(again, weights);
    assert_string_not_equal(file_again, file);
    free(file_again);
    free(again);
    free(weights);
    free(file);
    place_remove(&place);
}

static void a_damaged_database_is_left_alone_and_rebuilt(void **state)
{
    static const char *const sql =
        "SELECT group_concat(line, ';') FROM (SELECT r.hash || m.name ||"
        " m.step || ' ' || m.value AS line FROM metric m JOIN run r"
        " USING (run_id) ORDER BY 1)";
    struct place place;
    char path[80];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "eval.halt_max_steps=3", NULL)),
                     0);
    char *hashes =
        place_ask(&place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                          " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
    char *metrics = place_ask(&place, sql);
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = 4096; fseek(file, at, SEEK_SET) == 0 && at < 90000; at += 4096)
        fputs("this is no page of a database", file);
    fclose(file);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 3);
    assert_true(place_output_has(&place, "hrmlab rebuild"));
    assert_int_equal(place_finish(place_start(&place, "rebuild", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    place_expect(&place, "SELECT count(*) FROM attempt", "4");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "6");
    char *again =
        place_ask(&place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                          " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
    char *metrics_again = place_ask(&place, sql);
    assert_string_equal(again, hashes);
    assert_string_equal(metrics_again, metrics);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_true(place_output_has(&place, "nothing to do"));
    free(hashes);
    free(again);
    free(metrics);
    free(metrics_again);
    place_remove(&place);
}

/* Bytes over the first page of a table that most commands never look at. */
static void damage_table(const struct place *place, const char *table)
{
    char path[80], sql[120];

    snprintf(sql, sizeof sql,
             "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size)"
             " FROM sqlite_schema WHERE name = '%s'",
             table);
    char *offset = place_ask(place, sql);
    snprintf(path, sizeof path, "%s/results.db", place->workspace);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, atol(offset), SEEK_SET), 0);
    for (int i = 0; i < 20; i++)
        fputs("no page...", file);
    fclose(file);
    free(offset);
}

static void no_command_writes_to_a_damaged_database(void **state)
{
    static const char *const commands[] = {
        "run", "queue", "work", "cancel", "retry", "verify"
    };
    struct place place;
    struct error err = { 0 };
    char path[80], *before, *after;
    size_t size, size_after;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    char *run = place_ask(&place, "SELECT hash FROM run ORDER BY run_id LIMIT 1");
    damage_table(&place, "task_outcome");
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    assert_int_equal(file_read(&before, &size, path, 1 << 28, &err), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *target = i < 2 ? place.spec : i == 2 ? NULL : i < 5 ? "all" : run;
        int code = place_finish(place_start(&place, commands[i], target, NULL));
        if (code != 3)
            fail_msg("%s on a damaged database: exit %d", commands[i], code);
    }
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--set", "train.lr=0.03", NULL)),
        3);
    assert_int_equal(place_finish(place_start(&place, "gc", "--force", NULL)), 3);
    assert_int_equal(file_read(&after, &size_after, path, 1 << 28, &err), 0);
    assert_int_equal(size_after, size);
    assert_memory_equal(after, before, size);
    assert_true(place_output_has(&place, "results.db is damaged; hrmlab rebuild"));
    free(before);
    free(after);
    free(run);
    place_remove(&place);
}

/* Of a file in the state that is noted as sound only `doctor --full` reads all. */
static void a_database_that_nobody_has_changed_is_not_read_again(void **state)
{
    struct place place;
    char path[80], note[100], line[120];
    struct stat s;

    (void)state;
    place_make(&place);
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    snprintf(note, sizeof note, "%s.sound", path);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 0);
    assert_true(
        place_output_has(&place, "results.db is sound, unchanged since its last writer"));
    damage_table(&place, "task_outcome");
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 3);
    assert_true(place_output_has(&place, "results.db is damaged"));
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 3);
    /* As if the disk had lost it: nothing that the system knows of has changed. */
    assert_int_equal(stat(path, &s), 0);
    snprintf(line, sizeof line, "size %jd inode %ju changed %jd.%09ld\n", (intmax_t)s.st_size,
             (uintmax_t)s.st_ino, (intmax_t)s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
    FILE *file = fopen(note, "w");
    assert_non_null(file);
    fputs(line, file);
    fclose(file);
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "doctor", "--full", NULL)), 3);
    assert_true(place_output_has(&place, "results.db is damaged"));
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 0);
    /* Something else has written to it, if only the time. */
    assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 3);
    place_remove(&place);
}

/* Every command that opens the file ends at once, says what is there, and leaves it alone. */
static void expect_refused(const struct place *place, const char *name, const char *what,
                           const char *const *commands)
{
    char words[200];

    /* doctor breaks lines between words */
    snprintf(words, sizeof words, "%s/%s is %s; expected a", place->workspace, name, what);
    for (int i = 0; commands[i] != NULL; i++) {
        const char *argument = strcmp(commands[i], "queue") == 0    ? place->spec
                               : strcmp(commands[i], "cancel") == 0 ? "all"
                                                                    : NULL;
        const char *const line[] = { commands[i], argument, NULL };
        char *out, *errors;
        int code = place_run(place, line, &out, &errors);

        if (code != 3 || (strstr(errors, words) == NULL && strstr(out, words) == NULL))
            fail_msg("%s with %s in the place of %s: exit %d: %s", commands[i], what, name,
                     code, errors);
        free(out);
        free(errors);
    }
}

static void what_is_no_file_in_a_file_s_place_is_refused_and_hangs_nothing(void **state)
{
    static const char *const whats[] = { "a FIFO", "a directory", "a device" };
    static const char *const all[] = { "status", "results", "queue",  "work", "cancel",
                                       "gc",     "rebuild", "doctor", NULL };
    static const char *const lock[] = { "status", "work", "cancel", "rebuild", NULL };
    static const struct {
        const char *name;
        const char *const *commands;
    } files[] = { { "results.db", all },
                  { "results.db-wal", all },
                  { "results.db-journal", all },
                  { "lock", lock } };
    struct place place;
    char path[100], kept[120];

    (void)state;
    alarm(300); /* a command that hangs ends this program */
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (int w = 0; w < 3; w++) {
            snprintf(path, sizeof path, "%s/%s", place.workspace, files[f].name);
            snprintf(kept, sizeof kept, "%s.kept", path);
            bool had = rename(path, kept) == 0;
            assert_int_equal(w == 0   ? mkfifo(path, 0600)
                             : w == 1 ? mkdir(path, 0700)
                                      : symlink("/dev/zero", path),
                             0);
            expect_refused(&place, files[f].name, whats[w], files[f].commands);
            assert_int_equal(remove(path), 0);
            if (had)
                assert_int_equal(rename(kept, path), 0);
        }
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    alarm(0);
    place_remove(&place);
}

/* Files that a command can do without: the note of a sound database, marks, a worker's log. */
static void a_fifo_in_the_place_of_a_lesser_file_hangs_nothing(void **state)
{
    static const char *const names[] = { "results.db.sound", "marks.json", "marks.json.tmp",
                                         ".space", ".space.tmp" };
    struct place place;
    char path[160];

    (void)state;
    alarm(300);
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", place.workspace, names[i]);
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(place_finish(place_start(&place, "queue", place.spec, NULL)), 0);
        int code = place_finish(place_start(&place, "tag", "t", "good", NULL));
        assert_int_equal(code, i == 2 ? 2 : 0);
        unlink(path);
    }
    assert_true(place_output_has(&place, "marks.json.tmp is a FIFO; expected a regular file"));
    char *run = place_ask(&place, "SELECT hash FROM run LIMIT 1");
    char *attempt = place_ask(&place, "SELECT directory FROM attempt WHERE run_id ="
                                      " (SELECT run_id FROM run LIMIT 1)");
    snprintf(path, sizeof path, "%s/%s/log", place.workspace, attempt);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(place_finish(place_start(&place, "logs", run, NULL)), 2);
    assert_true(place_output_has(&place, "log is a FIFO; expected a regular file"));
    alarm(0);
    free(attempt);
    free(run);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_weights_are_seen_and_trained_again),
        cmocka_unit_test(a_damaged_database_is_left_alone_and_rebuilt),
        cmocka_unit_test(no_command_writes_to_a_damaged_database),
        cmocka_unit_test(a_database_that_nobody_has_changed_is_not_read_again),
        cmocka_unit_test(what_is_no_file_in_a_file_s_place_is_refused_and_hangs_nothing),
        cmocka_unit_test(a_fifo_in_the_place_of_a_lesser_file_hangs_nothing),
    };

    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
