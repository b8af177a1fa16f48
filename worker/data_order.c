/* data_order.c - writes the batches of a training in the format of data.batch_order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batches.h"
#include "data_command.h"
#include "error.h"
#include "file.h"
#include "npy.h"

static int write_error(const char *path, struct error *err)
{
    return error_set(err, error_code_from_errno(errno), "write %s: %s", path, strerror(errno));
}

/* Writes all batches, then the header, which depends on their number. */
static int write_batches(FILE *out, const char *path, struct batches *batches, int rows,
                         int64_t *steps, struct error *err)
{
    char header[NPY_HEADER_SIZE] = { 0 };
    int *examples = calloc((size_t)rows, sizeof *examples);
    enum batches_next next = BATCHES_READY;
    bool ok = fwrite(header, sizeof header, 1, out) == 1;

    if (examples == NULL)
        return error_no_memory(err, "a batch");
    while (ok && next != BATCHES_END) {
        next = batches_next_examples(batches, examples);
        if (next != BATCHES_READY)
            continue;
        ok = npy_write(out, NPY_I8, examples, (size_t)rows);
        ++*steps;
    }
    npy_header(header, NPY_I8, *steps, rows);
    ok = ok && fseek(out, 0, SEEK_SET) == 0 && fwrite(header, sizeof header, 1, out) == 1;
    free(examples);
    return ok ? 0 : write_error(path, err);
}

/* Writes a temporary file and renames it, so that path never holds a partial file. */
static int write_order(const char *path, struct batches *batches, int rows, int64_t *steps,
                       struct error *err)
{
    char *aside = format_string("%s.part", path);
    FILE *out = aside != NULL ? fopen(aside, "wbe") : NULL;
    int rc = aside == NULL ? error_no_memory(err, "a path")
             : out == NULL ? write_error(aside, err)
                           : write_batches(out, path, batches, rows, steps, err);

    if (out != NULL && fclose(out) != 0 && rc == 0)
        rc = write_error(path, err);
    if (rc == 0 && rename(aside, path) != 0)
        rc = write_error(path, err);
    if (rc < 0 && out != NULL)
        unlink(aside);
    free(aside);
    return rc;
}

int data_order(const struct data_request *request, struct error *err)
{
    int rows = (int)config_int(&request->config, TRAIN_GLOBAL_BATCH_SIZE);
    struct batches *batches = NULL;
    struct data_set *set;
    int64_t steps = 0;

    if (request->output == NULL)
        return error_set(
            err, ERROR_FORMAT,
            "data order: expected --output FILE.npy, where the batches are written");
    int rc = file_check_output("data order --output", request->output, err);
    if (rc == 0)
        rc = data_set_open(&set, &request->config, true, err);
    if (rc != 0)
        return rc;
    rc = batches_create(&batches, set, &request->config, err);
    if (rc == 0)
        rc = write_order(request->output, batches, rows, &steps, err);
    if (rc == 0)
        printf("%s: %" PRId64 " batches of %d examples, of %d\n", request->output, steps, rows,
               data_set_info(set)->examples);
    batches_destroy(batches);
    data_set_close(set);
    return rc;
}
