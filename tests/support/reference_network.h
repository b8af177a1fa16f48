/*
 * reference_network.h - the models once more, in double and without a thought for speed.
 *
 * Written from the definition and not from the engine: tests hold the engine's forward pass
 * and, by finite differences, its gradients against it.
 */
#ifndef TESTS_SUPPORT_REFERENCE_NETWORK_H
#define TESTS_SUPPORT_REFERENCE_NETWORK_H

#include "engine.h"

#include <stdbool.h>
#include <stdint.h>

/* One set of parameters and buffers, by the engine's state index. */
struct reference_parameters {
    struct engine_state *states; /* (count) */
    double **data;               /* (count) */
    int count;
};

/* Copies those of an engine. false: out of memory. */
bool reference_parameters_load(struct reference_parameters *p, const struct engine *engine);
void reference_parameters_release(struct reference_parameters *p);
double *reference_find(const struct reference_parameters *p, const char *name);

/* The rows' data and state: what a segment starts from. z in (B, S, D). */
struct reference_input {
    const int32_t *inputs, *labels, *identifiers;
    double *z_H, *z_L; /* z_L unused by the transformer */
};

struct reference_output {
    double *logits; /* (B, T, V) */
    double *q;      /* (B, 2): halt, continue */
};

/* All calls but those that keep gradient, in place on z: the constants of a step. */
void reference_forward_constant(const struct engine_config *config,
                                const struct reference_parameters *p,
                                struct reference_input *input);
/* The calls that keep gradient, in place on z, then the heads. */
void reference_forward_last(const struct engine_config *config,
                            const struct reference_parameters *p, struct reference_input *input,
                            struct reference_output *output);
/* A whole segment in place on z, and of each call and row norm(z_new - z_old) / norm(z_old) of
 * the state that it writes: residuals (B, reference_calls()). layers: (B, H_layers), the same of
 * the layers of a transformer of one call; or NULL. */
void reference_residuals(const struct engine_config *config,
                         const struct reference_parameters *p, struct reference_input *input,
                         double *residuals, double *layers);
/* Module calls of a segment. */
int reference_calls(const struct engine_config *config);
/* total / global batch: token loss + 0.5 * (q_halt + q_continue); target (B) or NULL. */
double reference_loss(const struct engine_config *config, const struct reference_input *input,
                      const struct reference_output *output, const double *target);

/* P, U and S of a configuration. */
int reference_prefix(const struct engine_config *config);
int reference_inputs(const struct engine_config *config);
int reference_positions(const struct engine_config *config);

#endif
