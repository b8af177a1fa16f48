/* halt_rule.c - the halting rules of inference. */
#include "halt_rule.h"

struct halt_rule halt_rule_of(const struct config *config)
{
    struct halt_rule rule = {
        .kind = (enum halt_rule_kind)config->values[EVAL_HALT_RULE].integer,
    };

    if (rule.kind == HALT_MAX && config_bool(config, EVAL_ACT_INFERENCE))
        rule.kind = HALT_SYSTEM;
    if (rule.kind == HALT_STABLE)
        rule.patience = (int)config_int(config, EVAL_HALT_PATIENCE);
    if (rule.kind == HALT_RESIDUAL)
        rule.epsilon = config_real(config, EVAL_HALT_EPSILON);
    return rule;
}

bool halt_rule_same(const struct halt_rule *a, const struct halt_rule *b)
{
    return a->kind == b->kind && a->patience == b->patience && !(a->epsilon < b->epsilon) &&
           !(a->epsilon > b->epsilon);
}

bool halt_rule_halts(const struct halt_rule *rule, const struct halt_signs *signs)
{
    switch (rule->kind) {
    case HALT_MAX:
        return false;
    case HALT_Q:
        return signs->q_halt > signs->q_continue;
    case HALT_Q_POSITIVE:
        return signs->q_halt > 0.0f;
    case HALT_STABLE:
        return signs->unchanged >= rule->patience;
    case HALT_RESIDUAL:
        return (double)signs->change < rule->epsilon;
    case HALT_SYSTEM:
        return signs->system;
    }
    return false;
}
