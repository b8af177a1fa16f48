/* id_range.c - splits a list of ids into ranges, and reads one after the other. */
#include "id_range.h"

#include "sql.h"
#include "store.h"

#include <stdlib.h>

/* Two ids with no more than this many others between them are of one range. */
enum { MOST_BETWEEN = 8 };

bool id_list_init(struct id_list *out, int count)
{
    *out = (struct id_list){ malloc(((size_t)count + 1) * sizeof *out->ids), 0 };
    return out->ids != NULL;
}

void id_list_release(struct id_list *list)
{
    free(list->ids);
    *list = (struct id_list){ 0 };
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

void id_list_order(struct id_list *list)
{
    bool ascending = true;
    int count = 0;

    for (int i = 1; i < list->count; i++)
        ascending = ascending && list->ids[i - 1] <= list->ids[i];
    if (!ascending)
        qsort(list->ids, (size_t)list->count, sizeof *list->ids, compare_ids);
    for (int i = 0; i < list->count; i++)
        if (count == 0 || list->ids[count - 1] != list->ids[i])
            list->ids[count++] = list->ids[i];
    list->count = count;
}

struct id_query id_query_begin(struct store *store, const struct id_list *list, const char *sql)
{
    return id_query_begin_with(store, list, sql, NULL);
}

struct id_query id_query_begin_with(struct store *store, const struct id_list *list,
                                    const char *sql, const char *text)
{
    return (struct id_query){ .store = store, .list = list, .sql = sql, .text = text };
}

/* Begins the next range; there is one. */
static int begin_range(struct id_query *q, struct error *err)
{
    const int64_t *ids = q->list->ids;
    int64_t first = ids[q->next];

    q->place = q->next++;
    while (q->next < q->list->count && ids[q->next] - ids[q->next - 1] <= MOST_BETWEEN + 1)
        q->next++;
    int64_t last = ids[q->next - 1];

    if (q->text == NULL)
        return sql_query(q->store, &q->s, err, q->sql, "ii", first, last);
    return sql_query(q->store, &q->s, err, q->sql, "iit", first, last, q->text);
}

int id_query_step(struct id_query *q, struct error *err)
{
    for (;;) {
        int rc = 0;

        if (q->s == NULL && q->next == q->list->count)
            return 0;
        if (q->s == NULL)
            rc = begin_range(q, err);
        if (rc == 0)
            rc = sql_step(q->store, &q->s, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            continue; /* the range has ended */
        int64_t id = sqlite3_column_int64(q->s, 0);

        while (q->place < q->next && q->list->ids[q->place] < id)
            q->place++;
        if (q->place < q->next && q->list->ids[q->place] == id)
            return 1;
    }
}

void id_query_end(struct id_query *q)
{
    sql_end(&q->s);
}
