/* golden_config.c - a golden case's JSON as an engine's configuration. */
#include "golden_config.h"

#include "error.h"
#include "json.h"
#include "shape.h"

#include <limits.h>
#include <string.h>

bool golden_config_is_case(const cJSON *json)
{
    return json_member(json, "case") != NULL && json_member(json, "arch") != NULL;
}

static bool is_absent(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    return item == NULL || cJSON_IsNull(item);
}

/* An int member; when it is absent and fallback >= 0, that. */
static int get_int(int *out, const cJSON *object, const char *key, int fallback,
                   const char *where, struct error *err)
{
    int64_t value;

    if (fallback >= 0 && is_absent(object, key)) {
        *out = fallback;
        return 0;
    }
    int rc = json_get_int(&value, object, key, where, err);
    if (rc < 0)
        return rc;
    if (value < 0 || value > INT_MAX)
        return error_set(err, ERROR_FORMAT, "%s: %s is %lld, expected 0 to %d", where, key,
                         (long long)value, INT_MAX);
    *out = (int)value;
    return 0;
}

struct int_member {
    int *out;
    const char *key;
    int fallback; /* -1: required */
};

struct real_member {
    double *out;
    const char *key;
};

/* The value of a text member among names, or -1 with a message. */
static int choose(const cJSON *object, const char *key, const char *const *names, int count,
                  const char *where, struct error *err)
{
    const char *text;
    int rc = json_get_string(&text, object, key, where, err);

    if (rc < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    error_set(err, ERROR_FORMAT, "%s: %s is \"%.40s\", expected %s, ... or %s", where, key,
              text, names[0], names[count - 1]);
    return -1;
}

/* TRM's no_ACT_continue must say what the system's table does. */
static int read_q_continue(const struct system_facts *facts, const cJSON *arch,
                           const char *where, struct error *err)
{
    bool none = !facts->q_continue;

    if (!is_absent(arch, "no_ACT_continue") &&
        json_get_bool(&none, arch, "no_ACT_continue", where, err) < 0)
        return ERROR_FORMAT;
    if (none == facts->q_continue)
        return error_set(err, ERROR_FORMAT, "%s: no_ACT_continue is %s, expected %s for %s",
                         where, none ? "true" : "false", none ? "false" : "true", facts->name);
    return 0;
}

static int read_arch(struct engine_config *c, const cJSON *arch, const char *where,
                     struct error *err)
{
    const struct system_facts *facts = system_facts(c->system);
    int cycles = facts->has_fast ? -1 : 1; /* required, or 1 */
    double expansion;
    const struct int_member ints[] = {
        { &c->batch_size, "batch_size", -1 },
        { &c->seq_len, "seq_len", -1 },
        { &c->vocab_size, "vocab_size", -1 },
        { &c->num_puzzle_identifiers, "num_puzzle_identifiers", -1 },
        { &c->puzzle_emb_ndim, "puzzle_emb_ndim", 0 },
        { &c->puzzle_emb_len, "puzzle_emb_len", 0 },
        { &c->H_layers, "H_layers", system_has_module(facts, MODULE_H) ? -1 : 0 },
        { &c->L_layers, "L_layers", system_has_module(facts, MODULE_L) ? -1 : 0 },
        { &c->H_cycles, "H_cycles", cycles },
        { &c->L_cycles, "L_cycles", cycles },
        { &c->hidden_size, "hidden_size", -1 },
        { &c->num_heads, "num_heads", -1 },
        { &c->halt_max_steps, "halt_max_steps", -1 },
        { &c->intermediate_size, "intermediate_size", 0 },
    };
    static const char *const POSITIONS[] = { "rope", "learned", "none" };
    static const char *const DTYPES[] = { "float32" };

    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        if (get_int(ints[i].out, arch, ints[i].key, ints[i].fallback, where, err) < 0)
            return ERROR_FORMAT;
    if (json_get_real(&c->rms_norm_eps, arch, "rms_norm_eps", where, err) < 0)
        return ERROR_FORMAT;
    c->rope_theta = 10000.0;
    if (!is_absent(arch, "rope_theta") &&
        json_get_real(&c->rope_theta, arch, "rope_theta", where, err) < 0)
        return ERROR_FORMAT;
    bool mlp_t = false;
    if (!is_absent(arch, "mlp_t") && json_get_bool(&mlp_t, arch, "mlp_t", where, err) < 0)
        return ERROR_FORMAT;
    if (c->intermediate_size == 0 || mlp_t) {
        if (json_get_real(&expansion, arch, "expansion", where, err) < 0)
            return ERROR_FORMAT;
        int64_t S =
            c->seq_len + shape_prefix(c->puzzle_emb_ndim, c->puzzle_emb_len, c->hidden_size);
        if (c->intermediate_size == 0)
            c->intermediate_size = shape_intermediate_size(expansion, c->hidden_size, 256);
        if (mlp_t)
            c->mlp_t_size = shape_intermediate_size(expansion, (int)S, 256);
    }
    if (read_q_continue(facts, arch, where, err) < 0)
        return ERROR_FORMAT;
    c->act_enabled = true;
    if (!is_absent(arch, "act_enabled") &&
        json_get_bool(&c->act_enabled, arch, "act_enabled", where, err) < 0)
        return ERROR_FORMAT;
    int positions = is_absent(arch, "pos_encodings")
                        ? (int)ENGINE_NO_POSITIONS
                        : choose(arch, "pos_encodings", POSITIONS, 3, where, err);
    if (positions < 0)
        return ERROR_FORMAT;
    c->pos_encodings = (enum engine_positions)positions;
    if (!is_absent(arch, "forward_dtype") &&
        choose(arch, "forward_dtype", DTYPES, 1, where, err) < 0)
        return ERROR_FORMAT;
    return 0;
}

static int read_train(struct golden_config *out, const cJSON *train, const char *where,
                      struct error *err)
{
    struct engine_config *c = &out->engine;
    int warmup, total;
    const struct int_member ints[] = {
        { &c->global_batch_size, "global_batch_size", -1 },
        { &out->steps, "steps", -1 },
        { &warmup, "lr_warmup_steps", -1 },
        { &total, "total_steps", -1 },
        { &c->target_q_update_every, "target_q_update_every", 1 },
    };
    const struct real_member reals[] = {
        { &c->lr, "lr" },
        { &c->lr_min_ratio, "lr_min_ratio" },
        { &c->weight_decay, "weight_decay" },
        { &c->beta1, "beta1" },
        { &c->beta2, "beta2" },
        { &c->puzzle_emb_lr, "puzzle_emb_lr" },
        { &c->puzzle_emb_weight_decay, "puzzle_emb_weight_decay" },
    };

    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++)
        if (get_int(ints[i].out, train, ints[i].key, ints[i].fallback, where, err) < 0)
            return ERROR_FORMAT;
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (json_get_real(reals[i].out, train, reals[i].key, where, err) < 0)
            return ERROR_FORMAT;
    c->lr_warmup_steps = warmup;
    c->total_steps = total;
    if (!is_absent(train, "ema_rate") &&
        json_get_real(&c->ema_rate, train, "ema_rate", where, err) < 0)
        return ERROR_FORMAT;
    return 0;
}

int golden_config_read(struct golden_config *out, const cJSON *json, const char *where,
                       struct error *err)
{
    static const char *const LOSSES[] = { "stablemax_cross_entropy", "softmax_cross_entropy" };
    const cJSON *arch = json_member(json, "arch"), *train = json_member(json, "train");
    int stride;

    *out = (struct golden_config){ 0 };
    if (!cJSON_IsObject(arch) || !cJSON_IsObject(train))
        return error_set(err, ERROR_FORMAT, "%s: arch and train must be objects", where);
    if (json_get_string(&out->case_name, json, "case", where, err) < 0)
        return ERROR_FORMAT;
    if (!is_absent(json, "param0_from") &&
        json_get_string(&out->param0_from, json, "param0_from", where, err) < 0)
        return ERROR_FORMAT;
    if (!is_absent(arch, "halt_exploration_prob") &&
        json_get_real(&out->exploration, arch, "halt_exploration_prob", where, err) < 0)
        return ERROR_FORMAT;
    if (get_int(&stride, json, "sample_stride", 1, where, err) < 0)
        return ERROR_FORMAT;
    out->sample_stride = stride;
    int system = choose(json, "model", system_names, SYSTEM_NAMED, where, err);
    if (system < 0)
        return ERROR_FORMAT;
    out->engine.system = (enum system_id)system;
    int loss = choose(json, "loss_type", LOSSES, 2, where, err);
    if (loss < 0)
        return ERROR_FORMAT;
    out->engine.loss_type = loss == 0 ? ENGINE_STABLEMAX : ENGINE_SOFTMAX;
    if (read_arch(&out->engine, arch, where, err) < 0)
        return ERROR_FORMAT;
    return read_train(out, train, where, err);
}
