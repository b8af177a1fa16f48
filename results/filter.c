/*
 * filter.c - conditions on experiments, arms, seeds and settings as SQL with bound
 * values.
 *
 * Only fixed texts of this file become SQL; keys and values are bound.
 */
#include "filter.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "query.h"
#include "settings.h"
#include "short_key.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct special_key {
    const char *key;
    const char *column; /* NULL: a tag */
    bool is_text, prefix;
};

/* A setting of an evaluation whose absence means that value, an SQL literal. */
#define OF_EVALUATION(key, absent)                                                             \
    "coalesce(json_extract(v.canonical, '$.\"" key "\"'), " absent ")"

/* Keys that are not rows of the view setting. 0 augmentations mean "all", which
 * compares as larger than any number, as all checkpoints do. */
static const struct special_key SPECIAL_KEYS[] = {
    { "experiment", "e.name", true, false },
    { "arm", "a.label", true, false },
    { "hash", "r.hash", true, true },
    { "tag", NULL, true, false },
    { "seed", "r.seed", false, false },
    { "train.seed", "r.seed", false, false },
    { "eval.halt_max_steps", "v.outer_steps", false, false },
    { "eval.augmentations", "iif(v.augmentations = 0, 9e18, v.augmentations)", false, false },
    { "eval.act_inference", "v.act_inference", false, false },
    { "eval.seed", "v.eval_seed", false, false },
    { "eval.split", "v.split", true, false },
    { "eval.puzzle_id", OF_EVALUATION("eval.puzzle_id", "'own'"), true, false },
    { "eval.trajectory", OF_EVALUATION("eval.trajectory", "0"), false, false },
    { "eval.halt_rule", OF_EVALUATION("eval.halt_rule", "'max'"), true, false },
    { "eval.halt_patience", OF_EVALUATION("eval.halt_patience", "1"), false, false },
    { "eval.halt_epsilon", OF_EVALUATION("eval.halt_epsilon", "0.01"), false, false },
    { "eval.pool_checkpoints",
      "iif(" OF_EVALUATION("eval.pool_checkpoints", "1") " = 'all', 9e18, " OF_EVALUATION(
          "eval.pool_checkpoints", "1") ")",
      false, false },
    { "eval.rollouts", OF_EVALUATION("eval.rollouts", "1"), false, false },
    { "eval.init_noise", OF_EVALUATION("eval.init_noise", "0"), false, false },
    { "eval.choose", OF_EVALUATION("eval.choose", "'vote'"), true, false },
    { "eval.weights", OF_EVALUATION("eval.weights", "'ema'"), true, false },
};
enum { SPECIAL_COUNT = sizeof SPECIAL_KEYS / sizeof *SPECIAL_KEYS };

static const char *const RELATION_TEXT[] = {
    [FILTER_EQ] = "=",  [FILTER_NE] = "!=", [FILTER_LE] = "<=",
    [FILTER_GE] = ">=", [FILTER_LT] = "<",  [FILTER_GT] = ">"
};

static const char *nearest_key(const char *key)
{
    const char *names[SPECIAL_COUNT + 2 * SETTING_COUNT + METRIC_COUNT];
    int count = 0;

    for (int i = 0; i < SPECIAL_COUNT; i++)
        names[count++] = SPECIAL_KEYS[i].key;
    for (int i = 0; i < SETTING_COUNT; i++)
        names[count++] = settings_table[i].key;
    for (int i = 0; i < METRIC_COUNT; i++)
        names[count++] = METRICS[i].name;
    /* any two short words are alike */
    for (int i = 0; i < SETTING_COUNT && strlen(key) > 3; i++)
        names[count++] = strrchr(settings_table[i].key, '.') + 1;
    /* "batch_size" means train.global_batch_size, even if another name is spelled more
     * alike */
    const char *meant = setting_meant(key);

    return meant != NULL ? meant : json_nearest_name(key, names, count);
}

/* Parses the value as the type that the database stores for the setting. */
static int parse_setting_value(struct filter *filter, int id, const char *value,
                               const char *where, struct error *err)
{
    struct config config;
    int rc = config_init(&config, err);

    if (rc != 0)
        return rc;
    rc = config_set_text(&config, settings_table[id].key, value, where, err);
    if (rc == 0) {
        cJSON *item = config_get_json(&config, id);

        if (item == NULL) {
            rc = error_set(err, ERROR_NOMEM, "no memory for a condition");
        } else if (cJSON_IsString(item)) {
            /* "all" is compared as a number */
            filter->is_text = id != EVAL_AUGMENTATIONS && id != EVAL_POOL_CHECKPOINTS;
            filter->number = 9e18;
            filter->text = filter->is_text ? strdup(item->valuestring) : NULL;
            if (filter->is_text && filter->text == NULL)
                rc = error_set(err, ERROR_NOMEM, "no memory for a condition");
        } else {
            filter->number = cJSON_IsBool(item) ? cJSON_IsTrue(item) : item->valuedouble;
        }
        cJSON_Delete(item);
    }
    config_release(&config);
    return rc;
}

/* The position and kind of the condition's relation; NULL: it has none. */
static const char *find_relation(const char *condition, enum filter_relation *relation,
                                 size_t *length)
{
    const char *at = condition + strcspn(condition, "=!<>");

    for (int i = 0; i < 6; i++)
        if (strncmp(at, RELATION_TEXT[i], strlen(RELATION_TEXT[i])) == 0 &&
            (i >= FILTER_LE || at[0] != '\0')) {
            *relation = (enum filter_relation)i;
            *length = strlen(RELATION_TEXT[i]);
            return at;
        }
    return NULL;
}

/* Looks up key, a special column or a setting (*id). */
static int find_key(struct filter *out, int *id, const char *key, const char *where,
                    const struct results *results, struct error *err)
{
    int rc = strcmp(key, "seed") == 0 ? 0 : short_key_complete(&key, results, where, err);

    if (rc != 0)
        return rc;
    for (int i = 0; i < SPECIAL_COUNT; i++)
        if (strcmp(SPECIAL_KEYS[i].key, key) == 0) {
            out->column = SPECIAL_KEYS[i].column;
            out->is_text = SPECIAL_KEYS[i].is_text;
            out->prefix = SPECIAL_KEYS[i].prefix;
            out->tag = SPECIAL_KEYS[i].column == NULL;
            out->key = SPECIAL_KEYS[i].key;
        }
    *id = setting_find(strcmp(key, "seed") == 0 ? "train.seed" : key);
    if (*id >= 0 && out->key == NULL)
        out->key = settings_table[*id].key;
    if (out->key == NULL) {
        struct error ignored;
        enum metric metric;

        if (metric_find(&metric, key, &ignored) == 0)
            return error_set(err, ERROR_FORMAT,
                             "%s: %s is a measure; only hrmlab results takes conditions on "
                             "measures",
                             where, key);
        const char *nearest = nearest_key(key);

        return error_set(
            err, ERROR_FORMAT,
            "%s: unknown key \"%s\"%s%s%s; known are experiment, arm, seed, "
            "hash, tag, every setting (`hrmlab axes` lists them) and, for results, every "
            "measure",
            where, key, nearest != NULL ? " (did you mean \"" : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "");
    }
    if (*id >= 0 && settings_table[*id].phase == PHASE_EXECUTION)
        return error_set(err, ERROR_FORMAT,
                         "%s: %s changes how a job is executed, not its results; "
                         "`hrmlab show RUN` has it",
                         where, key);
    return 0;
}

/* Copies the key before the relation, which is at `at`, without blanks around it. */
static void copy_key(char key[64], const char *condition, const char *at)
{
    const char *first = condition + strspn(condition, " \t");

    while (at > first && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    snprintf(key, 64, "%.*s", (int)(at - first), first);
}

/* The value without blanks around it; newly allocated or NULL. */
static char *copy_value(const char *text)
{
    const char *first = text + strspn(text, " \t"), *end = first + strlen(first);

    while (end > first && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return strndup(first, (size_t)(end - first));
}

int filter_parse(struct filter *out, const char *condition, const char *given_as,
                 const struct results *results, struct error *err)
{
    char key[64], where[240], *value;
    size_t length = 0;
    int id = -1, rc;

    *out = (struct filter){ 0 };
    snprintf(where, sizeof where, "%.20s %.200s", given_as, condition);
    const char *at = find_relation(condition, &out->relation, &length);

    if (at == NULL || at == condition || (size_t)(at - condition) >= sizeof key)
        return error_set(err, ERROR_FORMAT,
                         "%s: expected KEY=VALUE (or !=, <, <=, >, >=), as in "
                         "arch.name=hrm",
                         where);
    if (at[length] == '=' || at[length] == '>' || at[length] == '<')
        return error_set(err, ERROR_FORMAT,
                         "%s: there is no \"%.*s\"; expected =, !=, <, <=, > or >=", where,
                         (int)length + 1, at);
    copy_key(key, condition, at);
    rc = find_key(out, &id, key, where, results, err);
    if (rc != 0)
        return rc;
    value = copy_value(at + length);
    if (value == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for a condition");
    } else if (id >= 0) {
        rc = parse_setting_value(out, id, value, where, err);
    } else {
        out->text = value;
        value = NULL;
    }
    free(value);
    bool unordered = out->is_text || (id >= 0 && settings_table[id].type == SETTING_BOOL);

    if (rc == 0 && unordered && out->relation != FILTER_EQ && out->relation != FILTER_NE)
        rc = error_set(err, ERROR_FORMAT, "%s: %s can only be compared with = and !=", where,
                       out->key);
    if (rc != 0)
        filter_release(out);
    return rc;
}

int filter_find_measure(enum metric *metric, enum filter_relation *relation, double *number,
                        const char *condition, struct error *err)
{
    struct error ignored;
    char name[64], *end;
    size_t length;
    const char *at = find_relation(condition, relation, &length);

    if (at == NULL || at == condition || (size_t)(at - condition) >= sizeof name)
        return 0; /* filter_parse() reports the error */
    copy_key(name, condition, at);
    if (metric_find(metric, name, &ignored) < 0)
        return 0;
    *number = strtod(at + length, &end);
    if (end == at + length || end[strspn(end, " \t")] != '\0' || isnan(*number))
        return error_set(err, ERROR_FORMAT, "--where %.200s: expected a number after %s%.*s",
                         condition, name, (int)length, at);
    return 1;
}

void filter_release(struct filter *filter)
{
    free(filter->text);
    *filter = (struct filter){ 0 };
}

char *filter_sql(const struct filter *filter, int first)
{
    const char *text = RELATION_TEXT[filter->relation];

    if (filter->prefix)
        return format_string("(?%d IS NOT NULL AND %ssubstr(%s, 1, length(?%d)) = ?%d)", first,
                             filter->relation == FILTER_NE ? "NOT " : "", filter->column,
                             first + 1, first + 1);
    if (filter->tag)
        return format_string("%sEXISTS (SELECT 1 FROM mark m WHERE ?%d IS NOT NULL"
                             " AND m.kind = 'tag' AND m.text = ?%d AND m.experiment = e.name"
                             " AND m.arm IN ('', a.label) AND m.run_hash = ''"
                             " UNION ALL SELECT 1 FROM mark m WHERE m.kind = 'tag'"
                             " AND m.text = ?%d AND m.experiment = '' AND m.arm = ''"
                             " AND m.run_hash = r.hash)",
                             filter->relation == FILTER_NE ? "NOT " : "", first, first + 1,
                             first + 1);
    if (filter->column != NULL)
        return format_string("(?%d IS NOT NULL AND %s %s ?%d)", first, filter->column, text,
                             first + 1);
    /* A run in which the setting is inactive has no row; it counts as different from
     * every value. */
    return format_string("%sEXISTS (SELECT 1 FROM setting s WHERE s.run_id = r.run_id"
                         " AND s.key = ?%d AND s.value %s ?%d)",
                         filter->relation == FILTER_NE ? "NOT " : "", first,
                         filter->relation == FILTER_NE ? "=" : text, first + 1);
}

int filter_bind(const struct filter *filter, sqlite3_stmt *statement, int first)
{
    int code = sqlite3_bind_text(statement, first, filter->key, -1, SQLITE_STATIC);

    if (code != SQLITE_OK)
        return code;
    if (filter->is_text)
        return sqlite3_bind_text(statement, first + 1, filter->text, -1, SQLITE_TRANSIENT);
    return sqlite3_bind_double(statement, first + 1, filter->number);
}
