/* data_source.c - the tasks of a kind, and the hash of their content. */
#include "data_source.h"

#include "batch_order.h"
#include "error.h"
#include "kinds.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

void data_source_release(struct data_source *source)
{
    if (source->content != NULL)
        source->kind->release(source->content);
    data_files_release(&source->files);
    free(source->text);
    free(source->counts);
    *source = (struct data_source){ 0 };
}

/* Buffers bytes for the hash, which is faster on large pieces. */
struct feed {
    struct hash_state *state;
    size_t used;
    uint8_t bytes[4096];
};

static void flush(struct feed *feed)
{
    hash_add(feed->state, feed->bytes, feed->used);
    feed->used = 0;
}

/* size: at most GRID_MAX_CELLS. */
static void add(struct feed *feed, const void *data, size_t size)
{
    if (sizeof feed->bytes - feed->used < size)
        flush(feed);
    memcpy(feed->bytes + feed->used, data, size);
    feed->used += size;
}

static void add_grid(struct feed *feed, const struct grid *grid)
{
    add(feed, &grid->rows, 1);
    add(feed, &grid->columns, 1);
    add(feed, grid->cells, (size_t)grid->rows * grid->columns);
}

/* A task that is not trained on has the second bit set, so that data sets without
 * such tasks keep their hashes. */
static void add_task(struct feed *feed, const struct data_source *source, int index)
{
    struct data_task task;
    struct grid input, output;
    char name[DATA_NAME_SIZE];

    source->kind->task(source->content, index, &task);
    source->kind->task_name(source->content, index, name);
    uint8_t counts[3] = { (uint8_t)(task.evaluation | (task.trained ? 0 : 2)),
                          (uint8_t)task.demonstrations, (uint8_t)task.tests };
    add(feed, name, strlen(name) + 1);
    add(feed, counts, sizeof counts);
    if (task.demonstrations > UINT8_MAX) { /* a list of pairs */
        uint32_t whole = (uint32_t)task.demonstrations;
        add(feed, &whole, sizeof whole);
    }
    for (int p = 0; p < task.demonstrations + task.tests; p++) {
        bool known = source->kind->pair(source->content, index, p, &input, &output);
        add_grid(feed, &input);
        add(feed, &known, 1);
        if (known)
            add_grid(feed, &output);
    }
}

/* The order of batches that the settings prescribe is part of the content. */
static int add_order(struct hash_state *state, struct data_source *source, const char *path,
                     struct error *err)
{
    if (path[0] == '\0')
        return 0;
    int rc = data_files_add(&source->files, path, err);
    return rc == 0 ? batch_order_hash(state, path, err) : rc;
}

/* Hashes the tasks, one by one. */
static void add_tasks(struct hash_state *state, const struct data_source *source)
{
    struct feed feed = { .state = state };

    for (int i = 0; i < source->task_count; i++)
        add_task(&feed, source, i);
    flush(&feed);
}

int data_source_read(struct data_source *out, const struct config *config, struct error *err)
{
    struct hash_state state;

    *out = (struct data_source){ 0 };
    int rc = data_kind_find(&out->kind, config_text(config, DATA_PATH), err);
    if (rc < 0) {
        out->kind = NULL;
        return rc;
    }
    rc = out->kind->load(out, config, err);
    if (rc == 0 && (out->text == NULL || out->counts == NULL))
        rc = error_no_memory(err, "the tasks");
    if (rc < 0) {
        data_source_release(out);
        return rc;
    }
    hash_init(&state);
    hash_add(&state, out->kind->name, strlen(out->kind->name) + 1);
    if (out->kind->hash != NULL)
        out->kind->hash(out->content, &state);
    else
        add_tasks(&state, out);
    rc = add_order(&state, out, config_text(config, DATA_BATCH_ORDER), err);
    hash_final_hex(&state, out->hash);
    if (rc < 0)
        data_source_release(out);
    return rc;
}
