/* id_exchange.c - a permutation, and swaps where it leaves an id to its own task. */
#include "id_exchange.h"

#include <stdlib.h>
#include <string.h>

static int compare_owners(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The largest number of ids of one owner; 0: no memory. */
static int most_of_one(const uint64_t *owners, int count)
{
    uint64_t *sorted = malloc((size_t)count * sizeof *sorted);
    int most = 0;

    if (sorted == NULL)
        return 0;
    memcpy(sorted, owners, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_owners);
    for (int i = 0, first = 0; i < count; i++) {
        if (sorted[i] != sorted[first])
            first = i;
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    free(sorted);
    return most;
}

/* With whom i, which has an id of its own task, may swap: j, looked for from a random
 * place on, such that both then have one of another task. */
static int find_partner(const int32_t *map, const uint64_t *owners, int count, int i,
                        struct random_stream *stream)
{
    int j = (int)random_below(stream, (uint64_t)count);

    while (owners[map[j]] == owners[i] || owners[map[i]] == owners[j])
        j = j + 1 < count ? j + 1 : 0;
    return j;
}

bool id_exchange_draw(int32_t *map, int *most, const uint64_t *owners, int count,
                      struct random_stream *stream)
{
    *most = count > 0 ? most_of_one(owners, count) : 0;
    if (*most < 1 || 2 * *most > count)
        return false;
    for (int i = 0; i < count; i++)
        map[i] = i;
    random_shuffle(stream, map, count);
    /*
     * There always is a partner: of i's task, with a ids, one id stands at i, so at
     * most a - 1 of the count - a others' places have one, and count - a > a - 1. A
     * swap takes i's fault away and makes none.
     */
    for (int i = 0; i < count; i++) {
        if (owners[map[i]] != owners[i])
            continue;
        int j = find_partner(map, owners, count, i, stream);
        int32_t swapped = map[i];

        map[i] = map[j];
        map[j] = swapped;
    }
    return true;
}
