/*
 * settings_table.c - the one list of every setting: key, type, bounds, default, what
 * absence means, unit, when it changes nothing, meaning. At the end, those values of a
 * configuration on which "when it changes nothing" depends, by the types of the table.
 */
#include "settings.h"

#include <assert.h>
#include <string.h>

static const char *const MATCHES[] = { "none", "params", "flops", NULL };
static const char *const POSITIONS[] = { "rope", "learned", "none", NULL };
static const char *const LOSSES[] = { "stablemax_cross_entropy", "softmax_cross_entropy",
                                      NULL };
static const char *const FORWARD_DTYPES[] = { "float32", "bfloat16", NULL };
static const char *const SUBSETS[] = { "all", "evaluation-only", NULL };
static const char *const DUPLICATES[] = { "refuse", "first", "last", NULL };
static const char *const OPTIMIZERS[] = { "adam_atan2", "adamw", NULL };
static const char *const SUPERVISIONS[] = { "every", "last", "decay", NULL };
/* In the order of enum conditioning. */
static const char *const CONDITIONINGS[] = { "puzzle_id", "blank",          "random_id",
                                             "context",   "context_and_id", "padded_id",
                                             NULL };
static const char *const RANDOM_ID_MAPS[] = { "shift", "bijection", NULL };
static const char *const PUZZLE_IDS[] = { "own", "blank", "random", "mean", NULL };
static const char *const HALT_RULES[] = {
    "max", "q", "q_positive", "stable", "residual", NULL
};
static const char *const PUZZLE_ROWS[] = { "mean", "zero", "normal", NULL };
static const char *const FREEZES[] = { "none", "trunk", "puzzle", "trunk_first", NULL };
static const char *const FROZEN_STEPS[] = { "counted", "skipped", NULL };
static const char *const CHOICES[] = { "vote", "q", "first_halt", NULL };
static const char *const WEIGHTS[] = { "ema", "raw", NULL };
static const char *const KEEPS[] = { "auto", "always", "never", NULL };
static const char *const ANSWERS[] = { "inferred", "kept", NULL };
static const char *const SPLITS[] = { "test", "train", NULL };

static bool no_match(const struct config *c)
{
    return !config_system(c)->matches;
}

static bool no_high_level(const struct config *c)
{
    return !system_has_module(config_system(c), MODULE_H);
}

/* Before config_resolve() a matched transformer still needs L_layers. */
static bool no_low_level(const struct config *c)
{
    return !system_has_module(config_system(c), MODULE_L) &&
           (no_match(c) || strcmp(config_choice(c, ARCH_MATCH), "none") == 0);
}

/* Before config_resolve() a transformer of HRM's FLOPs still needs L_cycles. */
static bool no_fast_calls(const struct config *c)
{
    return !config_system(c)->has_fast &&
           (no_match(c) || strcmp(config_choice(c, ARCH_MATCH), "flops") != 0);
}

static bool no_shared_levels(const struct config *c)
{
    return !system_facts((enum system_id)c->values[ARCH_NAME].integer)->shares;
}

static bool no_attention(const struct config *c)
{
    return config_bool(c, ARCH_MLP_T);
}

static bool no_rope(const struct config *c)
{
    return strcmp(config_choice(c, ARCH_POS_ENCODINGS), "rope") != 0;
}

static enum conditioning conditioning_of(const struct config *c)
{
    return (enum conditioning)c->values[ARCH_CONDITIONING].integer;
}

/* Rows are told apart by their context alone. */
static bool no_ids(const struct config *c)
{
    return conditioning_of(c) == CONDITIONING_CONTEXT;
}

static bool no_puzzle_embedding(const struct config *c)
{
    return config_puzzle_ndim(c) == 0;
}

static bool no_random_ids(const struct config *c)
{
    return config_conditioning(c) != CONDITIONING_RANDOM_ID;
}

static bool no_context(const struct config *c)
{
    return conditioning_of(c) < CONDITIONING_CONTEXT;
}

static bool one_outer_step(const struct config *c)
{
    return config_int(c, ARCH_HALT_MAX_STEPS) == 1;
}

static bool no_act(const struct config *c)
{
    return one_outer_step(c) || !config_bool(c, ARCH_ACT_ENABLED);
}

static bool no_supervision_decay(const struct config *c)
{
    return one_outer_step(c) || strcmp(config_choice(c, TRAIN_SUPERVISION), "decay") != 0;
}

static bool no_init_from(const struct config *c)
{
    return config_text(c, TRAIN_INIT_FROM)[0] == '\0';
}

static bool no_training(const struct config *c)
{
    return !config_trains(c);
}

static bool no_new_rows(const struct config *c)
{
    return no_init_from(c) || no_puzzle_embedding(c);
}

static bool no_freeze_share(const struct config *c)
{
    return no_init_from(c) || strcmp(config_choice(c, TRAIN_FREEZE), "trunk_first") != 0;
}

static bool no_patience(const struct config *c)
{
    return strcmp(config_choice(c, EVAL_HALT_RULE), "stable") != 0;
}

static bool one_rollout(const struct config *c)
{
    return config_int(c, EVAL_ROLLOUTS) == 1;
}

static bool no_epsilon(const struct config *c)
{
    return strcmp(config_choice(c, EVAL_HALT_RULE), "residual") != 0;
}

static bool no_target_q(const struct config *c)
{
    return no_act(c) || !config_system(c)->q_continue;
}

/* What can be told from data.path alone: a folder may hold ARC tasks or the CSV files
 * of boards, so that the settings of both are active for it. */
static bool is_csv(const char *path)
{
    size_t length = strlen(path);

    return length >= 4 && strcmp(path + length - 4, ".csv") == 0;
}

/* Whether data.path names these built-in data, or others that are built in. */
static bool is_built_in(const struct config *c, const char *name)
{
    return strcmp(config_text(c, DATA_PATH), name) == 0;
}

static bool is_other_built_in(const struct config *c, const char *name)
{
    return strncmp(config_text(c, DATA_PATH), "builtin:", 8) == 0 && !is_built_in(c, name);
}

static bool not_arc(const struct config *c)
{
    return is_other_built_in(c, "builtin:arc-style") || is_csv(config_text(c, DATA_PATH));
}

/* Several sources are those of ARC tasks. */
static bool not_sudoku(const struct config *c)
{
    return is_other_built_in(c, "builtin:sudoku") || config_text(c, DATA_PATH)[0] == '[';
}

static bool not_built_in_sudoku(const struct config *c)
{
    return !is_built_in(c, "builtin:sudoku");
}

static bool not_maze(const struct config *c)
{
    return is_other_built_in(c, "builtin:maze") || config_text(c, DATA_PATH)[0] == '[';
}

static bool not_built_in_maze(const struct config *c)
{
    return !is_built_in(c, "builtin:maze");
}

static bool no_rating(const struct config *c)
{
    const char *path = config_text(c, DATA_PATH);

    return strncmp(path, "builtin:", 8) == 0 || path[0] == '[';
}

static bool not_arc_style(const struct config *c)
{
    const char *path = config_text(c, DATA_PATH);

    return path[0] == '[' ? strstr(path, "\"builtin:arc-style\"") == NULL
                          : !is_built_in(c, "builtin:arc-style");
}

static bool by_steps(const struct config *c)
{
    return config_int(c, TRAIN_MAX_STEPS) > 0;
}

/* Boards have no ids of their own. */
static bool no_own_ids(const struct config *c)
{
    return (no_context(c) && no_puzzle_embedding(c)) || not_arc(c);
}

#define INT_SETTING(key_, phase_, low, high, value, unit_, inactive_, meaning_)                \
    {                                                                                          \
        .key = key_, .type = SETTING_INT, .phase = phase_, .minimum = low, .maximum = high,    \
        .default_text = value, .absent_means = value, .unit = unit_, .inactive = inactive_,    \
        .meaning = meaning_                                                                    \
    }
#define REAL_SETTING(key_, phase_, low, high, value, unit_, inactive_, meaning_)               \
    {                                                                                          \
        .key = key_, .type = SETTING_REAL, .phase = phase_, .minimum = low, .maximum = high,   \
        .default_text = value, .absent_means = value, .unit = unit_, .inactive = inactive_,    \
        .meaning = meaning_                                                                    \
    }
#define BOOL_SETTING(key_, phase_, value, inactive_, meaning_)                                 \
    {                                                                                          \
        .key = key_, .type = SETTING_BOOL, .phase = phase_, .minimum = 0, .maximum = 1,        \
        .default_text = value, .absent_means = value, .unit = "", .inactive = inactive_,       \
        .meaning = meaning_                                                                    \
    }
#define CHOICE_SETTING(key_, phase_, choices_, value, absent, inactive_, meaning_)             \
    {                                                                                          \
        .key = key_, .type = SETTING_CHOICE, .phase = phase_, .choices = choices_,             \
        .default_text = value, .absent_means = absent, .unit = "", .inactive = inactive_,      \
        .meaning = meaning_                                                                    \
    }
#define INT_OR_WORD_SETTING(key_, phase_, low, high, word_, value, unit_, inactive_, meaning_) \
    {                                                                                          \
        .key = key_, .type = SETTING_INT_OR_WORD, .phase = phase_, .minimum = low,             \
        .maximum = high, .default_text = word_, .absent_means = word_, .word = word_,          \
        .word_value = value, .unit = unit_, .inactive = inactive_, .meaning = meaning_         \
    }
#define TEXT_SETTING(key_, phase_, value, inactive_, meaning_)                                 \
    {                                                                                          \
        .key = key_, .type = SETTING_TEXT, .phase = phase_, .default_text = value,             \
        .absent_means = value, .unit = "", .inactive = inactive_, .meaning = meaning_          \
    }
/* Text, or a list of texts. */
#define TEXTS_SETTING(key_, phase_, value, inactive_, meaning_)                                \
    {                                                                                          \
        .key = key_, .type = SETTING_TEXT, .phase = phase_, .default_text = value,             \
        .absent_means = value, .unit = "", .inactive = inactive_, .meaning = meaning_,         \
        .several = true                                                                        \
    }

const struct setting settings_table[SETTING_COUNT] = {
    [ARCH_NAME] = CHOICE_SETTING(
        "arch.name", PHASE_TRAINING, system_names, "hrm", "hrm", NULL,
        "hrm: two modules that call each other; transformer: one module, no cycles; trm: one "
        "module for both of HRM's updates"),
    [ARCH_MATCH] = CHOICE_SETTING(
        "arch.match", PHASE_TRAINING, MATCHES, "params", "none", no_match,
        "params: the transformer gets H_layers + L_layers layers, HRM's parameters; flops: and "
        "as many H_cycles as HRM's layer passes per outer step need; none: as it is set"),
    [ARCH_HIDDEN_SIZE] = INT_SETTING("arch.hidden_size", PHASE_TRAINING, 4, 8192, "128", "",
                                     NULL, "width D of the residual stream"),
    [ARCH_NUM_HEADS] = INT_SETTING("arch.num_heads", PHASE_TRAINING, 1, 256, "4", "",
                                   no_attention, "attention heads"),
    [ARCH_H_LAYERS] =
        INT_SETTING("arch.H_layers", PHASE_TRAINING, 1, 512, "2", "layers", no_high_level,
                    "layers of the slow module, or of the transformer"),
    [ARCH_L_LAYERS] =
        INT_SETTING("arch.L_layers", PHASE_TRAINING, 1, 64, "2", "layers", no_low_level,
                    "layers of the fast module, or of trm's only module"),
    [ARCH_H_CYCLES] =
        INT_SETTING("arch.H_cycles", PHASE_TRAINING, 1, 64, "2", "cycles", NULL,
                    "slow-module updates per outer step; calls of a transformer's "
                    "one module, 1 unless it is set"),
    [ARCH_L_CYCLES] = INT_SETTING("arch.L_cycles", PHASE_TRAINING, 1, 64, "2", "cycles",
                                  no_fast_calls, "fast-module updates per slow update"),
    [ARCH_SHARE_LEVELS] =
        BOOL_SETTING("arch.share_levels", PHASE_TRAINING, "false", no_shared_levels,
                     "hrm's two modules are one stack of L_layers, as in trm"),
    [ARCH_GRADIENT_HORIZON] = INT_OR_WORD_SETTING(
        "arch.gradient_horizon", PHASE_TRAINING, 0, 8192, "published", HORIZON_PUBLISHED,
        "calls", NULL,
        "module calls at the end of an outer step that carry gradient; 0: all; published: the "
        "last of each module (hrm), the last H cycle (trm), the last call (transformer)"),
    [ARCH_EXPANSION] =
        REAL_SETTING("arch.expansion", PHASE_TRAINING, 0.01, 64, "4", "", NULL,
                     "feed-forward width is expansion * D * 2/3, rounded up to ffn_multiple"),
    [ARCH_FFN_MULTIPLE] = INT_SETTING("arch.ffn_multiple", PHASE_TRAINING, 1, 4096, "256", "",
                                      NULL, "the feed-forward width is a multiple of this"),
    [ARCH_MLP_T] = BOOL_SETTING("arch.mlp_t", PHASE_TRAINING, "false", NULL,
                                "a SwiGLU along the sequence replaces attention, as in "
                                "TRM; needs learned or no positions"),
    [ARCH_POS_ENCODINGS] = CHOICE_SETTING("arch.pos_encodings", PHASE_TRAINING, POSITIONS,
                                          "rope", "rope", NULL, "encoding of positions"),
    [ARCH_ROPE_THETA] = REAL_SETTING("arch.rope_theta", PHASE_TRAINING, 1, 1e9, "10000", "",
                                     no_rope, "base of the rotary angles"),
    [ARCH_RMS_NORM_EPS] = REAL_SETTING("arch.rms_norm_eps", PHASE_TRAINING, 1e-12, 0.1, "1e-05",
                                       "", NULL, "added to the mean square in the norm"),
    [ARCH_LOSS_TYPE] =
        CHOICE_SETTING("arch.loss_type", PHASE_TRAINING, LOSSES, "stablemax_cross_entropy",
                       "stablemax_cross_entropy", NULL, "token loss"),
    [ARCH_PUZZLE_EMB_NDIM] =
        INT_SETTING("arch.puzzle_emb_ndim", PHASE_TRAINING, 0, 65536, "128", "", no_ids,
                    "length of a puzzle's embedding; 0: none"),
    [ARCH_CONDITIONING] = CHOICE_SETTING(
        "arch.conditioning", PHASE_TRAINING, CONDITIONINGS, "puzzle_id", "puzzle_id",
        no_own_ids,
        "what identifies a row's puzzle to the model: its id; nothing (blank: id 0 for every "
        "row); its id in training and at evaluation that of another task (random_id); the "
        "demonstrations, in the sequence in front of the row's grid (context); both "
        "(context_and_id); or its id, and PAD in the place of the demonstrations (padded_id)"),
    [ARCH_RANDOM_ID_MAP] = CHOICE_SETTING(
        "arch.random_id_map", PHASE_TRAINING, RANDOM_ID_MAPS, "bijection", "shift",
        no_random_ids,
        "which other task's id a row has with random_id: by a random bijection without fixed "
        "points; or, as before there was this setting, by one shift for all ids"),
    [ARCH_PUZZLE_EMB_LEN] =
        INT_SETTING("arch.puzzle_emb_len", PHASE_TRAINING, 0, 256, "0", "positions",
                    no_puzzle_embedding, "prefix positions; 0: as many as ndim needs"),
    [ARCH_HALT_MAX_STEPS] =
        INT_SETTING("arch.halt_max_steps", PHASE_TRAINING, 1, 256, "4", "outer steps", NULL,
                    "most outer refinement steps in training"),
    [ARCH_ACT_ENABLED] = BOOL_SETTING(
        "arch.act_enabled", PHASE_TRAINING, "true", one_outer_step,
        "adaptive halting in training; off: always halt_max_steps, no q_continue loss"),
    [ARCH_HALT_EXPLORATION_PROB] =
        REAL_SETTING("arch.halt_exploration_prob", PHASE_TRAINING, 0, 1, "0.1", "", no_act,
                     "probability that a row must run a random minimum of steps"),
    [DATA_PATH] = TEXTS_SETTING(
        "data.path", PHASE_DATA, "builtin:arc-style", NULL,
        "builtin:arc-style, builtin:sudoku, builtin:maze, a folder or file of ARC tasks or a "
        "list of them, or a CSV of Sudoku or mazes"),
    [DATA_TRAIN_SETS] = TEXT_SETTING("data.train_sets", PHASE_DATA, "", not_arc,
                                     "comma-separated sets that are trained on; empty: all"),
    [DATA_TEST_SETS] =
        TEXT_SETTING("data.test_sets", PHASE_DATA, "", not_arc,
                     "comma-separated sets that are tested; empty: those called evaluation"),
    [DATA_CANVAS] =
        INT_SETTING("data.canvas", PHASE_TRAINING, 1, 30, "30", "cells", not_arc,
                    "side of the square on which grids are placed; larger tasks are left out"),
    [DATA_NUM_AUG] = INT_SETTING("data.num_aug", PHASE_TRAINING, 0, 10000, "0", "variants",
                                 NULL, "augmented variants per task besides the original"),
    [DATA_SUBSET] =
        CHOICE_SETTING("data.subset", PHASE_TRAINING, SUBSETS, "all", "all", not_arc,
                       "evaluation-only: train on the evaluation tasks' demonstrations alone"),
    [DATA_TASKS] = TEXT_SETTING(
        "data.tasks", PHASE_DATA, "", not_arc,
        "comma-separated names of the tasks to keep, or @FILE with one a line; empty: all"),
    [DATA_DUPLICATES] = CHOICE_SETTING(
        "data.duplicates", PHASE_DATA, DUPLICATES, "refuse", "refuse", not_arc,
        "of tasks of one name with different pairs, first or last: the one of the first or the "
        "last set is taken"),
    [DATA_TASK_SHARE] = REAL_SETTING(
        "data.task_share", PHASE_DATA, 0, 1, "1", "", not_arc,
        "share of the tasks outside the evaluation set that are trained on, drawn by "
        "data.generator_seed; 0: as data.subset = evaluation-only"),
    [DATA_PAIR_SHARE] = REAL_SETTING(
        "data.pair_share", PHASE_DATA, 0, 1, "1", "", not_arc,
        "share of each task's training pairs that is left, at least one, drawn likewise; the "
        "others stand in no context either"),
    [DATA_TEST_TASKS] =
        INT_SETTING("data.test_tasks", PHASE_DATA, 0, 1000000, "0", "tasks", not_arc,
                    "evaluation tasks that are left, drawn likewise; 0: all"),
    [DATA_DROP_LEAKED] = BOOL_SETTING(
        "data.drop_leaked", PHASE_DATA, "false", NULL,
        "do not train on copies of evaluation tasks under another name or augmented, nor on "
        "puzzles and mazes that are tested, too"),
    [DATA_TRANSLATION] = BOOL_SETTING("data.translation", PHASE_TRAINING, "true", not_arc,
                                      "training pairs are placed at random offsets"),
    [DATA_BATCH_ORDER] =
        TEXT_SETTING("data.batch_order", PHASE_DATA, "", NULL,
                     "a .npy file, such as data order writes, that prescribes the examples of "
                     "every batch; empty: drawn by train.seed"),
    [DATA_CONTEXT_PAIRS] = INT_SETTING(
        "data.context_pairs", PHASE_TRAINING, 0, 100, "3", "pairs", no_context,
        "demonstrations in front of a row's grid, each two canvases: the sequence is 2K + 1 "
        "times as long"),
    [DATA_GENERATOR_SEED] = INT_SETTING(
        "data.generator_seed", PHASE_DATA, 0, 2147483647, "0", "", NULL,
        "seed of the built-in puzzles, and of choices among puzzles of a CSV, tasks and pairs"),
    [DATA_TASKS_PER_FAMILY] =
        INT_SETTING("data.tasks_per_family", PHASE_DATA, 1, 1000, "1", "tasks", not_arc_style,
                    "built-in ARC-style tasks drawn per family"),
    [DATA_SUDOKU_SIDE] = INT_SETTING("data.sudoku_side", PHASE_DATA, 4, 9, "4", "cells",
                                     not_built_in_sudoku, "4, 6 or 9, of the built-in puzzles"),
    [DATA_SUDOKU_TRAIN] =
        INT_SETTING("data.sudoku_train", PHASE_DATA, 0, 10000000, "200", "puzzles", not_sudoku,
                    "puzzles trained on, chosen at random; 0: all of a CSV"),
    [DATA_SUDOKU_TEST] =
        INT_SETTING("data.sudoku_test", PHASE_DATA, 0, 10000000, "100", "puzzles", not_sudoku,
                    "puzzles tested on, chosen at random; 0: all of a CSV"),
    [DATA_SUDOKU_GIVENS] = INT_SETTING(
        "data.sudoku_givens", PHASE_DATA, 0, 80, "0", "cells", not_built_in_sudoku,
        "least cells that are given in a built-in puzzle; 0: as few as leave one solution"),
    [DATA_SUDOKU_MIN_BACKTRACKS] =
        INT_SETTING("data.sudoku_min_backtracks", PHASE_DATA, 0, 1000, "0", "",
                    not_built_in_sudoku, "smallest number of backtracks of a plain solver"),
    [DATA_SUDOKU_MAX_BACKTRACKS] = INT_SETTING(
        "data.sudoku_max_backtracks", PHASE_DATA, 0, 1000000, "0", "", not_built_in_sudoku,
        "largest number of backtracks of a plain solver; 0: any"),
    [DATA_MIN_DIFFICULTY] =
        INT_SETTING("data.min_difficulty", PHASE_DATA, 0, 1000000, "0", "", no_rating,
                    "least rating of the puzzles of a CSV, training and test alike"),
    [DATA_MAZE_SIDE] = INT_SETTING("data.maze_side", PHASE_DATA, 5, 30, "9", "cells",
                                   not_built_in_maze, "side of the built-in mazes"),
    [DATA_MAZE_MIN_PATH] =
        INT_SETTING("data.maze_min_path", PHASE_DATA, 1, 900, "8", "steps", not_built_in_maze,
                    "least length of the shortest path of a built-in maze"),
    [DATA_MAZE_OPEN] =
        REAL_SETTING("data.maze_open", PHASE_DATA, 0, 1, "0.1", "", not_built_in_maze,
                     "share of the walls between corridors that is removed; 0: no loops"),
    [DATA_MAZE_TRAIN] =
        INT_SETTING("data.maze_train", PHASE_DATA, 0, 10000000, "1000", "mazes", not_maze,
                    "mazes trained on, chosen at random; 0: all of a CSV"),
    [DATA_MAZE_TEST] =
        INT_SETTING("data.maze_test", PHASE_DATA, 0, 10000000, "200", "mazes", not_maze,
                    "mazes tested on, chosen at random; 0: all of a CSV"),
    [TRAIN_SEED] =
        INT_SETTING("train.seed", PHASE_TRAINING, 0, 9007199254740991, "0", "", NULL,
                    "seed of initial weights, batch order, offsets, exploration, augmentation"),
    [TRAIN_MODEL_SEED] = INT_OR_WORD_SETTING("train.model_seed", PHASE_TRAINING, 0,
                                             9007199254740991, "seed", SEED_OF_RUN, "", NULL,
                                             "seed of the initial weights; seed: train.seed"),
    [TRAIN_DATA_SEED] = INT_OR_WORD_SETTING(
        "train.data_seed", PHASE_TRAINING, 0, 9007199254740991, "seed", SEED_OF_RUN, "", NULL,
        "seed of batch order, offsets, exploration and augmentation; seed: train.seed"),
    [TRAIN_EPOCHS] =
        INT_SETTING("train.epochs", PHASE_TRAINING, 0, 100000000, "1000", "epochs", by_steps,
                    "visits of every group; 0: none, init_from's weights are "
                    "evaluated"),
    [TRAIN_MAX_STEPS] =
        INT_SETTING("train.max_steps", PHASE_TRAINING, 0, 1000000000, "0", "steps", NULL,
                    "training steps; 0: as many as the epochs give"),
    [TRAIN_EVAL_INTERVAL] =
        INT_SETTING("train.eval_interval", PHASE_TRAINING, 0, 100000000, "0", "epochs", NULL,
                    "epochs between interim evaluations; 0: evaluate only at the end"),
    [TRAIN_GLOBAL_BATCH_SIZE] = INT_SETTING("train.global_batch_size", PHASE_TRAINING, 1, 65536,
                                            "64", "rows", NULL, "rows of a training step"),
    [TRAIN_MICRO_BATCH] =
        INT_SETTING("train.micro_batch", PHASE_TRAINING, 0, 65536, "0", "rows", NULL,
                    "rows whose gradients are summed before the next rows of a step are begun; "
                    "divides global_batch_size; 0: all at once"),
    [TRAIN_GRADIENT_LANES] = INT_SETTING(
        "train.gradient_lanes", PHASE_TRAINING, 1, 1024, "1", "lanes", NULL,
        "parts of a batch whose gradients are summed apart, a power of two: as many "
        "threads can train at the same time, and any number gives the same bits"),
    [TRAIN_OPTIMIZER] =
        CHOICE_SETTING("train.optimizer", PHASE_TRAINING, OPTIMIZERS, "adam_atan2",
                       "adam_atan2", NULL, "adamw: decoupled decay, epsilon 1e-8"),
    [TRAIN_CLIP_NORM] =
        REAL_SETTING("train.clip_norm", PHASE_TRAINING, 0, 1e6, "0", "", NULL,
                     "largest norm of a step's gradient, the puzzle embedding's apart; 0: any"),
    [TRAIN_LR] = REAL_SETTING("train.lr", PHASE_TRAINING, 0, 10, "0.0001", "", NULL,
                              "learning rate of the optimizer"),
    [TRAIN_LR_MIN_RATIO] =
        REAL_SETTING("train.lr_min_ratio", PHASE_TRAINING, 0, 1, "1", "", NULL,
                     "the cosine schedule ends at this share of the rate; 1: constant"),
    [TRAIN_LR_WARMUP_STEPS] =
        INT_SETTING("train.lr_warmup_steps", PHASE_TRAINING, 0, 1000000000, "2000", "steps",
                    NULL, "steps over which the rate grows linearly"),
    [TRAIN_WEIGHT_DECAY] = REAL_SETTING("train.weight_decay", PHASE_TRAINING, 0, 100, "0.1", "",
                                        NULL, "decoupled weight decay of the optimizer"),
    [TRAIN_BETA1] = REAL_SETTING("train.beta1", PHASE_TRAINING, 0, 0.999999, "0.9", "", NULL,
                                 "decay of the first moment"),
    [TRAIN_BETA2] = REAL_SETTING("train.beta2", PHASE_TRAINING, 0, 0.999999, "0.95", "", NULL,
                                 "decay of the second moment"),
    [TRAIN_PUZZLE_EMB_LR] =
        REAL_SETTING("train.puzzle_emb_lr", PHASE_TRAINING, 0, 10, "0.01", "",
                     no_puzzle_embedding, "rate of the puzzle embedding's sign-SGD"),
    [TRAIN_PUZZLE_EMB_WEIGHT_DECAY] =
        REAL_SETTING("train.puzzle_emb_weight_decay", PHASE_TRAINING, 0, 100, "0.1", "",
                     no_puzzle_embedding, "its weight decay"),
    [TRAIN_FORWARD_DTYPE] = CHOICE_SETTING("train.forward_dtype", PHASE_TRAINING,
                                           FORWARD_DTYPES, "float32", "float32", NULL,
                                           "number format of the forward pass; bfloat16 as in "
                                           "the published runs, faster where the CPU "
                                           "has it"),
    [TRAIN_TARGET_Q_UPDATE_EVERY] =
        INT_SETTING("train.target_q_update_every", PHASE_TRAINING, 1, 1000000, "1", "steps",
                    no_target_q, "compute the target of q_continue every n-th step"),
    [TRAIN_CYCLE_SCHEDULE] = { .key = "train.cycle_schedule",
                               .type = SETTING_TEXT,
                               .stages = true,
                               .phase = PHASE_TRAINING,
                               .default_text = "",
                               .absent_means = "",
                               .unit = "",
                               .meaning =
                                   "list of {until: share of the training, H_cycles, "
                                   "L_cycles}: "
                                   "cycles of each part of the training; evaluations use "
                                   "arch.H_cycles and arch.L_cycles; empty: as those always" },
    [TRAIN_SUPERVISION] = CHOICE_SETTING(
        "train.supervision", PHASE_TRAINING, SUPERVISIONS, "every", "every", one_outer_step,
        "outer steps whose losses count: every; the last, at which a row halts; all by "
        "supervision_decay^(step - 1)"),
    [TRAIN_SUPERVISION_DECAY] = REAL_SETTING(
        "train.supervision_decay", PHASE_TRAINING, 0, 1, "0.5", "", no_supervision_decay,
        "weight of an outer step's losses over the step before"),
    [TRAIN_EMA_RATE] = REAL_SETTING(
        "train.ema_rate", PHASE_TRAINING, 0, 0.999999, "0", "", NULL,
        "rate of a running average of the weights, which evaluations use (TRM: 0.999; "
        "eval.weights); 0: none"),
    [TRAIN_INIT_FROM] = { .key = "train.init_from",
                          .type = SETTING_TEXT,
                          .weights = true,
                          .phase = PHASE_TRAINING,
                          .default_text = "",
                          .absent_means = "",
                          .unit = "",
                          .meaning =
                              "weights that the training begins with: a safetensors file, "
                              "or an object of settings: those of the run that is "
                              "this one with these settings and without init_from, of the "
                              "same seed, which is trained first; empty: drawn by the seed" },
    [TRAIN_PUZZLE_ROWS] = CHOICE_SETTING(
        "train.puzzle_rows", PHASE_TRAINING, PUZZLE_ROWS, "zero", "zero", no_new_rows,
        "puzzle embeddings of ids that init_from's weights do not have: their rows' mean; "
        "zero; normal: drawn with the root mean square of their rows"),
    [TRAIN_FREEZE] = CHOICE_SETTING(
        "train.freeze", PHASE_TRAINING, FREEZES, "none", "none", no_init_from,
        "what is not trained: the trunk (all but the puzzle embedding), the puzzle "
        "embedding, or the trunk over the first freeze_share of the steps"),
    [TRAIN_FREEZE_SHARE] =
        REAL_SETTING("train.freeze_share", PHASE_TRAINING, 0, 1, "0.1", "", no_freeze_share,
                     "share of the training steps over which trunk_first does not train the "
                     "trunk"),
    [TRAIN_FROZEN_STEPS] = CHOICE_SETTING(
        "train.frozen_steps", PHASE_TRAINING, FROZEN_STEPS, "skipped", "counted",
        no_freeze_share,
        "the optimizer's bias correction of a trunk that rests first: skipped: of its own "
        "steps "
        "alone, as in PyTorch; or, as before there was this setting, of all steps"),
    [TRAIN_UNTRAINED_SHARE] = REAL_SETTING(
        "train.untrained_share", PHASE_TRAINING, 0, 1, "0.01", "", no_training,
        "limit of the cost of each evaluation of the untrained model, as a share of "
        "the training's FLOPs: if all test inputs cost more, a seeded sample is used "
        "(at least 1 TFLOP, at most 30); 0: none"),
    [EVAL_HALT_MAX_STEPS] =
        INT_SETTING("eval.halt_max_steps", PHASE_EVALUATION, 0, 1024, "0", "outer steps", NULL,
                    "outer steps at inference; 0: as trained"),
    [EVAL_AUGMENTATIONS] = INT_OR_WORD_SETTING(
        "eval.augmentations", PHASE_EVALUATION, 1, 1000000, "all", 0, "predictions", NULL,
        "predictions voted over per test, the original's among them"),
    [EVAL_ACT_INFERENCE] =
        BOOL_SETTING("eval.act_inference", PHASE_EVALUATION, "false", NULL,
                     "a row stops when the system's halting test says so (trm: q_halt > 0, "
                     "others: q_halt > q_continue)"),
    [EVAL_SEED] = INT_SETTING("eval.seed", PHASE_EVALUATION, 0, 9007199254740991, "0", "", NULL,
                              "draws which augmentations vote"),
    [EVAL_SPLIT] = CHOICE_SETTING("eval.split", PHASE_EVALUATION, SPLITS, "test", "test", NULL,
                                  "train: evaluate on the pairs trained on"),
    [EVAL_TRAJECTORY] =
        BOOL_SETTING("eval.trajectory", PHASE_EVALUATION, "false", NULL,
                     "also record what each outer step changes: answers, q_halt and the "
                     "forward residuals of zH and zL (`hrmlab results --trajectory`)"),
    [EVAL_HALT_RULE] = CHOICE_SETTING(
        "eval.halt_rule", PHASE_EVALUATION, HALT_RULES, "max", "max", NULL,
        "where a row's answer is taken, at eval.halt_max_steps at the latest: max: there; q: "
        "at "
        "q_halt > q_continue; q_positive: at q_halt > 0; stable: where the answer has not "
        "changed "
        "for eval.halt_patience steps; residual: where z_H changes by less than "
        "eval.halt_epsilon. With eval.act_inference rows leave the batch there (max: by the "
        "system's own test), else all come from one pass"),
    [EVAL_HALT_PATIENCE] =
        INT_SETTING("eval.halt_patience", PHASE_EVALUATION, 1, 1024, "1", "outer steps",
                    no_patience, "steps over which a stable answer must not have changed"),
    [EVAL_HALT_EPSILON] =
        REAL_SETTING("eval.halt_epsilon", PHASE_EVALUATION, 0, 1000, "0.01", "", no_epsilon,
                     "norm of the change of z_H over its norm, below which a row halts"),
    [EVAL_PUZZLE_ID] = CHOICE_SETTING(
        "eval.puzzle_id", PHASE_EVALUATION, PUZZLE_IDS, "own", "own", NULL,
        "puzzle embedding at inference: the row's own; the blank one; that of another task, by "
        "a shift that eval.seed draws; the mean of all that were trained"),
    [EVAL_POOL_CHECKPOINTS] = { .key = "eval.pool_checkpoints",
                                .type = SETTING_INT_OR_WORD,
                                .phase = PHASE_EVALUATION,
                                .minimum = 1,
                                .maximum = 10000,
                                .default_text = "1",
                                .absent_means = "1",
                                .word = "all",
                                .word_value = 0,
                                .unit = "evaluations",
                                .meaning =
                                    "votes are counted together over so many of the training's "
                                    "last evaluations (train.eval_interval), this one among "
                                    "them; 1: its own alone; the published evaluators pool "
                                    "all" },
    [EVAL_ROLLOUTS] =
        INT_SETTING("eval.rollouts", PHASE_EVALUATION, 1, 1000, "1", "passes", NULL,
                    "passes over every row, each from initial states with noise of its own"),
    [EVAL_INIT_NOISE] = REAL_SETTING(
        "eval.init_noise", PHASE_EVALUATION, 0, 100, "0", "", NULL,
        "standard deviation of the noise on each number of the initial z_H and z_L, over the "
        "root mean square of their initial vectors; drawn by eval.seed"),
    [EVAL_CHOOSE] = CHOICE_SETTING(
        "eval.choose", PHASE_EVALUATION, CHOICES, "vote", "vote", one_rollout,
        "which rollouts of a row vote: vote: all; q: that of the largest q_halt; first_halt: "
        "that which halts after the fewest steps"),
    [EVAL_WEIGHTS] =
        CHOICE_SETTING("eval.weights", PHASE_EVALUATION, WEIGHTS, "ema", "ema", NULL,
                       "weights that are evaluated: ema: their running average, where "
                       "train.ema_rate makes one; raw: those that the optimizer updates"),
    [RESOURCES_THREADS] =
        INT_SETTING("resources.threads", PHASE_EXECUTION, 1, 1024, "1", "cores", NULL,
                    "threads of one worker, a core each; in training at most four for each of "
                    "train.gradient_lanes work, and best no more than one"),
    [RESOURCES_RANKS] =
        INT_SETTING("resources.ranks", PHASE_EXECUTION, 1, 1024, "1", "processes", NULL,
                    "processes (ranks of MPI) that share one worker's rows, each with "
                    "resources.threads; a power of two, at most train.gradient_lanes"),
    [RESOURCES_MEMORY_GB] =
        REAL_SETTING("resources.memory_gb", PHASE_EXECUTION, 0, 1e6, "0", "GiB", NULL,
                     "address space limit of one worker, or of each of its ranks; 0: none"),
    [RESOURCES_TIME_LIMIT_MIN] =
        REAL_SETTING("resources.time_limit_min", PHASE_EXECUTION, 0, 1e7, "0", "minutes", NULL,
                     "time limit of one attempt; 0: none"),
    [RESOURCES_HANG_S] =
        REAL_SETTING("resources.hang_s", PHASE_EXECUTION, 1, 1e6, "300", "seconds", NULL,
                     "a worker without any progress for this long is hung; its job is retried"),
    [RETRIES_MAX] = INT_SETTING("retries.max", PHASE_EXECUTION, 0, 1000, "2", "attempts", NULL,
                                "new attempts after a failure that may be temporary"),
    [RETRIES_DELAY_S] =
        REAL_SETTING("retries.delay", PHASE_EXECUTION, 0, 3600, "2", "seconds", NULL,
                     "wait before the first new attempt; doubles up to 300 s"),
    [CHECKPOINT_INTERVAL_S] =
        REAL_SETTING("train.checkpoint_interval", PHASE_EXECUTION, 0.01, 1e6, "30", "seconds",
                     NULL, "time between checkpoints"),
    [EVAL_KEEP_PREDICTIONS] = CHOICE_SETTING(
        "eval.keep_predictions", PHASE_EXECUTION, KEEPS, "auto", "auto", NULL,
        "whether an evaluation keeps each row's answer after each outer step in a file, for "
        "hrmlab revote and pools asked for later: auto: where they take at most 16 MiB"),
    [EVAL_ANSWERS] = CHOICE_SETTING(
        "eval.answers", PHASE_EXECUTION, ANSWERS, "inferred", "inferred", NULL,
        "where the answers of a job that evaluates a trained model come from: kept: from an "
        "earlier evaluation's files, without inference, as hrmlab revote sets it"),
    [SLURM_PARTITION] = TEXT_SETTING("slurm.partition", PHASE_EXECUTION, "", NULL,
                                     "partition of a Slurm job; empty: the site's default"),
    [SLURM_ACCOUNT] = TEXT_SETTING("slurm.account", PHASE_EXECUTION, "", NULL,
                                   "account that a Slurm job is charged to"),
    [SLURM_QOS] = TEXT_SETTING("slurm.qos", PHASE_EXECUTION, "", NULL,
                               "quality of service of a Slurm job"),
    [SLURM_TIMEOUT_MIN] = INT_SETTING(
        "slurm.timeout_min", PHASE_EXECUTION, 0, 1000000, "0", "minutes", NULL,
        "time limit of one Slurm job; a longer run goes on in the next; 0: the site's default"),
    [SLURM_CPUS_PER_TASK] =
        INT_SETTING("slurm.cpus_per_task", PHASE_EXECUTION, 0, 1024, "0", "cores", NULL,
                    "cores of a Slurm job; 0: resources.threads"),
    [SLURM_MEM_GB] = REAL_SETTING("slurm.mem_gb", PHASE_EXECUTION, 0, 1e6, "0", "GiB", NULL,
                                  "memory of a Slurm job; 0: the site's default"),
    [SLURM_CONSTRAINT] = TEXT_SETTING("slurm.constraint", PHASE_EXECUTION, "", NULL,
                                      "features that the node of a Slurm job must have"),
    [SLURM_SIGNAL_DELAY_S] = INT_SETTING(
        "slurm.signal_delay_s", PHASE_EXECUTION, 1, 65535, "90", "seconds", NULL,
        "how long before a Slurm job's time limit its worker is asked to write a checkpoint"),
    [SLURM_ARRAY_PARALLELISM] =
        INT_SETTING("slurm.array_parallelism", PHASE_EXECUTION, 0, 1000000, "0", "jobs", NULL,
                    "jobs of a Slurm array that may run at the same time; 0: no limit"),
    [SLURM_RUNS_PER_JOB] = INT_SETTING(
        "slurm.runs_per_job", PHASE_EXECUTION, 1, 100000, "1", "runs", NULL,
        "runs that a Slurm job works through, one after the other, while its time lasts"),
    [SLURM_SETUP] = TEXTS_SETTING("slurm.setup", PHASE_EXECUTION, "", NULL,
                                  "shell lines of a Slurm job before its worker, or a list"),
    [SLURM_ADDITIONAL_PARAMETERS] = TEXTS_SETTING(
        "slurm.additional_parameters", PHASE_EXECUTION, "", NULL,
        "further options of sbatch, NAME=VALUE or as on its command line, or a list"),
};

int64_t config_int(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_INT ||
           settings_table[id].type == SETTING_INT_OR_WORD);
    return config->values[id].integer;
}

double config_real(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_REAL);
    return config->values[id].real;
}

bool config_bool(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_BOOL);
    return config->values[id].integer != 0;
}

const char *config_text(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_TEXT);
    return config->values[id].text != NULL ? config->values[id].text : "";
}

const char *config_choice(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_CHOICE);
    return settings_table[id].choices[config->values[id].integer];
}

bool config_active(const struct config *config, int id)
{
    return settings_table[id].inactive == NULL || !settings_table[id].inactive(config);
}

enum conditioning config_conditioning(const struct config *config)
{
    if (!config_active(config, ARCH_CONDITIONING))
        return CONDITIONING_PUZZLE_ID;
    return (enum conditioning)config->values[ARCH_CONDITIONING].integer;
}

bool config_trains(const struct config *config)
{
    return config_int(config, TRAIN_MAX_STEPS) > 0 || config_int(config, TRAIN_EPOCHS) > 0;
}

int config_puzzle_ndim(const struct config *config)
{
    return config_active(config, ARCH_PUZZLE_EMB_NDIM)
               ? (int)config_int(config, ARCH_PUZZLE_EMB_NDIM)
               : 0;
}

enum system_id config_system_id(const struct config *config)
{
    enum system_id named = (enum system_id)config->values[ARCH_NAME].integer;
    const struct system_facts *facts = system_facts(named);

    return facts->shares && config_bool(config, ARCH_SHARE_LEVELS) ? facts->shared : named;
}

const struct system_facts *config_system(const struct config *config)
{
    return system_facts(config_system_id(config));
}
