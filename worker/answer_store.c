/* answer_store.c - a hash table of small grids. */
#include "answer_store.h"

#include "error.h"
#include "voting.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_ROOM = 8 };

/* Returns the slot of the answer, or the free slot where it belongs. */
static int32_t *find(int32_t *places, int room, const struct answer_store *store,
                     const struct grid *answer, uint64_t fingerprint)
{
    size_t at = (size_t)fingerprint & ((size_t)room - 1);

    assert(room > 0 && (room & (room - 1)) == 0); /* a power of two, never full */
    assert(store->count < room);
    while (places[at] != 0) {
        int number = places[at] - 1;
        if (store->fingerprints[number] == fingerprint &&
            grid_equal(store->grids[number], answer))
            break;
        at = (at + 1) & ((size_t)room - 1);
    }
    return &places[at];
}

/* Doubles the table, so that it stays at most half full. */
static int grow(struct answer_store *store)
{
    int room = store->room == 0 ? FIRST_ROOM : 2 * store->room;
    int32_t *places = calloc((size_t)room, sizeof *places);
    struct grid **grids = realloc(store->grids, (size_t)room / 2 * sizeof(struct grid *));

    if (grids != NULL)
        store->grids = grids;
    uint64_t *fingerprints =
        realloc(store->fingerprints, (size_t)room / 2 * sizeof *fingerprints);
    if (fingerprints != NULL)
        store->fingerprints = fingerprints;
    if (places == NULL || grids == NULL || fingerprints == NULL) {
        free(places);
        return ERROR_NOMEM;
    }
    for (int i = 0; i < store->count; i++)
        *find(places, room, store, store->grids[i], store->fingerprints[i]) = i + 1;
    free(store->places);
    store->places = places;
    store->room = room;
    return 0;
}

int answer_store_add(struct answer_store *store, const struct grid *answer, struct error *err)
{
    uint64_t fingerprint = grid_fingerprint(answer);

    if (store->count == store->room / 2 && grow(store) < 0)
        return error_set(err, ERROR_NOMEM, "no memory for the answers");
    int32_t *place = find(store->places, store->room, store, answer, fingerprint);
    if (*place == 0) {
        struct grid *copy = grid_copy_small(answer);
        if (copy == NULL)
            return error_set(err, ERROR_NOMEM, "no memory for the answers");
        store->grids[store->count] = copy;
        store->fingerprints[store->count] = fingerprint;
        *place = ++store->count;
        assert(store->count <= store->room / 2);
    }
    return *place - 1;
}

void answer_store_release(struct answer_store *store)
{
    for (int i = 0; i < store->count; i++)
        free(store->grids[i]);
    free(store->grids);
    free(store->fingerprints);
    free(store->places);
    *store = (struct answer_store){ 0 };
}
