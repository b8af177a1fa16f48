/* test_export.c - the files of export: typed, complete, whole or absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "export.h"
#include "export_folder.h"
#include "file.h"
#include "json.h"
#include "measure.h"
#include "sql.h"
#include "store.h"
#include "support/opened.h"
#include "support/place.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct opened_export opened;
static struct store *store;
static struct export *export;

/* The workspace of the first release: two arms by arch.name, one seed, two evaluations;
 * with a tag, a list of values, and a setting of each type. */
static const char CHANGES[] =
    "INSERT INTO mark VALUES ('tag', 't', '', '', 'b', ''), ('tag', '', '',"
    " (SELECT hash FROM run WHERE run_id = 1), 'a,\"', ''),"
    " ('tag', 't', 'arch.name=transformer', '', 'c', '');"
    "INSERT INTO measure_value VALUES (1, 8, 'halted', 1, 0.25), (1, 8, 'halted', 2, 0.75);"
    "INSERT OR REPLACE INTO config_setting SELECT config_id, 'arch.mlp_t', 1 FROM config;"
    "INSERT OR REPLACE INTO config_setting SELECT config_id, 'arch.gradient_horizon', 3"
    " FROM config;"
    "INSERT OR REPLACE INTO config_setting SELECT config_id, 'train.lr', 0.1 + 0.2"
    " FROM config;";

static int open_workspace(void **state)
{
    (void)state;
    opened_export_make(&opened, CHANGES);
    store = opened.store;
    export = opened.export;
    return 0;
}

static int close_workspace(void **state)
{
    (void)state;
    opened_export_remove(&opened);
    return 0;
}

static char *text_of(enum export_table table, enum output_format format, int64_t *rows)
{
    struct error err;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    must(export_write(export, table, out, format, rows, &err), &err);
    fclose(out);
    return text;
}

/* Takes the next field of CSV from *at into out; false: it was the line's last. */
static bool next_field(char out[400], const char **at)
{
    const char *c = *at;
    size_t used = 0;
    bool quoted = *c == '"';

    for (c += quoted; *c != '\0'; c++) {
        if (quoted && c[0] == '"' && c[1] == '"')
            c++;
        else if (quoted ? *c == '"' : *c == ',' || *c == '\n')
            break;
        assert_true(used + 1 < 400);
        out[used++] = *c;
    }
    out[used] = '\0';
    c += quoted;
    assert_true(*c == ',' || *c == '\n');
    *at = c + 1;
    return *c == ',';
}

static bool fits(enum table_type type, const char *text)
{
    char *end = NULL;

    if (text[0] == '\0' || type == TABLE_TEXT)
        return true;
    if (type == TABLE_BOOL)
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    if (type == TABLE_INT)
        strtoll(text, &end, 10);
    else
        strtod(text, &end);
    return *end == '\0';
}

static void every_cell_has_the_type_of_its_column(void **state)
{
    (void)state;
    for (int t = 0; t < EXPORT_TABLE_COUNT; t++) {
        const struct export_columns *columns = &export->columns[t];
        int64_t rows;
        char *text = text_of((enum export_table)t, FORMAT_CSV, &rows), field[400];
        const char *at = text;

        assert_true(rows > 0);
        for (int64_t row = -1; row < rows; row++)
            for (int c = 0; c < columns->count; c++) {
                if (next_field(field, &at) != (c + 1 < columns->count))
                    fail_msg("%s: row %d ends with %s", export_table_name((enum export_table)t),
                             (int)row, columns->items[c].name);
                if (row < 0)
                    assert_string_equal(field, columns->items[c].name);
                else if (!fits(columns->items[c].type, field))
                    fail_msg("%s: \"%s\"", columns->items[c].name, field);
            }
        assert_int_equal(*at, '\0');
        free(text);
    }
}

/* The row of a table whose members have these values; both are compared as JSON. */
static cJSON *find_row(const char *lines, const char *const wanted[][2], int count)
{
    for (const char *line = lines; *line != '\0'; line = strchr(line, '\n') + 1) {
        cJSON *row = cJSON_ParseWithLength(line, strcspn(line, "\n"));
        bool same = row != NULL;

        for (int i = 0; i < count && same; i++) {
            char *value = json_canonical(json_member(row, wanted[i][0]));
            same = value != NULL && strcmp(value, wanted[i][1]) == 0;
            free(value);
        }
        if (same)
            return row;
        cJSON_Delete(row);
    }
    fail_msg("no row with %s = %s", wanted[0][0], wanted[0][1]);
    return NULL;
}

static void expect_member(const cJSON *row, const char *key, const char *expected)
{
    char *value = json_canonical(json_member(row, key));

    if (value == NULL || strcmp(value, expected) != 0)
        fail_msg("%s: %s, expected %s", key, value != NULL ? value : "nothing", expected);
    free(value);
}

static void values_are_those_of_the_database_with_their_types(void **state)
{
    static const char *const HRM[][2] = { { "arch.name", "\"hrm\"" },
                                          { "checkpoint", "\"last\"" },
                                          { "eval.halt_max_steps", "2" } };
    int64_t rows;
    char *text = text_of(EXPORT_RESULTS, FORMAT_JSON_LINES, &rows);
    cJSON *row = find_row(text, HRM, 3);

    (void)state;
    assert_int_equal(rows, 8);
    expect_member(row, "experiment", "\"t\"");
    expect_member(row, "seed", "0");
    expect_member(row, "eval.augmentations", "\"all\"");
    expect_member(row, "eval.act_inference", "false");
    expect_member(row, "eval.rollouts", "1"); /* what its absence means */
    expect_member(row, "oracle", "null");     /* not of the first release */
    sqlite3_stmt *s;
    struct error err;
    must(sql_query(store, &s, &err,
                   "SELECT per_token_accuracy FROM v_results WHERE arm = 'arch.name=hrm'"
                   " AND eval_outer_steps = 2",
                   ""),
         &err);
    assert_int_equal(sql_step(store, &s, &err), 1);
    assert_true(json_member(row, "per_token_accuracy")->valuedouble ==
                sqlite3_column_double(s, 0));
    sql_end(&s);
    cJSON_Delete(row);
    free(text);
    place_expect(&opened.place, "SELECT count(*) FROM metric", "32");
    free(text_of(EXPORT_CURVES, FORMAT_CSV, &rows));
    assert_int_equal(rows, 32);
    free(text_of(EXPORT_TASKS, FORMAT_CSV, &rows));
    assert_int_equal(rows, 168);
    free(text_of(EXPORT_TRAJECTORIES, FORMAT_CSV, &rows));
    assert_int_equal(rows, 2);
}

static void settings_keep_every_digit_and_what_is_inactive_is_empty(void **state)
{
    static const char *const FIRST[][2] = { { "arch.name", "\"hrm\"" } };
    int64_t rows;
    char *text = text_of(EXPORT_SETTINGS, FORMAT_JSON_LINES, &rows);
    cJSON *row = find_row(text, FIRST, 1);

    (void)state;
    assert_int_equal(rows, 2);
    expect_member(row, "arch.mlp_t", "true");
    expect_member(row, "arch.gradient_horizon", "\"3\""); /* or a word: text */
    expect_member(row, "train.seed", "0");
    expect_member(row, "data.sudoku_side", "null");
    assert_true(json_member(row, "train.lr")->valuedouble == 0.1 + 0.2);
    cJSON_Delete(row);
    free(text);
}

/* Patience and epsilon belong to one halting rule each. */
static void what_the_halting_rule_does_not_use_is_empty(void **state)
{
    static const struct {
        const char *rule, *patience, *epsilon;
    } CASES[] = { { "max", "null", "null" },
                  { "stable", "1", "null" },
                  { "residual", "null", "0.01" } };
    static const char *const LAST[][2] = { { "checkpoint", "\"last\"" } };
    struct export *before = export;

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct opened_export with_rule;
        char *change = format_string("UPDATE evaluation SET canonical ="
                                     " json_set(canonical, '$.\"eval.halt_rule\"', '%s')",
                                     CASES[i].rule);
        int64_t rows;

        opened_export_make(&with_rule, change);
        export = with_rule.export;
        char *text = text_of(EXPORT_RESULTS, FORMAT_JSON_LINES, &rows);
        cJSON *row = find_row(text, LAST, 1);

        expect_member(row, "eval.halt_patience", CASES[i].patience);
        expect_member(row, "eval.halt_epsilon", CASES[i].epsilon);
        cJSON_Delete(row);
        free(text);
        free(change);
        opened_export_remove(&with_rule);
    }
    export = before;
}

static void a_run_has_the_tags_of_its_arm_and_experiment_too(void **state)
{
    static const char *const HRM[][2] = { { "arch.name", "\"hrm\"" } };
    static const char *const OTHER[][2] = { { "arch.name", "\"transformer\"" } };
    int64_t rows;
    char *text = text_of(EXPORT_RUNS, FORMAT_JSON_LINES, &rows);
    cJSON *row = find_row(text, HRM, 1);

    (void)state;
    expect_member(row, "tags", "\"a,\\\",b\"");
    expect_member(row, "state", "\"done\"");
    expect_member(row, "cause", "null");
    expect_member(row, "mixed", "false");
    assert_int_equal(strlen(json_member(row, "run_hash")->valuestring), 64);
    cJSON_Delete(row);
    row = find_row(text, OTHER, 1);
    expect_member(row, "tags", "\"b,c\"");
    cJSON_Delete(row);
    free(text);
}

static void the_dictionary_explains_every_column_by_its_table(void **state)
{
    struct error err;
    struct table *table;
    char *text = NULL;
    size_t size = 0;

    (void)state;
    must(export_dictionary(&table, export->columns, &err), &err);
    FILE *out = open_memstream(&text, &size);
    must(table_print(table, out, FORMAT_JSON_LINES, false, &err), &err);
    fclose(out);
    table_destroy(table);
    for (int i = 0; i < METRIC_COUNT; i++) {
        char *name = format_string("\"%s\"", METRICS[i].name);
        const char *const wanted[][2] = { { "column", name }, { "table", "\"results\"" } };
        cJSON *row = find_row(text, wanted, 2);

        assert_string_equal(json_member(row, "unit")->valuestring, METRICS[i].unit);
        assert_string_equal(json_member(row, "meaning")->valuestring, METRICS[i].meaning);
        cJSON_Delete(row);
        free(name);
    }
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings_table[i];
        char *name = format_string("\"%s\"", setting->key);
        const char *const wanted[][2] = {
            { "column", name },
            { "table", setting->phase == PHASE_EVALUATION ? "\"results\"" : "\"settings\"" }
        };

        if (setting->phase != PHASE_EXECUTION) {
            cJSON *row = find_row(text, wanted, 2);
            assert_non_null(strstr(json_member(row, "meaning")->valuestring, setting->meaning));
            cJSON_Delete(row);
        }
        free(name);
    }
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        assert_null(memmem(line, strcspn(line, "\n"), "\"meaning\": \"\"", 13));
    free(text);
}

static void conditions_and_names_choose_what_is_exported(void **state)
{
    static const char *const WHERE[] = { "arch.name=hrm", "eval.halt_max_steps=1" };
    char last[] = "last", absent[] = "absent";
    char *names[] = { last, last }, *wrong[] = { absent };
    struct export *part;
    struct error err;

    (void)state;
    must(export_open(&part, store, names, 2, WHERE, 2, &err), &err);
    assert_int_equal(part->experiment_count, 1);
    assert_int_equal(part->run_count, 1);
    assert_int_equal(part->evaluation_count, 1);
    export_close(part);
    assert_int_equal(export_open(&part, store, wrong, 1, NULL, 0, &err), ERROR_ABSENT);
    assert_null(part);
    assert_non_null(strstr(err.message, "no experiment \"absent\""));
}

/* Tags of the experiment (b), an arm (c) and a run (a,"). */
static void a_condition_can_be_a_tag(void **state)
{
    static const struct {
        const char *condition;
        int runs;
    } CASES[] = {
        { "tag=b", 2 }, { "tag=c", 1 }, { "tag!=c", 1 }, { "tag=a,\"", 1 }, { "tag=d", 0 }
    };
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct export *part;

        must(export_open(&part, store, NULL, 0, &CASES[i].condition, 1, &err), &err);
        if (part->run_count != CASES[i].runs)
            fail_msg("%s: %d runs", CASES[i].condition, part->run_count);
        export_close(part);
    }
}

/* ---- the folder ---- */

static void write_folder(const char *path, bool force, bool finish)
{
    struct export_folder folder;
    struct error err;
    FILE *file;

    must(export_folder_begin(&folder, path, force, &err), &err);
    must(export_folder_create(&folder, &file, "export.json", &err), &err);
    fputs("{\"format\": \"hrmlab-export-1\", \"files\": [\"a\"]}", file);
    must(export_folder_close(file, "export.json", &err), &err);
    must(export_folder_create(&folder, &file, "a/b", &err), &err);
    must(export_folder_close(file, "a/b", &err), &err);
    if (!finish)
        _exit(0); /* as a killed process: nothing is tidied up */
    must(export_folder_finish(&folder, &err), &err);
    export_folder_release(&folder);
}

static void expect_refusal(const char *path, bool force, enum error_code code,
                           const char *words)
{
    struct export_folder folder;
    struct error err;

    assert_int_equal(export_folder_begin(&folder, path, force, &err), code);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void a_killed_export_leaves_no_folder_and_the_next_one_tidies_up(void **state)
{
    char *path = file_join(opened.place.directory, "out");
    char *left = file_join(opened.place.directory, ".out.hrmlab-export/a/b");
    int status;

    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        write_folder(path, false, false);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(file_exists(path));
    assert_true(file_exists(left));
    write_folder(path, false, true);
    assert_true(file_exists(path));
    assert_false(file_exists(left));
    free(left);
    free(path);
}

static void only_an_earlier_export_is_replaced_and_only_by_force(void **state)
{
    char *path = file_join(opened.place.directory, "again"), *mine = file_join(path, "mine");
    struct error err;

    (void)state;
    must(file_make_directories(path, &err), &err);
    write_folder(path, false, true); /* an empty folder is nothing to lose */
    expect_refusal(path, false, ERROR_FORMAT, "--force replaces it");
    write_folder(path, true, true);
    must(file_write_atomic(mine, "", 0, &err), &err);
    expect_refusal(path, true, ERROR_FORMAT, "\"mine\" in it is not of the earlier export");
    assert_true(file_exists(mine));
    expect_refusal(opened.place.directory, true, ERROR_FORMAT, "no earlier export");
    expect_refusal(mine, true, ERROR_FORMAT, "this is no folder");
    expect_refusal("..", true, ERROR_FORMAT, "the name of a new folder");
    free(mine);
    free(path);
}

static void two_exports_to_one_place_do_not_mix(void **state)
{
    char *path = file_join(opened.place.directory, "both");
    struct export_folder folder;
    struct error err;

    (void)state;
    must(export_folder_begin(&folder, path, false, &err), &err);
    expect_refusal(path, false, ERROR_BUSY, "another hrmlab is writing");
    export_folder_release(&folder);
    write_folder(path, false, true);
    free(path);
}

static void the_command_writes_the_same_bytes_twice(void **state)
{
    static const char *const FILES[] = { "runs.csv",    "settings.csv",  "results.csv",
                                         "curves.csv",  "tasks.csv",     "trajectories.csv",
                                         "export.json", "dictionary.csv" };
    char *out, *errors, *first = file_join(opened.place.directory, "one");
    char *second = file_join(opened.place.directory, "two");
    const char *const once[] = { "export", first, NULL };
    const char *const twice[] = { "export", second, "t", "--format", "csv", NULL };
    const char *const wrong[] = { "results", "--format", "tensorboard", NULL };
    const char *const no_table[] = { "export", second, "--force", "--format", "table", NULL };
    struct error err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(place_run(&opened.place, i == 0 ? once : twice, &out, &errors), 0);
        assert_string_equal(out, "");
        assert_non_null(strstr(errors, "2 runs of 1 experiment are in "));
        free(out);
        free(errors);
    }
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char *a = file_join(first, FILES[i]), *b = file_join(second, FILES[i]), *text[2];
        size_t size[2];

        must(file_read(&text[0], &size[0], a, 1 << 20, &err), &err);
        must(file_read(&text[1], &size[1], b, 1 << 20, &err), &err);
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(text[0], text[1], size[0]);
        free(text[0]);
        free(text[1]);
        free(a);
        free(b);
    }
    assert_int_equal(place_run(&opened.place, wrong, &out, &errors), 2);
    assert_non_null(strstr(errors, "the format tensorboard is for export"));
    free(out);
    free(errors);
    assert_int_equal(place_run(&opened.place, no_table, &out, &errors), 2);
    assert_non_null(strstr(errors, "export: expected --format csv, jsonl or tensorboard"));
    free(out);
    free(errors);
    setenv("HRMLAB_FORMAT", "json", 1); /* of tables, not of files */
    const char *const plain[] = { "export", second, "--force", NULL };
    assert_int_equal(place_run(&opened.place, plain, &out, &errors), 0);
    free(out);
    free(errors);
    const char *const table[] = { "curves", NULL };
    char *plain_out, *plain_errors;
    unsetenv("HRMLAB_FORMAT");
    assert_int_equal(place_run(&opened.place, table, &plain_out, &plain_errors), 0);
    setenv("HRMLAB_FORMAT", "tensorboard", 1); /* of files, not of tables */
    assert_int_equal(place_run(&opened.place, table, &out, &errors), 0);
    unsetenv("HRMLAB_FORMAT");
    assert_string_equal(out, plain_out);
    assert_string_equal(errors, plain_errors);
    free(plain_out);
    free(plain_errors);
    free(out);
    free(errors);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_has_the_type_of_its_column),
        cmocka_unit_test(values_are_those_of_the_database_with_their_types),
        cmocka_unit_test(settings_keep_every_digit_and_what_is_inactive_is_empty),
        cmocka_unit_test(what_the_halting_rule_does_not_use_is_empty),
        cmocka_unit_test(a_run_has_the_tags_of_its_arm_and_experiment_too),
        cmocka_unit_test(the_dictionary_explains_every_column_by_its_table),
        cmocka_unit_test(conditions_and_names_choose_what_is_exported),
        cmocka_unit_test(a_condition_can_be_a_tag),
        cmocka_unit_test(a_killed_export_leaves_no_folder_and_the_next_one_tidies_up),
        cmocka_unit_test(only_an_earlier_export_is_replaced_and_only_by_force),
        cmocka_unit_test(two_exports_to_one_place_do_not_mix),
        cmocka_unit_test(the_command_writes_the_same_bytes_twice),
    };

    return cmocka_run_group_tests_name("export", tests, open_workspace, close_workspace);
}
