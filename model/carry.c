/* carry.c - the batch rows of an engine, from one step to the next. */
#include "carry.h"

#include "engine_internal.h"

#include <assert.h>
#include <string.h>

void carry_reset_row(const struct engine *engine, struct carry *carry, int row)
{
    size_t D = (size_t)engine->D, S = (size_t)engine->S;

    carry->steps[row] = 0;
    if (row < carry->own_first || row >= carry->own_end)
        return;
    for (int z = 0; z < CARRY_STATES; z++) {
        if (carry->z[z] == NULL)
            continue;
        float *z_row = carry->z[z] + (size_t)row * S * D;

        memcpy(z_row, engine->buffers + engine->init[z], D * sizeof(float));
        engine_round(engine, z_row, D);
        for (size_t s = 1; s < S; s++)
            memcpy(z_row + s * D, z_row, D * sizeof(float));
    }
}

void carry_load_row(const struct engine *engine, struct carry *carry, int row,
                    const struct engine_batch *batch)
{
    size_t T = (size_t)engine->T, at = (size_t)row * T;
    size_t U = (size_t)engine->U, from = (size_t)row * U;

    memcpy(carry->inputs + from, batch->inputs + from, U * sizeof(int32_t));
    memcpy(carry->labels + at, batch->labels + at, T * sizeof(int32_t));
    carry->identifiers[row] =
        batch->puzzle_identifiers == NULL ? 0 : batch->puzzle_identifiers[row];
    carry_reset_row(engine, carry, row);
}

void carry_states(const struct engine *engine, float *states[STATE_COUNT],
                  const struct carry *carry, int first)
{
    size_t start = (size_t)first * (size_t)engine->S * (size_t)engine->D;

    for (int z = 0; z < CARRY_STATES; z++)
        states[z] = carry->z[z] == NULL ? NULL : carry->z[z] + start;
    states[STATE_X] = engine->x;
}

/* Row `from` of a state, which may be NULL, becomes row `to` of `count`. */
static void keep_state(const struct engine *engine, const struct carry *carry, float *z,
                       int from, int to, int count)
{
    size_t row = (size_t)engine->S * (size_t)engine->D;

    if (z == NULL)
        return;
    if (engine->ranks != NULL)
        ranks_move_row(engine, z, row, from, carry->rows, to, count);
    else if (from != to)
        memcpy(z + (size_t)to * row, z + (size_t)from * row, row * sizeof *z);
}

void carry_keep_rows(const struct engine *engine, struct carry *carry, const int *rows,
                     int count)
{
    size_t T = (size_t)engine->T, U = (size_t)engine->U;

    for (int to = 0; to < count; to++) {
        int from = rows[to];

        assert(from >= to && from < carry->rows);
        for (int z = 0; z < CARRY_STATES; z++)
            keep_state(engine, carry, carry->z[z], from, to, count);
        if (from == to)
            continue;
        memcpy(carry->inputs + (size_t)to * U, carry->inputs + (size_t)from * U,
               U * sizeof(int32_t));
        memcpy(carry->labels + (size_t)to * T, carry->labels + (size_t)from * T,
               T * sizeof(int32_t));
        carry->identifiers[to] = carry->identifiers[from];
        carry->steps[to] = carry->steps[from];
        carry->halted[to] = carry->halted[from];
    }
    carry->rows = count;
}
