/* batch_order.c - reads prescribed batches from a memory-mapped file. */
#include "batch_order.h"

#include "error.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

static int check_shape(const struct npy *npy, struct error *err)
{
    if (npy->type == NPY_I8 && npy->dimensions == 2 && npy->shape[0] > 0 &&
        npy->shape[0] <= INT_MAX && npy->shape[1] > 0 && npy->shape[1] <= INT_MAX)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: byte 10: expected an array of type <i8 and shape (steps, rows of a "
                     "batch), neither of them 0",
                     npy->path);
}

int batch_order_open(struct batch_order *out, const char *path, int examples, struct error *err)
{
    *out = (struct batch_order){ 0 };
    int rc = npy_open(&out->npy, path, err);
    if (rc == 0)
        rc = check_shape(&out->npy, err);
    int64_t count = rc == 0 ? out->npy.shape[0] * out->npy.shape[1] : 0;
    for (int64_t i = 0; i < count && rc == 0; i++) {
        int64_t example = npy_at(&out->npy, i);
        if (example < 0 || example >= examples)
            rc = error_set(err, ERROR_FORMAT,
                           "%s: byte %" PRId64 " (batch %" PRId64 ", row %" PRId64
                           "): example %" PRId64 "; expected one of 0 to %d, as the data have",
                           path, npy_offset(&out->npy, i), i / out->npy.shape[1],
                           i % out->npy.shape[1], example, examples - 1);
    }
    if (rc == 0) {
        out->steps = (int)out->npy.shape[0];
        out->rows = (int)out->npy.shape[1];
    } else {
        batch_order_close(out);
    }
    return rc;
}

void batch_order_close(struct batch_order *order)
{
    npy_close(&order->npy);
    *order = (struct batch_order){ 0 };
}

int batch_order_at(const struct batch_order *order, int64_t step, int row)
{
    return (int)npy_at(&order->npy, step * order->rows + row);
}

int batch_order_hash(struct hash_state *state, const char *path, struct error *err)
{
    static const char purpose[] = "batch order";
    struct npy npy;
    int rc = npy_open(&npy, path, err);

    if (rc == 0)
        rc = check_shape(&npy, err);
    if (rc == 0) {
        hash_add(state, purpose, sizeof purpose);
        hash_add(state, npy.shape, sizeof npy.shape);
        hash_add(state, npy.data, (size_t)(npy.shape[0] * npy.shape[1]) * sizeof(int64_t));
    }
    npy_close(&npy);
    return rc;
}
