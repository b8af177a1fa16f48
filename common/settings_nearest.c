/*
 * settings_nearest.c - which setting an unknown key means: a name with words left out,
 * the name that other programs and papers use, or a slip of the pen.
 */
#include "settings.h"

#include "json.h"

#include <string.h>
#include <strings.h>

/* How a key leaves out words of a setting's name, case aside. */
enum words_left {
    NOT_THE_NAME,
    SOME_WORDS, /* "train.steps" or "steps" for "train.max_steps" */
    WHOLE_NAME, /* the group at most is missing: "lr" for "train.lr" */
};

static enum words_left words_of_name(const char *setting, const char *key)
{
    const char *name = strchr(setting, '.') + 1;
    size_t group = (size_t)(name - setting), whole = strlen(name);

    if (strncasecmp(key, setting, group) == 0)
        key += group;
    size_t length = strlen(key);
    if (length == 0 || length > whole)
        return NOT_THE_NAME;
    if (length == whole)
        return strcasecmp(name, key) == 0 ? WHOLE_NAME : NOT_THE_NAME;
    bool begins = strncasecmp(name, key, length) == 0 && name[length] == '_';
    bool ends = strcasecmp(name + whole - length, key) == 0 && name[whole - length - 1] == '_';
    return begins || ends ? SOME_WORDS : NOT_THE_NAME;
}

/* Names of PyTorch, its trainers, and the papers, without their group, for settings
 * whose own names are too far from them. */
static const struct {
    const char *name;
    enum setting_id id;
} OTHER_NAMES[] = {
    { "learning_rate", TRAIN_LR },
    { "min_lr", TRAIN_LR_MIN_RATIO },
    { "warmup", TRAIN_LR_WARMUP_STEPS },
    { "warmup_steps", TRAIN_LR_WARMUP_STEPS },
    { "num_warmup_steps", TRAIN_LR_WARMUP_STEPS },
    { "wd", TRAIN_WEIGHT_DECAY },
    { "betas", TRAIN_BETA1 },
    { "optim", TRAIN_OPTIMIZER },
    { "grad_clip", TRAIN_CLIP_NORM },
    { "gradient_clipping", TRAIN_CLIP_NORM },
    { "max_grad_norm", TRAIN_CLIP_NORM },
    { "batchsize", TRAIN_GLOBAL_BATCH_SIZE },
    { "bs", TRAIN_GLOBAL_BATCH_SIZE },
    { "micro_batch_size", TRAIN_MICRO_BATCH },
    { "iterations", TRAIN_MAX_STEPS },
    { "num_steps", TRAIN_MAX_STEPS },
    { "precision", TRAIN_FORWARD_DTYPE },
    { "ema_decay", TRAIN_EMA_RATE },
    { "freeze_weights", TRAIN_FREEZE },
    { "num_augmentations", DATA_NUM_AUG },
    { "d_model", ARCH_HIDDEN_SIZE },
    { "embed_dim", ARCH_HIDDEN_SIZE },
    { "n_embd", ARCH_HIDDEN_SIZE },
    { "width", ARCH_HIDDEN_SIZE },
    { "nhead", ARCH_NUM_HEADS },
    { "depth", ARCH_H_LAYERS },
    { "d_ff", ARCH_EXPANSION },
    { "dim_feedforward", ARCH_EXPANSION },
    { "mlp_ratio", ARCH_EXPANSION },
    { "rope_base", ARCH_ROPE_THETA },
    { "n_sup", ARCH_HALT_MAX_STEPS },
    { "outer_steps", ARCH_HALT_MAX_STEPS },
    { "eval_save_outputs", EVAL_KEEP_PREDICTIONS },
};

static const char *setting_of_other_name(const char *key)
{
    const char *dot = strrchr(key, '.'), *name = dot != NULL ? dot + 1 : key;

    for (size_t i = 0; i < sizeof OTHER_NAMES / sizeof *OTHER_NAMES; i++)
        if (strcasecmp(OTHER_NAMES[i].name, name) == 0)
            return settings_table[OTHER_NAMES[i].id].key;
    return NULL;
}

const char *setting_meant(const char *key)
{
    const char *meant = setting_of_other_name(key);

    for (int words = WHOLE_NAME; words > NOT_THE_NAME && meant == NULL; words--)
        for (int i = 0; i < SETTING_COUNT && meant == NULL; i++)
            if ((int)words_of_name(settings_table[i].key, key) == words)
                meant = settings_table[i].key;
    return meant;
}

const char *setting_nearest(const char *key)
{
    const char *keys[SETTING_COUNT], *meant = setting_meant(key);

    for (int i = 0; i < SETTING_COUNT; i++)
        keys[i] = settings_table[i].key;
    return meant != NULL ? meant : json_nearest_name(key, keys, SETTING_COUNT);
}
