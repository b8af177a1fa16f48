/* settings.c - a configuration's values: defaults, JSON in and out, canonical form,
 * checks. */
#include "settings.h"

#include "cycle_schedule.h"
#include "error.h"
#include "hash.h"
#include "init_from.h"
#include "json.h"
#include "settings_together.h"
#include "text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int setting_find(const char *key)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (strcmp(settings_table[i].key, key) == 0)
            return i;
    return -1;
}

const char *setting_word(const char *key, const char *value)
{
    int id = setting_find(key);

    if (value == NULL || id < 0 || settings_table[id].type != SETTING_BOOL)
        return value;
    return strcmp(value, "1") == 0 ? "true" : strcmp(value, "0") == 0 ? "false" : value;
}

/* Texts are UTF-8, since they go into JSON: arguments and the current directory need
 * not be. */
static int check_utf8(int id, const char *text, struct error *err)
{
    const char *bad = text_not_utf8(text);

    return bad == NULL
               ? 0
               : error_set(err, ERROR_FORMAT,
                           "%s: the byte 0x%02x is not UTF-8; a file or folder of such a name "
                           "is to be renamed",
                           settings_table[id].key, (unsigned char)*bad);
}

static int set_text_value(struct config *config, int id, const char *text, struct error *err)
{
    int rc = check_utf8(id, text, err);

    if (rc < 0)
        return rc;
    char *copy = strdup(text);
    if (copy == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for %s", settings_table[id].key);
    free(config->values[id].text);
    config->values[id].text = copy;
    return 0;
}

/* Writes "an integer from 1 to 64", "one of hrm, transformer", ... */
static void describe_allowed(char *out, size_t size, const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_INT:
        snprintf(out, size, "an integer from %.0f to %.0f", setting->minimum, setting->maximum);
        break;
    case SETTING_REAL:
        snprintf(out, size, "a number from %.15g to %.15g", setting->minimum, setting->maximum);
        break;
    case SETTING_BOOL:
        snprintf(out, size, "true or false");
        break;
    case SETTING_INT_OR_WORD:
        snprintf(out, size, "an integer from %.15g to %.15g, or \"%s\"", setting->minimum,
                 setting->maximum, setting->word);
        break;
    case SETTING_TEXT:
        if (setting->several)
            snprintf(out, size, "text, or a list of texts of at most %d bytes",
                     SETTING_LIST_SIZE - 1);
        else
            snprintf(out, size, "text of at most %d bytes", SETTING_TEXT_SIZE - 1);
        break;
    case SETTING_CHOICE: {
        size_t used = (size_t)snprintf(out, size, "one of");
        for (int i = 0; setting->choices[i] != NULL && used < size; i++)
            used += (size_t)snprintf(out + used, size - used, "%s \"%s\"", i > 0 ? "," : "",
                                     setting->choices[i]);
        break;
    }
    }
}

/* Parses a number that JSON does not allow, such as ".0001" or "+1". false: text is not
 * a number. */
static bool number_from_text(double *out, const char *text)
{
    char *end;

    if (text[0] == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
        return false;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

/* What a value of the wrong type was meant to be; "": not known. */
static const char *guess_meaning(const struct setting *setting, const cJSON *value)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : "";
    double ignored;

    if (cJSON_IsArray(value) && !setting->several)
        return setting->phase == PHASE_EVALUATION ? "; a list of values belongs in \"evaluate\""
               : setting->phase == PHASE_EXECUTION
                   ? "; it holds for all runs and takes one value"
                   : "; a list of values belongs in \"grid\"";
    if (setting->type == SETTING_BOOL
            ? strcmp(text, "true") == 0 || strcmp(text, "false") == 0
            : setting->type != SETTING_CHOICE && setting->type != SETTING_TEXT &&
                  number_from_text(&ignored, text))
        return ", without quotes";
    return "";
}

static int value_fault(int id, const cJSON *value, const char *where, struct error *err)
{
    char allowed[300], given[100];
    char *text = json_canonical(value);

    describe_allowed(allowed, sizeof allowed, &settings_table[id]);
    snprintf(given, sizeof given, "%.80s%s", text != NULL ? text : "?",
             text != NULL && strlen(text) > 80 ? "..." : "");
    free(text);
    return error_set(err, ERROR_FORMAT, "%s: %s = %s: expected %s%s", where,
                     settings_table[id].key, given, allowed,
                     guess_meaning(&settings_table[id], value));
}

static bool number_in_bounds(const struct setting *setting, const cJSON *value, bool whole)
{
    return cJSON_IsNumber(value) && value->valuedouble >= setting->minimum &&
           value->valuedouble <= setting->maximum &&
           (!whole || value->valuedouble == floor(value->valuedouble));
}

/* One text of a setting that may have several. */
static int set_one_text(struct config *config, int id, const cJSON *value, const char *where,
                        struct error *err)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : NULL;

    if (text == NULL || text[0] == '[' || strlen(text) >= SETTING_TEXT_SIZE)
        return value_fault(id, value, where, err);
    return set_text_value(config, id, text, err);
}

/* Keeps a list of texts: one as itself, unless it looks like a list, more as the text
 * of their JSON. */
static int set_list(struct config *config, int id, const cJSON *list, const char *where,
                    struct error *err)
{
    bool good = cJSON_IsArray(list) && list->child != NULL;
    int rc;

    for (const cJSON *item = good ? list->child : NULL; item != NULL && good; item = item->next)
        good = cJSON_IsString(item) && item->valuestring[0] != '\0';
    if (!good)
        return value_fault(id, list, where, err);
    if (list->child->next == NULL && list->child->valuestring[0] != '[')
        return set_one_text(config, id, list->child, where, err);
    char *text = json_canonical(list);
    if (text == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for %s", settings_table[id].key);
    rc = strlen(text) < SETTING_LIST_SIZE ? set_text_value(config, id, text, err)
                                          : value_fault(id, list, where, err);
    free(text);
    return rc;
}

/* Whether the text is a line of the shell that begins with a test, and no list. */
static bool is_shell_test(int id, const char *text)
{
    return id == SLURM_SETUP && (strncmp(text, "[ ", 2) == 0 || strncmp(text, "[[ ", 3) == 0);
}

/* Keeps one text that begins like a list as a list of one. */
static int set_list_of_one(struct config *config, int id, const char *text, const char *where,
                           struct error *err)
{
    cJSON *list = cJSON_CreateStringArray(&text, 1);
    int rc = list == NULL ? error_no_memory(err, settings_table[id].key)
                          : set_list(config, id, list, where, err);

    cJSON_Delete(list);
    return rc;
}

/* Text, or several texts as a list or as the text of such a list. */
static int set_texts(struct config *config, int id, const cJSON *value, const char *where,
                     struct error *err)
{
    cJSON *list = NULL;
    struct error ignored;
    int rc;

    if (cJSON_IsArray(value))
        return set_list(config, id, value, where, err);
    if (!cJSON_IsString(value) || value->valuestring[0] != '[')
        return set_one_text(config, id, value, where, err);
    rc = json_parse(&list, value->valuestring, strlen(value->valuestring), where, &ignored);
    if (rc == ERROR_NOMEM)
        return error_set(err, ERROR_NOMEM, "no memory for %s", settings_table[id].key);
    if (rc == 0)
        rc = set_list(config, id, list, where, err);
    else if (is_shell_test(id, value->valuestring))
        rc = set_list_of_one(config, id, value->valuestring, where, err);
    else
        rc = value_fault(id, value, where, err);
    cJSON_Delete(list);
    return rc;
}

/* Sets a list of stages, or one as text (of --set), to its canonical text. */
static int set_stages(struct config *config, int id, const cJSON *value, const char *where,
                      struct error *err)
{
    const char *key = settings_table[id].key;
    struct cycle_schedule schedule = { 0 };
    cJSON *parsed = NULL;
    bool empty = cJSON_IsString(value) && value->valuestring[0] == '\0';
    int rc = 0;

    if (cJSON_IsString(value) && !empty) {
        rc = json_parse(&parsed, value->valuestring, strlen(value->valuestring), where, err);
        value = parsed;
    }
    if (rc == 0 && !empty)
        rc = cycle_schedule_read(&schedule, value, where, key, err);
    char *text = rc < 0 ? NULL : schedule.count == 0 ? strdup("") : json_canonical(value);
    if (rc == 0)
        rc = text == NULL ? error_no_memory(err, key) : set_text_value(config, id, text, err);
    free(text);
    cJSON_Delete(parsed);
    return rc;
}

/* Whether a run that others begin with may have this setting of its own. */
static bool may_be_of_base(int id)
{
    enum setting_phase phase = settings_table[id].phase;

    return (phase == PHASE_TRAINING || phase == PHASE_DATA) && id != TRAIN_SEED &&
           (id < TRAIN_INIT_FROM || id > TRAIN_FROZEN_STEPS);
}

/* Checks each setting of an object of train.init_from. */
static int check_base(const cJSON *object, const char *where, struct error *err)
{
    struct config scratch;
    int rc = config_init(&scratch, err);

    if (rc < 0)
        return rc;
    for (const cJSON *item = object->child; item != NULL && rc == 0; item = item->next) {
        int id = setting_find(item->string);
        const char *nearest = id < 0 ? setting_nearest(item->string) : NULL;

        if (id < 0)
            rc = error_set(err, ERROR_FORMAT,
                           "%s: train.init_from: unknown setting \"%.100s\"%s%s%s", where,
                           item->string, nearest != NULL ? "; did you mean \"" : "",
                           nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
        else if (!may_be_of_base(id))
            rc = error_set(err, ERROR_FORMAT,
                           "%s: train.init_from: %s cannot differ there; expected settings of "
                           "training and data, without the seed and without those that say how "
                           "a run begins",
                           where, item->string);
        else
            rc = config_set_json(&scratch, id, item, where, err);
    }
    config_release(&scratch);
    return rc;
}

/* Sets weights to begin with (init_from.h): an object, also one as text, or a text. */
static int set_weights(struct config *config, int id, const cJSON *value, const char *where,
                       struct error *err)
{
    const char *said = cJSON_IsString(value) ? value->valuestring : NULL;
    cJSON *parsed = NULL;
    char *text = NULL;
    int rc = 0;

    if (said != NULL && said[0] == '{') {
        rc = json_parse(&parsed, said, strlen(said), where, err);
        value = parsed;
    }
    if (rc == 0 && cJSON_IsObject(value)) {
        rc = check_base(value, where, err);
        text = rc == 0 ? json_canonical(value) : NULL;
    } else if (rc == 0 && said != NULL && init_from_kind(said, NULL) != INIT_SETTINGS) {
        text = strdup(said);
    } else if (rc == 0) {
        rc = error_set(err, ERROR_FORMAT,
                       "%s: %s: expected an object of settings, a safetensors file, or "
                       "\"sha256:\" and 64 digits as hrmlab import prints them",
                       where, settings_table[id].key);
    }
    if (rc == 0 && text == NULL)
        rc = error_no_memory(err, settings_table[id].key);
    if (rc == 0 && strlen(text) >= SETTING_LIST_SIZE)
        rc = value_fault(id, value, where, err);
    if (rc == 0)
        rc = set_text_value(config, id, text, err);
    free(text);
    cJSON_Delete(parsed);
    return rc;
}

static int set_value(struct config *config, int id, const cJSON *value, const char *where,
                     struct error *err)
{
    const struct setting *setting = &settings_table[id];
    union setting_value *slot = &config->values[id];

    switch (setting->type) {
    case SETTING_INT:
        if (!number_in_bounds(setting, value, true))
            return value_fault(id, value, where, err);
        slot->integer = (int64_t)value->valuedouble;
        return 0;
    case SETTING_REAL:
        if (!number_in_bounds(setting, value, false))
            return value_fault(id, value, where, err);
        /* -0.0 becomes 0.0, so that a canonical form has one zero */
        slot->real = value->valuedouble + 0.0;
        return 0;
    case SETTING_BOOL:
        if (!cJSON_IsBool(value))
            return value_fault(id, value, where, err);
        slot->integer = cJSON_IsTrue(value);
        return 0;
    case SETTING_INT_OR_WORD:
        if (cJSON_IsString(value) && strcmp(value->valuestring, setting->word) == 0) {
            slot->integer = setting->word_value;
            return 0;
        }
        if (!number_in_bounds(setting, value, true))
            return value_fault(id, value, where, err);
        slot->integer = (int64_t)value->valuedouble;
        return 0;
    case SETTING_TEXT:
        if (setting->several)
            return set_texts(config, id, value, where, err);
        if (setting->stages)
            return set_stages(config, id, value, where, err);
        if (setting->weights)
            return set_weights(config, id, value, where, err);
        if (!cJSON_IsString(value) || strlen(value->valuestring) >= SETTING_TEXT_SIZE)
            return value_fault(id, value, where, err);
        return set_text_value(config, id, value->valuestring, err);
    case SETTING_CHOICE:
        for (int i = 0; cJSON_IsString(value) && setting->choices[i] != NULL; i++)
            if (strcmp(setting->choices[i], value->valuestring) == 0) {
                slot->integer = i;
                return 0;
            }
        return value_fault(id, value, where, err);
    }
    return value_fault(id, value, where, err);
}

int config_set_json(struct config *config, int id, const cJSON *value, const char *where,
                    struct error *err)
{
    int rc = set_value(config, id, value, where, err);

    if (rc == 0)
        config->given[id] = true;
    return rc;
}

/* "A,B" is a list, unless there is a file of that name. */
static bool is_list(const char *text)
{
    return strchr(text, ',') != NULL && text[0] != '[' && text[0] != '"' &&
           access(text, F_OK) < 0;
}

/* The parts between the commas; NULL: no memory. */
static cJSON *split_list(const char *text)
{
    cJSON *list = cJSON_CreateArray();
    bool more = true;

    while (list != NULL && more) {
        size_t length = strcspn(text, ",");
        char *part = strndup(text, length);
        cJSON *item = part != NULL ? cJSON_CreateString(part) : NULL;
        free(part);
        if (item == NULL || !cJSON_AddItemToArray(list, item)) {
            cJSON_Delete(item);
            cJSON_Delete(list);
            return NULL;
        }
        more = text[length] == ',';
        text += length + 1;
    }
    return list;
}

/* Parses a JSON value, or a bare word for settings of text and choices. Text that is
 * not JSON becomes a JSON string too, so that the type check reports it with the
 * setting's name. */
static int value_from_text(cJSON **out, int id, const char *text, const char *where,
                           struct error *err)
{
    enum setting_type type = settings_table[id].type;
    bool word = type == SETTING_TEXT || type == SETTING_CHOICE, quoted = text[0] == '"';
    double number;
    int rc = ERROR_FORMAT;

    /* a shell line or an option of sbatch may have a comma of its own */
    if (settings_table[id].several && setting_is_place(id) && is_list(text)) {
        *out = split_list(text);
        return *out != NULL ? 0 : error_set(err, ERROR_NOMEM, "%s: no memory", where);
    }
    if (!word || quoted)
        rc = json_parse(out, text, strlen(text), where, err);
    if (rc == ERROR_NOMEM || (rc < 0 && word && quoted))
        return rc;
    if (rc < 0 && !word && number_from_text(&number, text))
        *out = cJSON_CreateNumber(number);
    else if (rc < 0)
        *out = cJSON_CreateString(text);
    return *out != NULL ? 0 : error_set(err, ERROR_NOMEM, "%s: no memory", where);
}

int config_set_text(struct config *config, const char *key, const char *text, const char *where,
                    struct error *err)
{
    cJSON *value = NULL;
    int id = setting_find(key), rc;

    if (id < 0) {
        const char *nearest = setting_nearest(key);
        return error_set(err, ERROR_FORMAT, "%s: unknown setting \"%.100s\"%s%s%s", where, key,
                         nearest != NULL ? "; did you mean \"" : " (hrmlab axes lists them)",
                         nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    rc = value_from_text(&value, id, text, where, err);
    if (rc == 0)
        rc = config_set_json(config, id, value, where, err);
    cJSON_Delete(value);
    return rc;
}

static int init_from(struct config *config, bool absent, struct error *err)
{
    memset(config, 0, sizeof *config);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings_table[i];
        const char *text = absent ? setting->absent_means : setting->default_text;
        int rc = config_set_text(config, setting->key, text, "settings table", err);
        assert(rc == 0 || err == NULL || err->code == ERROR_NOMEM);
        if (rc < 0) {
            config_release(config);
            return rc;
        }
        config->given[i] = false;
    }
    return 0;
}

int config_init(struct config *config, struct error *err)
{
    return init_from(config, false, err);
}

int config_init_absent(struct config *config, struct error *err)
{
    return init_from(config, true, err);
}

int config_copy(struct config *out, const struct config *from, struct error *err)
{
    *out = *from;
    for (int i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].type == SETTING_TEXT)
            out->values[i].text = NULL;
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (settings_table[i].type != SETTING_TEXT)
            continue;
        int rc = set_text_value(out, i, config_text(from, (enum setting_id)i), err);
        if (rc < 0) {
            config_release(out);
            return rc;
        }
    }
    return 0;
}

void config_release(struct config *config)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].type == SETTING_TEXT) {
            free(config->values[i].text);
            config->values[i].text = NULL;
        }
}

cJSON *config_get_json(const struct config *config, int id)
{
    const union setting_value *value = &config->values[id];

    switch (settings_table[id].type) {
    case SETTING_INT:
        return cJSON_CreateNumber((double)value->integer);
    case SETTING_INT_OR_WORD:
        return value->integer == settings_table[id].word_value
                   ? cJSON_CreateString(settings_table[id].word)
                   : cJSON_CreateNumber((double)value->integer);
    case SETTING_REAL:
        return cJSON_CreateNumber(value->real);
    case SETTING_BOOL:
        return cJSON_CreateBool(value->integer != 0);
    case SETTING_TEXT:
        if (value->text != NULL && ((settings_table[id].stages && value->text[0] != '\0') ||
                                    (settings_table[id].weights && value->text[0] == '{')))
            return cJSON_Parse(value->text);
        return cJSON_CreateString(config_text(config, (enum setting_id)id));
    case SETTING_CHOICE:
        return cJSON_CreateString(config_choice(config, (enum setting_id)id));
    }
    return NULL;
}

cJSON *config_get_texts(const struct config *config, enum setting_id id)
{
    const char *text = config_text(config, id);
    cJSON *list = text[0] == '[' ? cJSON_Parse(text) : cJSON_CreateArray();

    assert(settings_table[id].several);
    if (list == NULL || text[0] == '[')
        return list;
    cJSON *item = cJSON_CreateString(text);
    if (item != NULL && cJSON_AddItemToArray(list, item))
        return list;
    cJSON_Delete(item);
    cJSON_Delete(list);
    return NULL;
}

static bool same_value(const struct config *a, const struct config *b, int id)
{
    switch (settings_table[id].type) {
    case SETTING_REAL:
        return !(a->values[id].real < b->values[id].real) &&
               !(a->values[id].real > b->values[id].real);
    case SETTING_TEXT:
        return strcmp(config_text(a, (enum setting_id)id),
                      config_text(b, (enum setting_id)id)) == 0;
    case SETTING_INT:
    case SETTING_BOOL:
    case SETTING_CHOICE:
    case SETTING_INT_OR_WORD:
        return a->values[id].integer == b->values[id].integer;
    }
    return false;
}

/* What absence means to a configuration: every absent_means, but of arch.H_cycles what
 * its system is published with. */
static int absent_init(struct config *absent, const struct config *config, struct error *err)
{
    int rc = config_init_absent(absent, err);

    if (rc == 0)
        absent->values[ARCH_H_CYCLES].integer = config_system(config)->H_cycles;
    return rc;
}

int config_resolve(struct config *config, const char *where, struct error *err)
{
    struct config absent;
    int rc = config_settle(config, where, err);

    if (rc == 0)
        rc = absent_init(&absent, config, err);
    if (rc < 0)
        return rc;
    /* Whether a setting is active may depend on another that becomes inactive: repeated
     * until nothing changes. */
    for (bool changed = true; changed && rc == 0;) {
        changed = false;
        for (int i = 0; i < SETTING_COUNT && rc == 0; i++) {
            if (config_active(config, i) || same_value(config, &absent, i))
                continue;
            changed = true;
            if (settings_table[i].type == SETTING_TEXT)
                rc = set_text_value(config, i, absent.values[i].text, err);
            else
                config->values[i] = absent.values[i];
        }
    }
    config_release(&absent);
    return rc;
}

bool setting_is_place(int id)
{
    return id == DATA_PATH || id == DATA_BATCH_ORDER;
}

bool config_differs(const struct config *config, int id)
{
    struct config absent;

    if (!config_active(config, id) || absent_init(&absent, config, NULL) < 0)
        return false;
    bool differs = !same_value(config, &absent, id);

    config_release(&absent);
    return differs;
}

bool setting_is_of_job(int id)
{
    return settings_table[id].phase == PHASE_EXECUTION || setting_is_place(id);
}

static bool any_setting(int id, const void *unused)
{
    (void)id;
    (void)unused;
    return true;
}

static bool is_of_phase(int id, const void *phase)
{
    return settings_table[id].phase == *(const enum setting_phase *)phase;
}

static bool is_of_job(int id, const void *unused)
{
    (void)unused;
    return setting_is_of_job(id);
}

/* A fresh object of those active settings of a phase that differ from absent_means. */
static cJSON *config_object(const struct config *config,
                            bool (*wanted)(int id, const void *context), const void *context)
{
    struct config absent;
    cJSON *object = cJSON_CreateObject();

    if (object == NULL || absent_init(&absent, config, NULL) < 0) {
        cJSON_Delete(object);
        return NULL;
    }
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (!wanted(i, context) || !config_active(config, i) || same_value(config, &absent, i))
            continue;
        cJSON *value = config_get_json(config, i);
        if (value == NULL || !cJSON_AddItemToObject(object, settings_table[i].key, value)) {
            cJSON_Delete(value);
            cJSON_Delete(object);
            object = NULL;
            break;
        }
    }
    config_release(&absent);
    return object;
}

char *config_canonical(const struct config *config, enum setting_phase phase, struct error *err)
{
    cJSON *object = config_object(config, is_of_phase, &phase);
    char *text = object != NULL ? json_canonical(object) : NULL;

    cJSON_Delete(object);
    if (text == NULL)
        error_set(err, ERROR_NOMEM, "no memory for a canonical form");
    return text;
}

cJSON *config_to_json(const struct config *config)
{
    return config_object(config, any_setting, NULL);
}

cJSON *config_job_settings(const struct config *config)
{
    return config_object(config, is_of_job, NULL);
}

int config_replace_job_settings(cJSON *config, const cJSON *settings, struct error *err)
{
    for (int id = 0; id < SETTING_COUNT; id++)
        if (setting_is_of_job(id))
            cJSON_DeleteItemFromObjectCaseSensitive(config, settings_table[id].key);
    for (const cJSON *item = settings->child; item != NULL; item = item->next) {
        cJSON *copy = cJSON_Duplicate(item, true);

        if (copy == NULL || !cJSON_AddItemToObject(config, item->string, copy)) {
            cJSON_Delete(copy);
            return error_no_memory(err, "a job's settings");
        }
    }
    return 0;
}

int config_from_json(struct config *config, const cJSON *object, const char *where,
                     struct error *err)
{
    int rc = config_init_absent(config, err);

    if (rc < 0)
        return rc;
    if (!cJSON_IsObject(object))
        rc = error_set(err, ERROR_FORMAT, "%s: expected an object of settings, not %s", where,
                       json_type_name(object));
    for (const cJSON *item = rc == 0 ? object->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        int id = setting_find(item->string);
        if (id < 0) {
            const char *nearest = setting_nearest(item->string);
            rc = error_set(err, ERROR_FORMAT, "%s: unknown setting \"%.100s\"%s%s%s", where,
                           item->string, nearest != NULL ? "; did you mean \"" : "",
                           nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
        } else {
            rc = config_set_json(config, id, item, where, err);
        }
    }
    if (rc == 0)
        config_default_cycles(config);
    if (rc < 0)
        config_release(config);
    return rc;
}

static void hash_canonical(char hex[65], const char *canonical, const char *data_hash,
                           const char *numeric_version)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, canonical, strlen(canonical));
    hash_add(&state, "\n", 1);
    hash_add(&state, data_hash, strlen(data_hash));
    hash_add(&state, "\n", 1);
    hash_add(&state, numeric_version, strlen(numeric_version));
    hash_final_hex(&state, hex);
}

void config_hash_canonical(char hex[65], const char *canonical, const char *data_hash)
{
    hash_canonical(hex, canonical, data_hash, ENGINE_NUMERIC_VERSION);
}

int config_run_hash(char hex[65], const struct config *config, const char *data_hash,
                    struct error *err)
{
    return config_run_hash_of(hex, config, data_hash, ENGINE_NUMERIC_VERSION, err);
}

int config_run_hash_of(char hex[65], const struct config *config, const char *data_hash,
                       const char *numeric_version, struct error *err)
{
    char *canonical = config_canonical(config, PHASE_TRAINING, err);

    if (canonical == NULL)
        return ERROR_NOMEM;
    hash_canonical(hex, canonical, data_hash, numeric_version);
    free(canonical);
    return 0;
}
