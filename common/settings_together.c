/* settings_together.c - what settings mean together: contradictions, and values that
 * follow from others. */
#include "settings_together.h"

#include "cycle_schedule.h"
#include "error.h"
#include "shape_widths.h"

#include <inttypes.h>
#include <string.h>

/* Whether a transformer is asked for that has HRM's number of parameters: H_layers +
 * L_layers layers. */
static bool matches_params(const struct config *c)
{
    return config_system(c)->matches && strcmp(config_choice(c, ARCH_MATCH), "none") != 0;
}

/* Whether it is to make as many layer passes per outer step as well. */
static bool matches_flops(const struct config *c)
{
    return config_system(c)->matches && strcmp(config_choice(c, ARCH_MATCH), "flops") == 0;
}

/* Checks the settings that must fit together in one layer: heads, positions, mlp_t. */
static int check_layer(const struct config *c, const char *where, struct error *err)
{
    int64_t D = config_int(c, ARCH_HIDDEN_SIZE), N = config_int(c, ARCH_NUM_HEADS);
    bool any_heads = config_system(c)->any_heads && !matches_params(c);
    bool rope = strcmp(config_choice(c, ARCH_POS_ENCODINGS), "rope") == 0;

    if (config_bool(c, ARCH_MLP_T)) {
        if (rope)
            return error_set(err, ERROR_FORMAT,
                             "%s: arch.pos_encodings = rope acts inside attention, which "
                             "arch.mlp_t = true replaces; set arch.pos_encodings to learned or "
                             "none",
                             where);
        return 0; /* mlp_t has no heads */
    }
    if (D < N)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.num_heads = %" PRId64
                         " is more than arch.hidden_size = %" PRId64,
                         where, N, D);
    if (D % N != 0 && !any_heads)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.num_heads = %" PRId64
                         " does not divide arch.hidden_size = %" PRId64
                         "; choose heads that do, such as %d",
                         where, N, D,
                         D % 4 == 0   ? 4
                         : D % 2 == 0 ? 2
                                      : 1);
    if ((D / N) % 2 != 0 && rope)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.pos_encodings = rope needs an even head size, but "
                         "arch.hidden_size %" PRId64 " / arch.num_heads %" PRId64
                         " gives %" PRId64 "; use fewer heads or learned positions",
                         where, D, N, D / N);
    return 0;
}

/* Calls of one stack of H_layers + L_layers layers that come nearest to the layer
 * passes of HRM with the same settings; at least one. */
static int64_t matched_cycles(const struct config *c)
{
    const struct system_facts *hrm = system_facts(SYSTEM_HRM);
    struct system_sizes sizes = config_system_sizes(c);
    int64_t layers = sizes.layers[MODULE_H] + sizes.layers[MODULE_L];

    if (!c->given[ARCH_H_CYCLES])
        sizes.H_cycles = hrm->H_cycles;
    int64_t cycles = (2 * system_layer_passes(hrm, &sizes) + layers) / (2 * layers);
    return cycles > 0 ? cycles : 1;
}

/* The layers of a matched transformer stay within the bound of arch.H_layers, its calls
 * within that of arch.H_cycles. */
static int check_match(const struct config *c, const char *where, struct error *err)
{
    int64_t H = config_int(c, ARCH_H_LAYERS), L = config_int(c, ARCH_L_LAYERS);
    int64_t most = (int64_t)settings_table[ARCH_H_LAYERS].maximum;
    int64_t most_calls = (int64_t)settings_table[ARCH_H_CYCLES].maximum;

    if (matches_flops(c) && matched_cycles(c) > most_calls)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.match = flops gives %" PRId64 " calls per outer step, "
                         "expected at most %" PRId64
                         "; use fewer cycles, or arch.match = params",
                         where, matched_cycles(c), most_calls);
    if (!matches_params(c) || H + L <= most)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: arch.match = %s gives a %s of arch.H_layers %" PRId64
                     " + arch.L_layers %" PRId64 " = %" PRId64 " layers, expected at most "
                     "%" PRId64 "; use fewer layers, or arch.match = none",
                     where, config_choice(c, ARCH_MATCH), config_system(c)->name, H, L, H + L,
                     most);
}

/* A context needs demonstrations; ids need an embedding. */
static int check_conditioning(const struct config *c, const char *where, struct error *err)
{
    const char *word = config_choice(c, ARCH_CONDITIONING);
    bool context = c->values[ARCH_CONDITIONING].integer >= CONDITIONING_CONTEXT;

    if (context && !config_active(c, ARCH_CONDITIONING))
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.conditioning = %s puts a task's demonstrations in front of "
                         "its tests, but the boards of data.path = %.100s have none; use ARC "
                         "tasks, or arch.conditioning = puzzle_id",
                         where, word, config_text(c, DATA_PATH));
    if (context && c->values[ARCH_CONDITIONING].integer != CONDITIONING_CONTEXT &&
        config_int(c, ARCH_PUZZLE_EMB_NDIM) == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.conditioning = %s needs puzzle ids, but "
                         "arch.puzzle_emb_ndim is 0; arch.conditioning = context needs none",
                         where, word);
    return 0;
}

/* Checks for settings that contradict each other. */
static int check_together(const struct config *c, const char *where, struct error *err)
{
    int64_t D = config_int(c, ARCH_HIDDEN_SIZE), E = config_puzzle_ndim(c);
    int64_t len = config_int(c, ARCH_PUZZLE_EMB_LEN);
    const char *path = config_text(c, DATA_PATH);
    int64_t side = config_int(c, DATA_SUDOKU_SIDE);
    int rc = check_layer(c, where, err);

    if (rc == 0)
        rc = check_match(c, where, err);
    if (rc == 0)
        rc = check_conditioning(c, where, err);
    if (rc < 0)
        return rc;
    if (shape_prefix(E, len, D) * D < E)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.puzzle_emb_len = %" PRId64
                         " positions of arch.hidden_size = "
                         "%" PRId64 " do not hold arch.puzzle_emb_ndim = %" PRId64,
                         where, len, D, E);
    if (config_active(c, DATA_SUDOKU_SIDE) && side != 4 && side != 6 && side != 9)
        return error_set(err, ERROR_FORMAT,
                         "%s: data.sudoku_side = %" PRId64 ": expected 4, 6 or 9", where, side);
    if (strncmp(path, "builtin:", 8) == 0 && strcmp(path, "builtin:sudoku") != 0 &&
        strcmp(path, "builtin:maze") != 0 && strcmp(path, "builtin:arc-style") != 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: data.path = \"%.100s\": the built-in data are builtin:arc-style, "
                         "builtin:sudoku and builtin:maze",
                         where, path);
    if (path[0] == '\0')
        return error_set(err, ERROR_FORMAT,
                         "%s: data.path is empty; give a folder of ARC tasks, a CSV of "
                         "boards or builtin:arc-style",
                         where);
    return 0;
}

/* A micro-batch divides the batch. */
static int check_micro_batch(const struct config *c, const char *where, struct error *err)
{
    int64_t batch = config_int(c, TRAIN_GLOBAL_BATCH_SIZE);
    int64_t micro = config_int(c, TRAIN_MICRO_BATCH);

    if (micro == 0 || (micro <= batch && batch % micro == 0))
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: train.micro_batch = %" PRId64 " does not divide "
                     "train.global_batch_size = %" PRId64 "; 0 means the whole batch",
                     where, micro, batch);
}

/* Lanes are added pairwise, and none is empty. */
static int check_gradient_lanes(const struct config *c, const char *where, struct error *err)
{
    int64_t batch = config_int(c, TRAIN_GLOBAL_BATCH_SIZE);
    int64_t lanes = config_int(c, TRAIN_GRADIENT_LANES), below = 1;

    while (2 * below <= lanes && 2 * below <= batch)
        below *= 2;
    if (lanes == below)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: train.gradient_lanes = %" PRId64 ", expected a power of two, no "
                     "more than train.global_batch_size = %" PRId64 "; write %" PRId64,
                     where, lanes, batch, below);
}

/* Each rank has as many lanes as the others. */
static int check_ranks(const struct config *c, const char *where, struct error *err)
{
    int64_t lanes = config_int(c, TRAIN_GRADIENT_LANES);
    int64_t ranks = config_int(c, RESOURCES_RANKS), below = 1;

    while (2 * below <= ranks && 2 * below <= lanes)
        below *= 2;
    if (ranks == below)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: resources.ranks = %" PRId64 ", expected a power of two, no more than "
                     "train.gradient_lanes = %" PRId64 "; write %" PRId64
                     ", or give more lanes (which is another run)",
                     where, ranks, lanes, below);
}

/* Without a training step there must be weights to evaluate. */
static int check_no_training(const struct config *c, const char *where, struct error *err)
{
    if (config_trains(c) || config_text(c, TRAIN_INIT_FROM)[0] != '\0')
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: train.epochs = 0 evaluates the weights of train.init_from, which is "
                     "empty; name a file or a run, or raise train.epochs",
                     where);
}

/* A training trains something, and what it does not train is there. */
static int check_freeze(const struct config *c, const char *where, struct error *err)
{
    const char *word = config_choice(c, TRAIN_FREEZE);

    if (!config_active(c, TRAIN_FREEZE) || strcmp(word, "none") == 0 ||
        config_puzzle_ndim(c) > 0)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: train.freeze = %s, but the model has no puzzle embedding%s; set "
                     "train.freeze to none",
                     where, word,
                     strcmp(word, "puzzle") == 0
                         ? " that it could leave as it is"
                         : ", so that nothing is trained while the trunk is not");
}

/* Settings that say the same thing twice, and differently. */
static int check_twice(const struct config *c, const char *where, struct error *err)
{
    double share = config_real(c, DATA_TASK_SHARE);

    if (matches_flops(c) && config_text(c, TRAIN_CYCLE_SCHEDULE)[0] != '\0')
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.match = flops sets the calls of a %s, and "
                         "train.cycle_schedule sets others; use arch.match = params",
                         where, config_system(c)->name);
    if (config_active(c, DATA_SUBSET) && share > 0.0 && share < 1.0 &&
        strcmp(config_choice(c, DATA_SUBSET), "evaluation-only") == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: data.task_share = %g is a share of the tasks outside the "
                         "evaluation set, of which data.subset = evaluation-only trains on "
                         "none; set one of them",
                         where, share);
    return 0;
}

/* A matched transformer's own layers and calls. */
static void settle_match(struct config *config)
{
    if (matches_flops(config)) {
        config->values[ARCH_H_CYCLES].integer = matched_cycles(config);
        config->given[ARCH_H_CYCLES] = true;
    }
    if (matches_params(config)) {
        config->values[ARCH_H_LAYERS].integer += config->values[ARCH_L_LAYERS].integer;
        config->values[ARCH_MATCH].integer = 0;
    }
}

/* One name for one horizon: the published one is "published", all calls are 0. */
static int settle_horizon(struct config *config, const char *where, struct error *err)
{
    const struct system_facts *facts = config_system(config);
    struct system_sizes sizes = config_system_sizes(config);
    int64_t horizon = config_int(config, ARCH_GRADIENT_HORIZON);
    int64_t calls = system_calls(facts, &sizes);

    if (horizon > calls)
        return error_set(err, ERROR_FORMAT,
                         "%s: arch.gradient_horizon = %" PRId64 " is more than the %" PRId64
                         " module calls of an outer step of %s; 0 means all of them",
                         where, horizon, calls, facts->name);
    sizes.gradient_calls = 0;
    if ((horizon == 0 ? calls : horizon) == system_gradient_calls(facts, &sizes))
        config->values[ARCH_GRADIENT_HORIZON].integer = HORIZON_PUBLISHED;
    else if (horizon == calls)
        config->values[ARCH_GRADIENT_HORIZON].integer = 0;
    return 0;
}

/* Each stage of a schedule has as many calls as carry gradient; a schedule of one stage
 * with the model's own cycles is none. */
static int settle_schedule(struct config *config, const char *where, struct error *err)
{
    const struct system_facts *facts = config_system(config);
    const struct system_sizes sizes = config_system_sizes(config);
    int64_t horizon = config_int(config, ARCH_GRADIENT_HORIZON);
    struct cycle_schedule schedule;
    int rc = cycle_schedule_parse(&schedule, config_text(config, TRAIN_CYCLE_SCHEDULE), err);

    for (int i = 0; rc == 0 && i < schedule.count; i++) {
        struct system_sizes stage = sizes;

        stage.H_cycles = schedule.stages[i].H_cycles;
        stage.L_cycles = schedule.stages[i].L_cycles;
        if (horizon > system_calls(facts, &stage))
            rc = error_set(err, ERROR_FORMAT,
                           "%s: arch.gradient_horizon = %" PRId64 " is more than the %" PRId64
                           " module calls of stage %d of train.cycle_schedule",
                           where, horizon, system_calls(facts, &stage), i + 1);
    }
    if (rc == 0 && schedule.count == 1 && schedule.stages[0].H_cycles == sizes.H_cycles &&
        (!facts->has_fast || schedule.stages[0].L_cycles == sizes.L_cycles))
        config->values[TRAIN_CYCLE_SCHEDULE].text[0] = '\0';
    return rc;
}

void config_default_cycles(struct config *config)
{
    /* the table's default is HRM's */
    int64_t table = system_facts(SYSTEM_HRM)->H_cycles;

    if (!config->given[ARCH_H_CYCLES] && config_int(config, ARCH_H_CYCLES) == table)
        config->values[ARCH_H_CYCLES].integer = config_system(config)->H_cycles;
}

int config_settle(struct config *config, const char *where, struct error *err)
{
    config_default_cycles(config);
    int rc = check_together(config, where, err);

    if (rc == 0)
        rc = check_micro_batch(config, where, err);
    if (rc == 0)
        rc = check_gradient_lanes(config, where, err);
    if (rc == 0)
        rc = check_ranks(config, where, err);
    if (rc == 0)
        rc = check_no_training(config, where, err);
    if (rc == 0)
        rc = check_freeze(config, where, err);
    if (rc == 0)
        rc = check_twice(config, where, err);
    if (rc < 0)
        return rc;
    settle_match(config);
    if (config_int(config, TRAIN_MICRO_BATCH) == config_int(config, TRAIN_GLOBAL_BATCH_SIZE))
        config->values[TRAIN_MICRO_BATCH].integer = 0;
    if (config_active(config, TRAIN_SUPERVISION_DECAY) &&
        /* each step counts alike */
        config_real(config, TRAIN_SUPERVISION_DECAY) >= 1.0)
        config->values[TRAIN_SUPERVISION].integer = 0;
    rc = settle_horizon(config, where, err);
    return rc == 0 ? settle_schedule(config, where, err) : rc;
}
