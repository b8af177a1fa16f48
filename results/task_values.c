/* task_values.c - works out measures per task from task_outcome. */
#include "task_values.h"

#include "error.h"
#include "sql.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* A task's value, or its sum and number of tests while they are read. */
struct task_sum {
    double sum, least;
    int tests;
};

void task_values_release(struct task_values *values)
{
    for (int i = 0; i < values->room; i++)
        free(values->tasks[i]);
    free(values->tasks);
    free(values->values);
    *values = (struct task_values){ 0 };
}

/* Names task number values->count, and counts it. The name that stood there is mostly
 * the same: that of the evaluation before. */
static int add_task(struct task_values *values, const char *name, struct error *err)
{
    if (values->count == values->room) {
        size_t room = 2 * (size_t)values->room + 16;
        char **tasks = realloc(values->tasks, room * sizeof *tasks);

        if (tasks == NULL)
            return error_no_memory(err, "outcomes");
        values->tasks = tasks;
        double *numbers = realloc(values->values, room * sizeof *numbers);
        if (numbers == NULL)
            return error_no_memory(err, "outcomes");
        values->values = numbers;
        memset(tasks + values->room, 0, (room - (size_t)values->room) * sizeof *tasks);
        values->room = (int)room;
    }
    char **task = &values->tasks[values->count];

    if (*task == NULL || strcmp(*task, name) != 0) {
        free(*task);
        *task = strdup(name);
        if (*task == NULL)
            return error_no_memory(err, "outcomes");
    }
    values->count++;
    return 0;
}

/* Of the test inputs, in order, the column from which a measure follows. */
#define TESTS(column)                                                                          \
    "SELECT evaluation_id, task, " column " FROM task_outcome"                                 \
    " WHERE evaluation_id BETWEEN ?1 AND ?2 ORDER BY evaluation_id, task, test_index"

static const char *tests_sql(const struct measure *measure)
{
    switch (measure->per_task) {
    case MEASURE_TOKENS:
        return TESTS("per_token_accuracy");
    case MEASURE_VOTES:
        return TESTS("iif(predictions > 0, 1.0 * votes / predictions, 0.0)");
    case MEASURE_SOLVED_SHARE:
    case MEASURE_ALL_SOLVED:
    case MEASURE_NOT_PER_TASK:
        break;
    }
    return TESTS("rank");
}

/* What a test input counts. */
static double value_of_test(sqlite3_stmt *s, const struct measure *measure)
{
    if (measure->rank == 0)
        return sqlite3_column_double(s, 2);
    return sqlite3_column_type(s, 2) != SQLITE_NULL &&
           sqlite3_column_int(s, 2) <= measure->rank;
}

static double value_of_task(const struct task_sum *sum, const struct measure *measure)
{
    return measure->per_task == MEASURE_ALL_SOLVED ? sum->least : sum->sum / sum->tests;
}

/* Adds the reader's row to the last task, or to a new one. */
static int add_test(struct task_values *out, struct task_sum *sum, struct task_reader *reader,
                    struct error *err)
{
    const struct measure *measure = &METRICS[reader->metric];
    const char *task = sql_text(reader->query.s, 1);
    double value = value_of_test(reader->query.s, measure);
    int rc = 0;

    if (out->count == 0 || strcmp(out->tasks[out->count - 1], task) != 0) {
        if (out->count > 0)
            out->values[out->count - 1] = value_of_task(sum, measure);
        rc = add_task(out, task, err);
        *sum = (struct task_sum){ .least = value };
    }
    sum->sum += value;
    sum->least = value < sum->least ? value : sum->least;
    sum->tests++;
    return rc;
}

int task_reader_begin(struct task_reader *out, struct store *store,
                      const struct id_list *evaluations, enum metric metric, struct error *err)
{
    *out = (struct task_reader){ .metric = metric };
    if (METRICS[metric].per_task == MEASURE_NOT_PER_TASK)
        return error_set(err, ERROR_FORMAT,
                         "%s is not kept per task, so it cannot be compared; expected "
                         "pass_at_K, pass_at_K_strict, task_token_accuracy or task_exact_votes",
                         METRICS[metric].name);
    out->query = id_query_begin(store, evaluations, tests_sql(&METRICS[metric]));
    return 0;
}

int task_reader_step(struct task_reader *reader, struct task_values *out, struct error *err)
{
    struct task_sum sum = { 0 };
    int rc = reader->ahead ? 1 : id_query_step(&reader->query, err);

    out->count = 0;
    reader->ahead = false;
    if (rc <= 0)
        return rc;
    reader->place = reader->query.place;
    while (rc > 0 && reader->query.place == reader->place) {
        rc = add_test(out, &sum, reader, err);
        if (rc == 0)
            rc = id_query_step(&reader->query, err);
    }
    if (rc < 0) {
        id_query_end(&reader->query);
        return rc;
    }
    reader->ahead = rc > 0;
    out->values[out->count - 1] = value_of_task(&sum, &METRICS[reader->metric]);
    return 1;
}

void task_reader_end(struct task_reader *reader)
{
    id_query_end(&reader->query);
}
