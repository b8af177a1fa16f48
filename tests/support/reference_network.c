/* reference_network.c - the models in double, from the definition. */
#include "support/reference_network.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reference_parameters_load(struct reference_parameters *p, const struct engine *engine)
{
    int total = engine_state_count(engine);

    *p = (struct reference_parameters){ 0 };
    p->states = calloc((size_t)total, sizeof *p->states);
    p->data = calloc((size_t)total, sizeof(double *));
    if (p->states == NULL || p->data == NULL)
        return false;
    for (int i = 0; i < total; i++) {
        struct engine_state *state = &p->states[i];

        engine_state_describe(engine, i, state);
        if (state->kind != ENGINE_PARAMETER && state->kind != ENGINE_BUFFER)
            break;
        float *values = malloc(state->bytes);
        p->data[i] = malloc((size_t)state->elements * sizeof(double));
        p->count++;
        if (values == NULL || p->data[i] == NULL) {
            free(values);
            return false;
        }
        engine_state_get(engine, i, values);
        for (int64_t k = 0; k < state->elements; k++)
            p->data[i][k] = (double)values[k];
        free(values);
    }
    return true;
}

void reference_parameters_release(struct reference_parameters *p)
{
    for (int i = 0; i < p->count; i++)
        free(p->data[i]);
    free(p->data);
    free(p->states);
}

double *reference_find(const struct reference_parameters *p, const char *name)
{
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->states[i].name, name) == 0)
            return p->data[i];
    return NULL;
}

static const double *layer_find(const struct reference_parameters *p, const char *level,
                                int layer, const char *what)
{
    char name[96];

    snprintf(name, sizeof name, "inner.%s_level.layers.%d.%s.weight", level, layer, what);
    const double *data = reference_find(p, name);
    assert(data != NULL);
    return data;
}

int reference_prefix(const struct engine_config *c)
{
    if (c->puzzle_emb_ndim == 0)
        return 0;
    return c->puzzle_emb_len > 0 ? c->puzzle_emb_len
                                 : (c->puzzle_emb_ndim + c->hidden_size - 1) / c->hidden_size;
}

int reference_inputs(const struct engine_config *c)
{
    return (2 * c->context_pairs + 1) * c->seq_len;
}

int reference_positions(const struct engine_config *c)
{
    return reference_prefix(c) + reference_inputs(c);
}

/* y (outputs) = W x. */
static void linear(double *y, const double *w, const double *x, int outputs, int inputs)
{
    for (int o = 0; o < outputs; o++) {
        double sum = 0.0;

        for (int i = 0; i < inputs; i++)
            sum += w[o * inputs + i] * x[i];
        y[o] = sum;
    }
}

/* h = norm(h + branch) over D. */
static void add_norm(double *h, const double *branch, int D, double epsilon)
{
    double squares = 0.0;

    for (int c = 0; c < D; c++) {
        h[c] += branch[c];
        squares += h[c] * h[c];
    }
    for (int c = 0; c < D; c++)
        h[c] /= sqrt(squares / D + epsilon);
}

static void rotate(double *x, int position, int d, double theta)
{
    for (int i = 0; i < d / 2; i++) {
        double angle = position * pow(theta, -2.0 * i / d);
        double a = x[i], b = x[i + d / 2];

        x[i] = a * cos(angle) - b * sin(angle);
        x[i + d / 2] = b * cos(angle) + a * sin(angle);
    }
}

/* att (S, N d) of one row from qkv (S, 3 N d). */
static void attention(double *att, const double *qkv, int S, int N, int d)
{
    int A = N * d;
    double *p = malloc((size_t)S * sizeof *p);

    assert(p != NULL);
    for (int n = 0; n < N; n++)
        for (int i = 0; i < S; i++) {
            double sum = 0.0;

            for (int j = 0; j < S; j++) {
                double dot = 0.0;

                for (int c = 0; c < d; c++)
                    dot += qkv[i * 3 * A + n * d + c] * qkv[j * 3 * A + A + n * d + c];
                p[j] = exp(dot / sqrt(d));
                sum += p[j];
            }
            for (int c = 0; c < d; c++) {
                double value = 0.0;

                for (int j = 0; j < S; j++)
                    value += p[j] / sum * qkv[j * 3 * A + 2 * A + n * d + c];
                att[i * A + n * d + c] = value;
            }
        }
    free(p);
}

/* x = norm(x + down(silu(gate) * up)) for one vector of n values. */
static void swiglu(const struct engine_config *c, const struct reference_parameters *p,
                   double *x, int n, int width, const char *level, int layer, const char *name)
{
    double *branch = malloc((size_t)n * sizeof *branch);
    double *gate_up = malloc((size_t)(2 * width) * sizeof *gate_up);
    char gate_up_name[40], down_name[40];

    assert(branch != NULL && gate_up != NULL);
    snprintf(gate_up_name, sizeof gate_up_name, "%s.gate_up_proj", name);
    snprintf(down_name, sizeof down_name, "%s.down_proj", name);
    linear(gate_up, layer_find(p, level, layer, gate_up_name), x, 2 * width, n);
    for (int f = 0; f < width; f++)
        gate_up[f] = gate_up[f] / (1.0 + exp(-gate_up[f])) * gate_up[width + f];
    linear(branch, layer_find(p, level, layer, down_name), gate_up, n, width);
    add_norm(x, branch, n, c->rms_norm_eps);
    free(gate_up);
    free(branch);
}

/* The first half of a block with mlp_t: a SwiGLU over each channel's S positions. */
static void along_sequence(const struct engine_config *c, const struct reference_parameters *p,
                           double *h, int S, const char *level, int layer)
{
    int D = c->hidden_size;
    double *channel = malloc((size_t)S * sizeof *channel);

    assert(channel != NULL);
    for (int k = 0; k < D; k++) {
        for (int s = 0; s < S; s++)
            channel[s] = h[s * D + k];
        swiglu(c, p, channel, S, c->mlp_t_size, level, layer, "mlp_t");
        for (int s = 0; s < S; s++)
            h[s * D + k] = channel[s];
    }
    free(channel);
}

/* The first half of a block with attention. */
static void attention_half(const struct engine_config *c, const struct reference_parameters *p,
                           double *h, int S, const char *level, int layer)
{
    int D = c->hidden_size, N = c->num_heads, d = D / N, A = N * d;
    double *qkv = malloc((size_t)(S * 3 * A) * sizeof *qkv);
    double *att = malloc((size_t)(S * A) * sizeof *att);
    double *branch = malloc((size_t)D * sizeof *branch);

    assert(qkv != NULL && att != NULL && branch != NULL);
    for (int s = 0; s < S; s++) {
        linear(qkv + s * 3 * A, layer_find(p, level, layer, "self_attn.qkv_proj"), h + s * D,
               3 * A, D);
        for (int n = 0; c->pos_encodings == ENGINE_ROPE && n < 2 * N; n++)
            rotate(qkv + s * 3 * A + n * d, s, d, c->rope_theta);
    }
    attention(att, qkv, S, N, d);
    for (int s = 0; s < S; s++) {
        linear(branch, layer_find(p, level, layer, "self_attn.o_proj"), att + s * A, D, A);
        add_norm(h + s * D, branch, D, c->rms_norm_eps);
    }
    free(branch);
    free(att);
    free(qkv);
}

/* One block in place on one row h (S, D). */
static void block(const struct engine_config *c, const struct reference_parameters *p,
                  double *h, int S, const char *level, int layer)
{
    int D = c->hidden_size;

    if (c->mlp_t_size > 0)
        along_sequence(c, p, h, S, level, layer);
    else
        attention_half(c, p, h, S, level, layer);
    for (int s = 0; s < S; s++)
        swiglu(c, p, h + s * D, D, c->intermediate_size, level, layer, "mlp");
}

/* x (S, D) of one row. */
static void embed(const struct engine_config *c, const struct reference_parameters *p,
                  double *x, const int32_t *inputs, int32_t identifier)
{
    int D = c->hidden_size, E = c->puzzle_emb_ndim, P = reference_prefix(c);
    int S = reference_positions(c), query = S - c->seq_len;
    const double *tokens = reference_find(p, "inner.embed_tokens.embedding_weight");
    const double *puzzles = reference_find(p, "inner.puzzle_emb.weights");
    const double *positions = reference_find(p, "inner.embed_pos.embedding_weight");
    const double *roles = reference_find(p, "inner.embed_roles.embedding_weight");

    for (int s = 0; s < S; s++)
        for (int k = 0; k < D; k++) {
            int at = s * D + k;
            double e = s >= P   ? tokens[inputs[s - P] * D + k]
                       : at < E ? puzzles[identifier * E + at]
                                : 0.0;

            if (s >= P && c->context_pairs > 0)
                e += roles[(s >= query ? 2 : (s - P) / c->seq_len % 2) * D + k];
            if (c->pos_encodings == ENGINE_LEARNED)
                e = 0.707106781 * (e + positions[at]);
            x[at] = sqrt(D) * e;
        }
}

int reference_calls(const struct engine_config *c)
{
    return c->H_cycles * (c->system == SYSTEM_TRANSFORMER ? 1 : c->L_cycles + 1);
}

/* Calls at the end of a segment that are not constants of the step. */
static int moving_calls(const struct engine_config *c)
{
    if (c->gradient_horizon > 0)
        return c->gradient_horizon;
    switch (c->system) {
    case SYSTEM_TRANSFORMER:
        return 1;
    case SYSTEM_HRM:
    case SYSTEM_HRM_SHARED:
        return 2; /* the last L and the last H */
    case SYSTEM_TRM:
        return c->L_cycles + 1; /* the last H cycle */
    case SYSTEM_COUNT:
        break;
    }
    return 0;
}

/* Which calls of a segment are made, numbered from 0, and what is noted of them. */
struct walk {
    const struct engine_config *config;
    const struct reference_parameters *p;
    int begin, end;    /* the calls begin .. end - 1 are made, the others passed over */
    int next;          /* number of the call that comes next */
    double *residuals; /* (calls) of this row; NULL: not noted */
    double *layers;    /* (layers) of the only call, of this row; NULL: not noted */
};

/* norm(now - old) / norm(old) of n numbers. */
static double relative_change(const double *old, const double *now, int n)
{
    double moved = 0.0, before = 0.0;

    for (int i = 0; i < n; i++) {
        moved += (now[i] - old[i]) * (now[i] - old[i]);
        before += old[i] * old[i];
    }
    return sqrt(moved / before);
}

/* z = M(z + a + b) for one row, if it is this call's turn; b may be NULL. */
static void walk_call(struct walk *walk, double *z, const double *a, const double *b,
                      const char *level, int layers)
{
    const struct engine_config *c = walk->config;
    int S = reference_positions(c), n = S * c->hidden_size, call = walk->next++;

    if (call < walk->begin || call >= walk->end)
        return;
    double *old = malloc(2 * (size_t)n * sizeof *old), *last = old + n;
    assert(old != NULL);
    memcpy(old, z, (size_t)n * sizeof *old);
    for (int i = 0; i < n; i++)
        z[i] += a[i] + (b == NULL ? 0.0 : b[i]);
    for (int l = 0; l < layers; l++) {
        memcpy(last, z, (size_t)n * sizeof *last);
        block(c, walk->p, z, S, level, l);
        if (walk->layers != NULL)
            walk->layers[l] = relative_change(last, z, n);
    }
    if (walk->residuals != NULL)
        walk->residuals[call] = relative_change(old, z, n);
    free(old);
}

/* Those calls of one row's segment. */
static void walk_row(struct walk *walk, const struct reference_input *input, int row)
{
    const struct engine_config *c = walk->config;
    int S = reference_positions(c), n = S * c->hidden_size;
    double *z_H = input->z_H + row * n, *z_L = input->z_L + row * n;
    double *x = malloc((size_t)n * sizeof *x);

    assert(x != NULL);
    walk->next = 0;
    embed(c, walk->p, x, input->inputs + row * reference_inputs(c), input->identifiers[row]);
    if (c->system == SYSTEM_TRANSFORMER) {
        for (int h = 0; h < c->H_cycles; h++)
            walk_call(walk, z_H, x, NULL, "H", c->H_layers);
        free(x);
        return;
    }
    /* one stack for both updates */
    bool shared = c->system == SYSTEM_TRM || c->system == SYSTEM_HRM_SHARED;
    for (int h = 0; h < c->H_cycles; h++) {
        for (int l = 0; l < c->L_cycles; l++)
            walk_call(walk, z_L, z_H, x, "L", c->L_layers);
        walk_call(walk, z_H, z_L, NULL, shared ? "L" : "H", shared ? c->L_layers : c->H_layers);
    }
    free(x);
}

void reference_forward_constant(const struct engine_config *c,
                                const struct reference_parameters *p,
                                struct reference_input *input)
{
    struct walk walk = { .config = c, .p = p, .end = reference_calls(c) - moving_calls(c) };

    for (int b = 0; b < c->batch_size; b++)
        walk_row(&walk, input, b);
}

void reference_residuals(const struct engine_config *c, const struct reference_parameters *p,
                         struct reference_input *input, double *residuals, double *layers)
{
    int calls = reference_calls(c);

    for (int b = 0; b < c->batch_size; b++) {
        struct walk walk = {
            .config = c,
            .p = p,
            .end = calls,
            .residuals = residuals + b * calls,
            .layers = layers == NULL ? NULL : layers + b * c->H_layers,
        };

        walk_row(&walk, input, b);
    }
}

void reference_forward_last(const struct engine_config *c, const struct reference_parameters *p,
                            struct reference_input *input, struct reference_output *output)
{
    int D = c->hidden_size, T = c->seq_len, V = c->vocab_size, S = reference_positions(c);
    const double *lm_head = reference_find(p, "inner.lm_head.weight");
    const double *q_weight = reference_find(p, "inner.q_head.weight");
    const double *q_bias = reference_find(p, "inner.q_head.bias");
    struct walk walk = { .config = c,
                         .p = p,
                         .begin = reference_calls(c) - moving_calls(c),
                         .end = reference_calls(c) };

    for (int b = 0; b < c->batch_size; b++) {
        const double *z = input->z_H + b * S * D;

        walk_row(&walk, input, b);
        for (int t = 0; t < T; t++)
            linear(output->logits + (b * T + t) * V, lm_head, z + (S - T + t) * D, V, D);
        linear(output->q + 2 * b, q_weight, z, 2, D);
        output->q[2 * b] += q_bias[0];
        output->q[2 * b + 1] += q_bias[1];
    }
}

static double cross_entropy(const double *logits, int label, int V, enum engine_loss type)
{
    double sum = 0.0, own = 0.0;

    for (int v = 0; v < V; v++) {
        double x = logits[v];
        double s = type == ENGINE_SOFTMAX ? exp(x) : (x >= 0.0 ? x + 1.0 : 1.0 / (1.0 - x));

        sum += s;
        own = v == label ? s : own;
    }
    return -log(own / sum);
}

static double binary(double logit, double target)
{
    double p = 1.0 / (1.0 + exp(-logit));

    return -target * log(p) - (1.0 - target) * log(1.0 - p);
}

double reference_loss(const struct engine_config *c, const struct reference_input *input,
                      const struct reference_output *output, const double *target)
{
    int T = c->seq_len, V = c->vocab_size;
    double total = 0.0;

    for (int b = 0; b < c->batch_size; b++) {
        int labelled = 0;
        bool exact = true;
        double token = 0.0;

        for (int t = 0; t < T; t++) {
            const double *logits = output->logits + (b * T + t) * V;
            int label = input->labels[b * T + t], best = 0;

            if (label == ENGINE_IGNORE_LABEL)
                continue;
            for (int v = 1; v < V; v++)
                best = logits[v] > logits[best] ? v : best;
            exact = exact && best == label;
            labelled++;
            token += cross_entropy(logits, label, V, c->loss_type);
        }
        total += token / (labelled > 1 ? labelled : 1);
        total += 0.5 * binary(output->q[2 * b], exact);
        if (target != NULL)
            total += 0.5 * binary(output->q[2 * b + 1], target[b]);
    }
    return total / c->global_batch_size;
}
