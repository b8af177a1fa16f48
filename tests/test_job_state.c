/* test_job_state.c - every state has one name, which the database and the journal use, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exit_code.h"
#include "file.h"
#include "job_state.h"
#include "sql.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *job_name(int i)
{
    return job_state_name((enum job_state)i);
}

static const char *attempt_name(int i)
{
    return attempt_state_name((enum attempt_state)i);
}

static const char *request_name(int i)
{
    return request_kind_name((enum request_kind)i);
}

/* The texts that a column of a table may hold, "'queued', 'starting'", of a CHECK with IN or with
 * OR. */
static void allowed_values(char *out, size_t size, struct store *store, const char *table,
                           const char *column)
{
    struct error err;
    sqlite3_stmt *s;
    char words[64];
    size_t used = 0;

    snprintf(words, sizeof words, "CHECK (%s ", column);
    assert_int_equal(
        sql_query(store, &s, &err, "SELECT sql FROM sqlite_master WHERE name = ?1", "t", table),
        0);
    assert_int_equal(sql_step(store, &s, &err), 1);
    const char *list = strstr(sql_text(s, 0), words);
    assert_non_null(list);
    const char *end = strchr(list, ')');
    for (const char *at = strchr(list, '\''); at != NULL && at < end; at = strchr(at, '\'')) {
        int length = (int)strcspn(at + 1, "'") + 2; /* with the quotes */
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used > 0 ? ", " : "",
                                 length, at);
        assert_true(used < size);
        at += length;
    }
    sql_end(&s);
}

static void expect_same(struct store *store, const char *table, const char *column,
                        const char *(*name)(int), int count)
{
    char schema[300], ours[300] = "";

    allowed_values(schema, sizeof schema, store, table, column);
    for (int i = 0; i < count; i++)
        snprintf(ours + strlen(ours), sizeof ours - strlen(ours), "%s'%s'", i > 0 ? ", " : "",
                 name(i));
    assert_string_equal(schema, ours);
}

static void the_database_allows_the_states_of_the_table_and_no_others(void **state)
{
    char directory[] = "/tmp/test_job_state.XXXXXX";
    struct error err;
    struct store *store;

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    expect_same(store, "job", "state", job_name, JOB_STATE_COUNT);
    expect_same(store, "attempt", "state", attempt_name, ATTEMPT_STATE_COUNT);
    expect_same(store, "request", "kind", request_name, REQUEST_KIND_COUNT);
    store_close(store);
    assert_int_equal(file_remove_tree(directory, NULL), 0);
}

static void every_name_leads_back_to_its_state(void **state)
{
    enum job_state job = JOB_QUEUED;
    enum attempt_state attempt = ATTEMPT_STARTING;
    enum request_kind request = REQUEST_CANCEL;

    (void)state;
    for (int i = 0; i < JOB_STATE_COUNT; i++)
        assert_true(job_state_parse(&job, job_name(i)) && (int)job == i);
    for (int i = 0; i < ATTEMPT_STATE_COUNT; i++)
        assert_true(attempt_state_parse(&attempt, attempt_name(i)) && (int)attempt == i);
    for (int i = 0; i < REQUEST_KIND_COUNT; i++)
        assert_true(request_kind_parse(&request, request_name(i)) && (int)request == i);
    for (int i = 0; i < OUTCOME_COUNT; i++)
        assert_int_equal(outcome_parse(outcome_name((enum outcome)i)), i);
    assert_false(job_state_parse(&job, "asleep"));
    assert_false(attempt_state_parse(&attempt, "queued"));
    assert_false(request_kind_parse(&request, ""));
    assert_int_equal(outcome_parse("of a later release"), OUTCOME_NONE);
}

static void every_exit_code_of_a_worker_has_one_outcome(void **state)
{
    static const int CODES[] = { EXIT_DONE,      EXIT_BAD_INPUT,          EXIT_ENVIRONMENT,
                                 EXIT_DIVERGED,  EXIT_DATA_CHANGED,       EXIT_OUT_OF_MEMORY,
                                 EXIT_DISK_FULL, EXIT_CHECKPOINT_DAMAGED, EXIT_STOPPED };

    (void)state;
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        assert_int_equal(outcome_exit_code(outcome_of_exit(CODES[i])), CODES[i]);
    for (int i = 0; i < OUTCOME_COUNT; i++)
        for (int k = 0; k < i; k++) {
            int code = outcome_exit_code((enum outcome)i);
            assert_true(code < 0 || code != outcome_exit_code((enum outcome)k));
        }
    assert_int_equal(outcome_of_exit(-1), OUTCOME_CRASH);
    assert_int_equal(outcome_of_exit(77), OUTCOME_CRASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_allows_the_states_of_the_table_and_no_others),
        cmocka_unit_test(every_name_leads_back_to_its_state),
        cmocka_unit_test(every_exit_code_of_a_worker_has_one_outcome),
    };

    return cmocka_run_group_tests_name("job_state", tests, NULL, NULL);
}
