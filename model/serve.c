/* serve.c - on ranks other than 0: carries out rank 0's orders. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine_config.h"
#include "engine_internal.h"
#include "engine_mirror.h"
#include "ranks.h"

struct server {
    const struct exchange *exchange; /* borrowed */
    struct engine *engine;           /* NULL: none at the moment */
    struct engine_result result;     /* of the last training step */
    /* Data of orders, owned: (B, U), (B, T), (B), (B), (S, D), (E). */
    int32_t *inputs, *labels, *identifiers, *numbers;
    float *noise, *puzzle;
};

static void release(struct server *server)
{
    free(server->inputs);
    free(server->labels);
    free(server->identifiers);
    free(server->numbers);
    free(server->noise);
    free(server->puzzle);
    server->inputs = server->labels = server->identifiers = server->numbers = NULL;
    server->noise = server->puzzle = NULL;
}

static int allocate(struct server *server, const struct engine_config *c, struct error *err)
{
    size_t B = (size_t)c->batch_size, U = (size_t)engine_input_tokens(c);
    size_t prefix = c->puzzle_emb_len > 0 ? (size_t)c->puzzle_emb_len : 0;
    size_t D = (size_t)c->hidden_size, E = (size_t)c->puzzle_emb_ndim;

    prefix += E / D + 1; /* at least P */
    server->inputs = calloc(B * U, sizeof(int32_t));
    server->labels = calloc(B * (size_t)c->seq_len, sizeof(int32_t));
    server->identifiers = calloc(B, sizeof(int32_t));
    server->numbers = calloc(B, sizeof(int32_t));
    server->noise = calloc((prefix + U) * D, sizeof(float));
    server->puzzle = calloc(E + 1, sizeof(float));
    if (server->inputs != NULL && server->labels != NULL && server->identifiers != NULL &&
        server->numbers != NULL && server->noise != NULL && server->puzzle != NULL)
        return 0;
    release(server);
    return error_set(err, ERROR_NOMEM, "no memory for a batch of %zu rows", B);
}

/* Takes rank 0's kernel set. Where that, or its core of OpenBLAS, cannot be had, the
 * bits would be others. */
static int use_arithmetic(const struct engine_creation *creation, int rank, struct error *err)
{
    struct error fault = { 0 };

    if (strcmp(engine_kernel_set(), creation->kernel_set) != 0 &&
        engine_select_kernels(creation->kernel_set, &fault) < 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "rank %d: %s; ranks need machines of one kind, or HRMLAB_KERNELS",
                         rank, fault.message);
    if (strcmp(engine_blas_core(), creation->blas_core) != 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "rank %d: OpenBLAS runs its %s kernels, but its %s kernels on rank 0: "
                         "not the same bits; ranks need machines of one kind, or "
                         "HRMLAB_BLAS_CORE on each of them",
                         rank, engine_blas_core(), creation->blas_core);
    return 0;
}

static int create(struct server *server, struct error *err)
{
    struct engine_creation creation;

    assert(server->engine == NULL && server->inputs == NULL); /* one engine at a time */
    ranks_broadcast(server->exchange, &creation, sizeof creation);
    creation.config.exchange = server->exchange;
    int rc = use_arithmetic(&creation, server->exchange->rank, err);
    if (rc == 0)
        rc = engine_check_config(&creation.config, err);
    if (rc == 0)
        rc = allocate(server, &creation.config, err);
    if (rc == 0) /* which agrees with the other ranks */
        rc = engine_create(&server->engine, &creation.config, err);
    else
        rc = ranks_agree(server->exchange, rc, err);
    if (rc != 0)
        release(server);
    return 0; /* rank 0 knows it, and may go on */
}

/* Receives rows of a batch. */
static struct engine_batch take_batch(struct server *server, int rows)
{
    const struct exchange *x = server->exchange;
    const struct engine *engine = server->engine;
    size_t count = (size_t)rows;

    ranks_broadcast(x, server->inputs, count * (size_t)engine->U * sizeof(int32_t));
    ranks_broadcast(x, server->labels, count * (size_t)engine->T * sizeof(int32_t));
    if (engine->E > 0)
        ranks_broadcast(x, server->identifiers, count * sizeof(int32_t));
    return (struct engine_batch){ server->inputs, server->labels, server->identifiers };
}

/* a: whether there are exploration minima. */
static void accumulate(struct server *server, const struct order *order)
{
    struct engine *engine = server->engine;
    const struct engine_batch batch = take_batch(server, engine->B);

    if (order->a)
        ranks_broadcast(server->exchange, server->numbers, (size_t)engine->B * sizeof(int32_t));
    /* abandoned: rank 0 knows it, too */
    if (engine_train_accumulate(engine, &batch, order->a ? server->numbers : NULL,
                                &server->result) < 0)
        server->result = (struct engine_result){ 0 };
}

/* x, y: the rates. */
static void apply(struct server *server, const struct order *order)
{
    server->result.lr = order->x;
    server->result.puzzle_emb_lr = order->y;
    engine_train_apply(server->engine, &server->result);
}

/* a: row, b: state; x: sigma. */
static void perturb(struct server *server, const struct order *order)
{
    struct engine *engine = server->engine;

    ranks_broadcast(server->exchange, server->noise,
                    (size_t)engine->S * (size_t)engine->D * sizeof(float));
    engine_evaluate_perturb(engine, order->a, order->b, order->x, server->noise);
}

static void evaluate_step(struct server *server)
{
    struct engine_result result;

    if (engine_evaluate_step(server->engine, &result) < 0)
        server->result = (struct engine_result){ 0 };
}

/* a: rows that stay. */
static void keep(struct server *server, const struct order *order)
{
    ranks_broadcast(server->exchange, server->numbers, (size_t)order->a * sizeof(int32_t));
    engine_evaluate_keep(server->engine, server->numbers, order->a);
}

/* a: id. */
static void set_puzzle(struct server *server, const struct order *order)
{
    ranks_broadcast(server->exchange, server->puzzle,
                    (size_t)server->engine->E * sizeof(float));
    engine_puzzle_set(server->engine, order->a, server->puzzle);
}

/* Orders to an engine that there is. */
static void obey(struct server *server, const struct order *order)
{
    struct engine *engine = server->engine;
    struct error ignored;

    switch ((enum order_kind)order->kind) {
    case ORDER_DESTROY:
        engine_destroy(engine);
        server->engine = NULL;
        release(server);
        break;
    case ORDER_INITIALISE:
        engine_initialise(engine, order->seed);
        break;
    case ORDER_STATE_SET:
        engine_state_receive(engine, order->a);
        break;
    case ORDER_PUZZLE_SET:
        set_puzzle(server, order);
        break;
    case ORDER_FREEZE:
        engine_freeze(engine, order->a, order->b);
        break;
    /* failures of these three are agreed upon, so that rank 0 knows them */
    case ORDER_SET_CYCLES:
        error_ignore(engine_set_cycles(engine, order->a, order->b, &ignored));
        break;
    case ORDER_RECORD_RESIDUALS:
        error_ignore(engine_record_residuals(engine, order->a, &ignored));
        break;
    case ORDER_RECORD_CHANGE:
        error_ignore(engine_record_change(engine, order->a, &ignored));
        break;
    case ORDER_ACCUMULATE:
        accumulate(server, order);
        break;
    case ORDER_APPLY:
        apply(server, order);
        break;
    case ORDER_EVALUATE_BEGIN: {
        const struct engine_batch batch = take_batch(server, order->a);
        engine_evaluate_begin(engine, &batch, order->a);
        break;
    }
    case ORDER_EVALUATE_RAW:
        engine_evaluate_raw(engine, order->a != 0);
        break;
    case ORDER_EVALUATE_PERTURB:
        perturb(server, order);
        break;
    case ORDER_EVALUATE_STEP:
        evaluate_step(server);
        break;
    case ORDER_EVALUATE_KEEP:
        keep(server, order);
        break;
    case ORDER_GATHER_OUTPUT:
        engine_gather_output(engine, (enum engine_output)order->a);
        break;
    case ORDER_GATHER_STATE:
        engine_gather_state(engine, order->a);
        break;
    case ORDER_END:
    case ORDER_CREATE:
    case ORDER_KINDS:
        break;
    }
}

int engine_serve(const struct exchange *exchange, struct error *err)
{
    struct server server = { .exchange = exchange };
    int rc = 0;

    assert(exchange->rank > 0);
    for (;;) {
        struct order order;

        ranks_broadcast(exchange, &order, sizeof order);
        if (order.kind == ORDER_END)
            break;
        if (order.kind == ORDER_CREATE)
            rc = create(&server, err);
        else if (server.engine != NULL)
            obey(&server, &order);
    }
    engine_destroy(server.engine);
    release(&server);
    return rc;
}

void engine_dismiss(const struct exchange *exchange)
{
    ranks_order(exchange, (struct order){ .kind = ORDER_END });
}
