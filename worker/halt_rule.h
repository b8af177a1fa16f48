/*
 * halt_rule.h - decides at which outer step a row's answer is taken at inference
 * (model.md section 9, eval.halt_rule).
 */
#ifndef WORKER_HALT_RULE_H
#define WORKER_HALT_RULE_H

#include <stdbool.h>

#include "settings.h"

/* In the order of eval.halt_rule's choices. The last one is the system's own halting
 * test, which applies to rows that leave the batch if no rule is named. */
enum halt_rule_kind {
    HALT_MAX,
    HALT_Q,
    HALT_Q_POSITIVE,
    HALT_STABLE,
    HALT_RESIDUAL,
    HALT_SYSTEM
};

struct halt_rule {
    enum halt_rule_kind kind;
    int patience;   /* of HALT_STABLE: steps, at least 1 */
    double epsilon; /* of HALT_RESIDUAL */
};

/* What the rules read, of one row after an outer step. */
struct halt_signs {
    bool system; /* whether the system's own test passed */
    float q_halt, q_continue;
    float change;  /* norm of z_H's change over its norm before; HALT_RESIDUAL */
    int unchanged; /* number of outer steps just before with the same answer */
};

/* The rule of an evaluation's settings. */
struct halt_rule halt_rule_of(const struct config *config);
bool halt_rule_same(const struct halt_rule *a, const struct halt_rule *b);
/* Whether the row halts by the rule; always false for HALT_MAX. */
bool halt_rule_halts(const struct halt_rule *rule, const struct halt_signs *signs);

#endif
