/*
 * halt_rule.h - where a row's answer is taken at inference (model.md section 9,
 * eval.halt_rule).
 */
#ifndef WORKER_HALT_RULE_H
#define WORKER_HALT_RULE_H

#include <stdbool.h>

#include "settings.h"

/* In the order of eval.halt_rule's choices; then the system's own test, which is
 * that of rows that leave the batch where no rule is named. */
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

/* What the rules look at, of one row after an outer step. */
struct halt_signs {
    bool system; /* the system's own test */
    float q_halt, q_continue;
    float change;  /* norm of z_H's change over its norm before; HALT_RESIDUAL */
    int unchanged; /* outer steps just before with the same answer */
};

/* The rule of an evaluation's settings. */
struct halt_rule halt_rule_of(const struct config *config);
bool halt_rule_same(const struct halt_rule *a, const struct halt_rule *b);
/* Whether the row halts by the rule; never by HALT_MAX. */
bool halt_rule_halts(const struct halt_rule *rule, const struct halt_signs *signs);

#endif
