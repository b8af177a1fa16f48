/* heads.c - logits, q values, token losses and scores, and their gradients. */
#include "heads.h"

#include "engine_internal.h"

#include <math.h>
#include <string.h>

void head_q(const struct engine *engine, float *q_halt, float *q_continue, const float *z,
            size_t ld, int rows)
{
    const float *halt = engine->weights + engine->q_weight;
    const float *go_on = halt + engine->D;
    const float *bias = engine->weights + engine->q_bias;

    for (int r = 0; r < rows; r++) {
        const float *z_r = z + (size_t)r * ld;
        double sum_halt = 0.0, sum_go_on = 0.0;

        for (int c = 0; c < engine->D; c++) {
            sum_halt += (double)halt[c] * (double)z_r[c];
            sum_go_on += (double)go_on[c] * (double)z_r[c];
        }
        q_halt[r] = (float)(sum_halt + (double)bias[0]);
        q_continue[r] = (float)(sum_go_on + (double)bias[1]);
    }
    engine_round(engine, q_halt, (size_t)rows);
    engine_round(engine, q_continue, (size_t)rows);
}

void head_logits(struct engine *engine, const float *z, int first, int rows)
{
    int V = engine->V, D = engine->D;
    size_t grid = (size_t)engine->T * (size_t)V;

    gemm_forward(engine->chunk_logits, V, z, D, engine_weight(engine, engine->lm_head, V, D),
                 rows * engine->S, 0);
    engine_round(engine, engine->chunk_logits, (size_t)rows * (size_t)engine->S * (size_t)V);
    for (int r = 0; r < rows; r++)
        memcpy(engine->logits + (size_t)(first + r) * grid,
               engine->chunk_logits +
                   ((size_t)r * (size_t)engine->S + (size_t)engine->G) * (size_t)V,
               grid * sizeof(float));
}

double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

double binary_cross_entropy(double logit, double target)
{
    return fmax(logit, 0.0) - logit * target + log1p(exp(-fabs(logit)));
}

static double stablemax_s(double x)
{
    return x >= 0.0 ? x + 1.0 : 1.0 / (1.0 - x + 1e-30);
}

/* Derivative of s: 1 for x >= 0, s^2 below. */
static double stablemax_slope(double x)
{
    double s = stablemax_s(x);

    return x >= 0.0 ? 1.0 : s * s;
}

/* Cross-entropy of one position. dlogits (V), unless NULL, gets its gradient times
 * scale. */
static double stablemax_loss(float *dlogits, const float *logits, int label, int V,
                             double scale)
{
    double sum = 0.0, s_label = stablemax_s((double)logits[label]);

    for (int v = 0; v < V; v++)
        sum += stablemax_s((double)logits[v]);
    if (dlogits != NULL) {
        for (int v = 0; v < V; v++)
            dlogits[v] = (float)(scale * stablemax_slope((double)logits[v]) / sum);
        dlogits[label] = (float)(scale * stablemax_slope((double)logits[label]) *
                                 (1.0 / sum - 1.0 / s_label));
    }
    return -log(s_label / sum);
}

static double softmax_loss(float *dlogits, const float *logits, int label, int V, double scale)
{
    double largest = (double)logits[0], sum = 0.0;

    for (int v = 1; v < V; v++)
        largest = fmax(largest, (double)logits[v]);
    for (int v = 0; v < V; v++)
        sum += exp((double)logits[v] - largest);
    if (dlogits != NULL) {
        for (int v = 0; v < V; v++)
            dlogits[v] = (float)(scale * exp((double)logits[v] - largest) / sum);
        dlogits[label] = (float)(scale * (exp((double)logits[label] - largest) / sum - 1.0));
    }
    return log(sum) + largest - (double)logits[label];
}

static int first_maximum(const float *values, int count)
{
    int best = 0;

    for (int i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

struct row_score head_score_row(struct engine *engine, const struct carry *carry, int first,
                                int r, double scale, bool gradient)
{
    int V = engine->V, T = engine->T;
    size_t row = (size_t)(first + r);
    size_t start = ((size_t)r * (size_t)engine->S + (size_t)engine->G) * (size_t)V;
    const int32_t *labels = carry->labels + row * (size_t)T;
    int32_t *predictions = engine->predictions + row * (size_t)T;
    struct row_score score = { 0 };

    for (int t = 0; t < T; t++)
        score.labelled += labels[t] != ENGINE_IGNORE_LABEL;
    if (gradient)
        memset(engine->dlogits + start - (size_t)engine->G * (size_t)V, 0,
               (size_t)engine->S * (size_t)V * sizeof(float));
    double share = 1.0 / (score.labelled > 1 ? score.labelled : 1);

    for (int t = 0; t < T; t++) {
        size_t at = start + (size_t)t * (size_t)V;
        const float *logits = engine->chunk_logits + at;
        float *dlogits = gradient ? engine->dlogits + at : NULL;

        predictions[t] = first_maximum(logits, V);
        if (labels[t] == ENGINE_IGNORE_LABEL)
            continue;
        score.right += predictions[t] == labels[t];
        score.loss += engine->config.loss_type == ENGINE_STABLEMAX
                          ? stablemax_loss(dlogits, logits, labels[t], V, scale * share)
                          : softmax_loss(dlogits, logits, labels[t], V, scale * share);
    }
    engine->row_loss[row] = score.labelled > 0 ? score.loss / score.labelled : 0.0;
    score.loss *= share;
    return score;
}

void head_backward(struct engine *engine, const float *z, const float *dq, int rows)
{
    int V = engine->V, D = engine->D, R = rows * engine->S;
    const float *weight = engine->weights + engine->q_weight;
    float *dweight = engine->gradients + engine->q_weight;
    float *dbias = engine->gradients + engine->q_bias;
    float *dz = engine->dstate[engine->system->head];

    gemm_backward_input(dz, D, engine->dlogits, V, engine_weight(engine, engine->lm_head, V, D),
                        R, 0);
    gemm_backward_weight(NULL, NULL, engine->gradients + engine->lm_head, engine->dlogits, V, z,
                         D, V, D, R);
    for (int r = 0; r < rows; r++) {
        size_t position = (size_t)r * (size_t)engine->S * (size_t)D;

        for (int k = 0; k < 2; k++) {
            float d = dq[2 * r + k];
            size_t row = (size_t)k * (size_t)D;

            engine->kernels->add_scaled(dweight + row, z + position, d, (size_t)D);
            engine->kernels->add_scaled(dz + position, weight + row, d, (size_t)D);
            dbias[k] += d;
        }
    }
}
