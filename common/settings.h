/*
 * settings.h - the one table that names every setting, and a configuration's values.
 *
 * Validation, "did you mean", parsing, canonical form, JSON Schema, `hrmlab axes` and
 * the reference page all come from settings_table[]. Keys are HRM's own.
 */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "system_facts.h"

enum setting_type {
    SETTING_INT,
    SETTING_REAL,
    SETTING_BOOL,
    SETTING_CHOICE, /* one of a list of words; stored as its index */
    SETTING_TEXT,   /* at most SETTING_TEXT_SIZE - 1 bytes */
    /* an integer, or the setting's word, stored as its word_value */
    SETTING_INT_OR_WORD
};

enum setting_phase {
    PHASE_TRAINING, /* part of a run's identity, unless inactive */
    /* selects the data; the hash of the data's content is part of a run's identity */
    PHASE_DATA,
    PHASE_EVALUATION, /* varies without a new training */
    PHASE_EXECUTION   /* how and where a job is executed: never part of an identity */
};

/* Bytes of a text and of a list of texts, the NUL included. */
enum { SETTING_TEXT_SIZE = 1024, SETTING_LIST_SIZE = 16384 };
/* arch.gradient_horizon as its word stores it. */
enum { HORIZON_PUBLISHED = -1 };
/* train.model_seed and train.data_seed likewise: train.seed. */
enum { SEED_OF_RUN = -1 };

/* In settings_table[]'s order. */
enum setting_id {
    ARCH_NAME,  /* arch.name: one of system_names[], stored as enum system_id */
    ARCH_MATCH, /* arch.match: none | params | flops (transformer only; see below) */
    ARCH_HIDDEN_SIZE,
    ARCH_NUM_HEADS,
    ARCH_H_LAYERS,
    ARCH_L_LAYERS,
    ARCH_H_CYCLES, /* default: as the system is published (system_facts.h) */
    ARCH_L_CYCLES,
    ARCH_SHARE_LEVELS,     /* hrm: one stack for both levels */
    ARCH_GRADIENT_HORIZON, /* module calls; 0: all; -1: "published" */
    ARCH_EXPANSION,
    ARCH_FFN_MULTIPLE,
    ARCH_MLP_T,
    ARCH_POS_ENCODINGS, /* rope | learned | none */
    ARCH_ROPE_THETA,
    ARCH_RMS_NORM_EPS,
    ARCH_LOSS_TYPE, /* stablemax_cross_entropy | softmax_cross_entropy */
    ARCH_PUZZLE_EMB_NDIM,
    ARCH_CONDITIONING,   /* one of enum conditioning */
    ARCH_RANDOM_ID_MAP,  /* bijection | shift */
    ARCH_PUZZLE_EMB_LEN, /* 0: ceil(ndim / hidden) */
    ARCH_HALT_MAX_STEPS,
    ARCH_ACT_ENABLED,
    ARCH_HALT_EXPLORATION_PROB,
    /* builtin:arc-style, builtin:sudoku, builtin:maze; or a directory or file */
    DATA_PATH,
    DATA_TRAIN_SETS,
    DATA_TEST_SETS,
    DATA_CANVAS,         /* ARC canvas side */
    DATA_NUM_AUG,        /* variants besides the original */
    DATA_SUBSET,         /* all | evaluation-only */
    DATA_TASKS,          /* comma-separated task names to keep; empty: all */
    DATA_DUPLICATES,     /* refuse | first | last, of tasks of one name that differ */
    DATA_TASK_SHARE,     /* of the tasks outside the evaluation set */
    DATA_PAIR_SHARE,     /* of each task's training pairs */
    DATA_TEST_TASKS,     /* evaluation tasks; 0: all */
    DATA_DROP_LEAKED,    /* copies of evaluation tasks are not trained on */
    DATA_TRANSLATION,    /* random offsets of training pairs */
    DATA_BATCH_ORDER,    /* a file that prescribes the batches; empty: drawn */
    DATA_CONTEXT_PAIRS,  /* demonstrations in front of a row's grid */
    DATA_GENERATOR_SEED, /* built-in data only */
    /* built-in ARC-style: evaluation + training tasks per family */
    DATA_TASKS_PER_FAMILY,
    DATA_SUDOKU_SIDE,  /* 4 | 6 | 9 */
    DATA_SUDOKU_TRAIN, /* puzzles trained on */
    DATA_SUDOKU_TEST,
    DATA_SUDOKU_GIVENS,         /* least cells that are given; 0: no bound */
    DATA_SUDOKU_MIN_BACKTRACKS, /* difficulty: least backtracks of the plain solver */
    DATA_SUDOKU_MAX_BACKTRACKS, /* and most; 0: no bound */
    DATA_MIN_DIFFICULTY,
    DATA_MAZE_SIDE,
    DATA_MAZE_MIN_PATH, /* least steps of the shortest path */
    DATA_MAZE_OPEN,     /* share of the inner walls that is taken away */
    DATA_MAZE_TRAIN,    /* mazes trained on */
    DATA_MAZE_TEST,
    TRAIN_SEED,
    TRAIN_MODEL_SEED, /* of the weights; -1: train.seed */
    TRAIN_DATA_SEED,  /* of data and exploration; -1: train.seed */
    TRAIN_EPOCHS,
    TRAIN_MAX_STEPS,     /* 0: the number of epochs decides */
    TRAIN_EVAL_INTERVAL, /* epochs; 0: only at the end */
    TRAIN_GLOBAL_BATCH_SIZE,
    TRAIN_MICRO_BATCH, /* 0: the whole batch */
    TRAIN_GRADIENT_LANES,
    TRAIN_OPTIMIZER, /* adam_atan2 | adamw, as enum engine_optimizer */
    TRAIN_CLIP_NORM, /* 0: none */
    TRAIN_LR,
    TRAIN_LR_MIN_RATIO,
    TRAIN_LR_WARMUP_STEPS,
    TRAIN_WEIGHT_DECAY,
    TRAIN_BETA1,
    TRAIN_BETA2,
    TRAIN_PUZZLE_EMB_LR,
    TRAIN_PUZZLE_EMB_WEIGHT_DECAY,
    TRAIN_FORWARD_DTYPE,
    TRAIN_TARGET_Q_UPDATE_EVERY,
    TRAIN_CYCLE_SCHEDULE, /* JSON list of stages (cycle_schedule.h) as text; "": none */
    TRAIN_SUPERVISION,    /* every | last | decay, as enum engine_supervision */
    TRAIN_SUPERVISION_DECAY,
    TRAIN_EMA_RATE,
    /* "": the seed's; "run:HASH", "sha256:HASH" of a file; in a spec also an object of
     * settings, as JSON text */
    TRAIN_INIT_FROM,
    TRAIN_PUZZLE_ROWS, /* mean | zero | normal, as enum puzzle_rows */
    TRAIN_FREEZE,      /* none | trunk | puzzle | trunk_first */
    TRAIN_FREEZE_SHARE,
    TRAIN_FROZEN_STEPS,    /* counted | skipped */
    TRAIN_UNTRAINED_SHARE, /* of the training's FLOPs, for the untrained evaluation */
    EVAL_HALT_MAX_STEPS,   /* 0: as trained */
    /* predictions per test input that are voted on, the original among them; or all */
    EVAL_AUGMENTATIONS,
    EVAL_ACT_INFERENCE,
    EVAL_SEED,       /* seed of the subsample of augmentations */
    EVAL_SPLIT,      /* test | train: train = the demonstration pairs as trained on */
    EVAL_TRAJECTORY, /* record every outer step's answers and residuals */
    EVAL_HALT_RULE,  /* max | q | q_positive | stable | residual */
    EVAL_HALT_PATIENCE,
    EVAL_HALT_EPSILON,
    EVAL_PUZZLE_ID, /* own | blank | random | mean */
    /* evaluations of the training whose votes are counted together; 0: all */
    EVAL_POOL_CHECKPOINTS,
    EVAL_ROLLOUTS,   /* passes from noisy initial states */
    EVAL_INIT_NOISE, /* of the norm of a state's initial vector */
    EVAL_CHOOSE,     /* vote | q | first_halt, as enum rollout_choice */
    EVAL_WEIGHTS,    /* ema | raw, see config_raw_weights() */
    RESOURCES_THREADS,
    RESOURCES_RANKS,
    RESOURCES_MEMORY_GB,      /* 0: no limit */
    RESOURCES_TIME_LIMIT_MIN, /* 0: none */
    RESOURCES_HANG_S,         /* s without a heartbeat: a worker is hung */
    RETRIES_MAX,
    RETRIES_DELAY_S,       /* retries.delay: before the first retry; then doubles */
    CHECKPOINT_INTERVAL_S, /* train.checkpoint_interval: seconds between checkpoints */
    EVAL_KEEP_PREDICTIONS, /* auto | always | never */
    EVAL_ANSWERS,          /* inferred | kept */
    /* what a job asks of Slurm; empty or 0: nothing, the site's default holds */
    SLURM_PARTITION,
    SLURM_ACCOUNT,
    SLURM_QOS,
    SLURM_TIMEOUT_MIN,
    SLURM_CPUS_PER_TASK, /* 0: resources.threads */
    SLURM_MEM_GB,
    SLURM_CONSTRAINT,
    SLURM_SIGNAL_DELAY_S,
    SLURM_ARRAY_PARALLELISM,     /* 0: no limit */
    SLURM_RUNS_PER_JOB,          /* attempts that a job works through, at least 1 */
    SLURM_SETUP,                 /* lines of the script before the worker */
    SLURM_ADDITIONAL_PARAMETERS, /* further options of sbatch, NAME or NAME=VALUE */
    SETTING_COUNT
};

/* arch.conditioning: what tells the model which puzzle a row is of. From the context
 * on, rows have a context. */
enum conditioning {
    CONDITIONING_PUZZLE_ID,
    CONDITIONING_BLANK,
    CONDITIONING_RANDOM_ID,
    CONDITIONING_CONTEXT,
    CONDITIONING_CONTEXT_AND_ID,
    CONDITIONING_PADDED_ID
};

struct config;

struct setting {
    const char *key;
    enum setting_type type;
    enum setting_phase phase;
    double minimum, maximum; /* for INT, REAL, INT_OR_WORD */
    /* the value when a spec does not name the setting, as JSON or as a bare word */
    const char *default_text;
    /* the value that a canonical form without the setting stands for; never changes */
    const char *absent_means;
    const char *const *choices; /* NULL-terminated, for SETTING_CHOICE */
    bool stages;                /* a TEXT: JSON list of stages (cycle_schedule.h) */
    bool weights;               /* a TEXT: weights to begin with (init_from.h) */
    const char *word;           /* of INT_OR_WORD: "all", "published" */
    int64_t word_value;
    const char *unit; /* "steps", "epochs", ...; "" when none */
    /* Whether the setting has no effect, given the other values. NULL: it always has
     * one. */
    bool (*inactive)(const struct config *config);
    const char *meaning; /* one line */
    /* A TEXT that may be a list of texts in JSON too. A list of one is that one; a
     * longer one is kept, stored and compared as the text of its JSON. */
    bool several;
};

extern const struct setting settings_table[SETTING_COUNT];

union setting_value {
    int64_t integer; /* INT, INT_OR_WORD, CHOICE (index), BOOL (0, 1) */
    double real;
    char *text; /* owned by the config; never NULL for a TEXT setting */
};

/* A value for every setting. It owns its texts: initialise or copy it, and release
 * it. */
struct config {
    union setting_value values[SETTING_COUNT];
    /* set by a spec, a job or --set: arch.H_cycles has another default in each
     * system */
    bool given[SETTING_COUNT];
};

/* Every setting at its default. */
int config_init(struct config *config, struct error *err) MUST_CHECK;
/* Every absent_means: the start for reading a canonical form. */
int config_init_absent(struct config *config, struct error *err) MUST_CHECK;
int config_copy(struct config *out, const struct config *from, struct error *err) MUST_CHECK;
/* Also of a zeroed config. */
void config_release(struct config *config);

int64_t config_int(const struct config *config, enum setting_id id);
double config_real(const struct config *config, enum setting_id id);
bool config_bool(const struct config *config, enum setting_id id);
const char *config_text(const struct config *config, enum setting_id id);
/* The word of a CHOICE. */
const char *config_choice(const struct config *config, enum setting_id id);

/* The system that arch.name names, its facts, and the sizes of its modules and
 * cycles. */
enum system_id config_system_id(const struct config *config);
const struct system_facts *config_system(const struct config *config);
struct system_sizes config_system_sizes(const struct config *config);
/* The seeds of initial weights, and of data and exploration. */
uint64_t config_model_seed(const struct config *config);
uint64_t config_data_seed(const struct config *config);
/* That of the model, where arch.conditioning is active; else by puzzle ids, as far
 * as it has any. */
enum conditioning config_conditioning(const struct config *config);
/* Length of a puzzle's embedding; 0: none, also where rows have their context alone. */
int config_puzzle_ndim(const struct config *config);
/* K: pairs of canvases in front of a row's grid; 0: none. */
int config_context_pairs(const struct config *config);
/* Whether there are training steps: without any, the weights of init_from are
 * evaluated. */
bool config_trains(const struct config *config);
/* Whether an evaluation uses the weights themselves and not their averages. */
bool config_raw_weights(const struct config *config);
/* Cores that a job takes: threads of each of its ranks. */
int config_cores(const struct config *config);
/* Whether every row has the blank puzzle id. */
bool config_blank_ids(const struct config *config);
/* Rows of the puzzle embedding for data of so many ids: 1 where all rows are blank. */
int config_puzzle_ids(const struct config *config, int ids);

/* -1 when unknown. */
int setting_find(const char *key);
/* A setting's value as people write it: "true" or "false" where the database has 1 or 0
 * of a switch; every other value as it is. value NULL: NULL. */
const char *setting_word(const char *key, const char *value);
/* The setting whose name key is but for words left out ("batch_size"), or to which
 * other programs give that name ("learning_rate"); NULL: none. */
const char *setting_meant(const char *key);
/* The same, or the key that is spelled most alike; NULL: none is near. */
const char *setting_nearest(const char *key);

/* Sets one value from JSON and checks its type and bounds. The message begins with
 * where ("spec.json: grid") and names the key, the value given and the values
 * allowed. */
int config_set_json(struct config *config, int id, const cJSON *value, const char *where,
                    struct error *err) MUST_CHECK;
/* The same from the text of --set key=value: JSON, or a bare word for settings of text
 * and choices. Where several places are allowed, "A,B" is a list, unless there is a
 * file of that name. Any other text is an error, as a value of the wrong type is. */
int config_set_text(struct config *config, const char *key, const char *text, const char *where,
                    struct error *err) MUST_CHECK;
/* One value as fresh JSON (an INT_OR_WORD's word as text), NULL when out of memory. */
cJSON *config_get_json(const struct config *config, int id);
/* The texts of a setting that may have several, one or more, as a fresh list; NULL when
 * out of memory. */
cJSON *config_get_texts(const struct config *config, enum setting_id id);

/*
 * Resolves and checks a whole configuration: a transformer with arch.match = params
 * gets H_layers + L_layers layers (its parameters are then HRM's) and match = none;
 * with arch.match = flops as many H_cycles as well as HRM's layer passes per outer step
 * need. A gradient horizon that is the published one, or all calls, is called so.
 * Inactive settings get their absent_means; contradictions are ERROR_FORMAT (odd head
 * size with RoPE, heads that do not divide hidden_size, puzzle_emb_len too short for
 * ndim, mlp_t with RoPE, ...). Idempotent. where opens the message.
 */
int config_resolve(struct config *config, const char *where, struct error *err) MUST_CHECK;
bool config_active(const struct config *config, int id);
/* The one setting whose value makes id inactive: with another value id would be active.
 * -1: id is active, or more than one setting would have to change. */
int config_inactive_because(const struct config *config, int id);
/* Whether the setting is active and not what its absence means. */
bool config_differs(const struct config *config, int id);

/*
 * The canonical form of the settings of one phase: an object with only active settings
 * that differ from absent_means (json_canonical text; fresh string). For PHASE_TRAINING
 * it is what a run's hash is taken of.
 */
char *config_canonical(const struct config *config, enum setting_phase phase,
                       struct error *err);
/* All settings of all phases that differ from absent_means, as a fresh object: for
 * job.json. */
cJSON *config_to_json(const struct config *config);
/* Whether the setting names a place of data, absolute in a spec that has been read. */
bool setting_is_place(int id);
/* How and where a job is executed, which is no part of a run's identity: the settings
 * of PHASE_EXECUTION and the places of data. */
bool setting_is_of_job(int id);
/* Those that differ from absent_means, as a fresh object; NULL when out of memory. */
cJSON *config_job_settings(const struct config *config);
/* Puts settings, such an object, in the place of those that config, a config_to_json()
 * object, holds. */
int config_replace_job_settings(cJSON *config, const cJSON *settings,
                                struct error *err) MUST_CHECK;
/* The reverse: absent_means for what is not there. Unknown keys are ERROR_FORMAT. */
int config_from_json(struct config *config, const cJSON *object, const char *where,
                     struct error *err) MUST_CHECK;

/* Numeric version of the engine: raised when a change alters the numbers of a run. Part
 * of every run's identity. */
#define ENGINE_NUMERIC_VERSION "6"

/* SHA-256 hex over canonical training form, '\n', data hash, '\n',
 * ENGINE_NUMERIC_VERSION. */
int config_run_hash(char hex[65], const struct config *config, const char *data_hash,
                    struct error *err) MUST_CHECK;
/* The same of the canonical text itself. */
void config_hash_canonical(char hex[65], const char *canonical, const char *data_hash);
/* The same as an engine of another numeric version had it. */
int config_run_hash_of(char hex[65], const struct config *config, const char *data_hash,
                       const char *numeric_version, struct error *err) MUST_CHECK;

#endif
