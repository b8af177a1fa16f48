/* row_sample.c - draws a sample of test inputs with their variants. */
#include "row_sample.h"

#include <assert.h>
#include <stdlib.h>

#include "random.h"

/* A test input: the row of its original, and the distance between its variants'
 * rows. */
struct test {
    int row, stride, variants;
};

static int compare_rows(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static int count_tests(const struct data_set *set, enum data_split split)
{
    int count = 0;

    for (int t = 0; t < data_set_task_count(set, split); t++)
        count += data_set_task_tests(set, split, t);
    return count;
}

/* Lists the tests. Rows are ordered by task, variant and test. */
static void list_tests(struct test *out, const struct data_set *set, enum data_split split)
{
    for (int t = 0, row = 0, made = 0; t < data_set_task_count(set, split); t++) {
        int tests = data_set_task_tests(set, split, t);
        int variants = data_set_task_variants(set, split, t);

        for (int i = 0; i < tests; i++)
            out[made++] = (struct test){ row + i, tests, variants };
        row += tests * variants;
    }
}

int row_sample_draw(int **rows, int *count, const struct data_set *set, enum data_split split,
                    int most, uint64_t seed, struct error *err)
{
    int tests = count_tests(set, split), made = 0;
    struct random_stream stream = random_stream(seed, "untrained rows", 0);

    assert(most >= 1);
    *rows = NULL;
    *count = data_set_row_count(set, split);
    if (*count <= most)
        return 0;
    int *list = calloc((size_t)most, sizeof *list);
    int *order = calloc((size_t)tests + 1, sizeof *order);
    struct test *all = calloc((size_t)tests + 1, sizeof *all);
    if (list == NULL || order == NULL || all == NULL) {
        free(list);
        free(order);
        free(all);
        return error_no_memory(err, "a choice of rows");
    }
    list_tests(all, set, split);
    for (int i = 0; i < tests; i++)
        order[i] = i;
    random_shuffle(&stream, order, tests);
    for (int i = 0; i < tests; i++) {
        const struct test *test = &all[order[i]];

        if (i > 0 && test->variants > most - made)
            break;
        for (int v = 0; v < test->variants && made < most; v++)
            list[made++] = test->row + v * test->stride;
    }
    qsort(list, (size_t)made, sizeof *list, compare_rows);
    free(order);
    free(all);
    *rows = list;
    *count = made;
    return 0;
}
