/* built.c - reads the arrays of the published code and checks them against each
 * other. */
#include "built.h"

#include "built_names.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "work.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const FOLDERS[2] = { [SPLIT_TEST] = "test", [SPLIT_TRAIN] = "train" };

/* How far mean_puzzle_examples of dataset.json may be from the arrays' mean, as a share
 * of it: tools may round it. */
static const double MEAN_TOLERANCE = 1e-6;

/* The index arrays of a set. Unlike the examples, they are copied. */
struct indices {
    struct npy puzzles, groups, identifiers;
};

static int fault_at(const struct npy *npy, int64_t index, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT,
                     "%s: byte %" PRId64 ": entry %" PRId64 " is %" PRId64 "; expected %s",
                     npy->path, npy_offset(npy, index), index, npy_at(npy, index), what);
}

static int open_array(struct npy *out, struct data_files *files, const char *folder,
                      const char *set, const char *name, int dimensions, struct error *err)
{
    char *path = format_string("%s/%s__%s.npy", folder, set, name);
    int rc = path == NULL ? error_no_memory(err, "a path") : data_files_add(files, path, err);

    if (rc == 0)
        rc = npy_open(out, path, err);
    if (rc == 0 && out->dimensions != dimensions)
        rc = error_set(err, ERROR_FORMAT, "%s: byte 10: expected an array of %d dimension%s",
                       path, dimensions, dimensions > 1 ? "s" : "");
    if (rc == 0 && (out->shape[0] > INT_MAX - 1 || out->shape[0] == 0))
        rc = error_set(err, ERROR_FORMAT, "%s: byte 10: %" PRId64 " rows; expected 1 to %d",
                       path, out->shape[0], INT_MAX - 1);
    free(path);
    return rc;
}

/* Checks that an array begins with 0, rises strictly, and ends with total. */
static int check_rising(const struct npy *npy, int64_t total, const char *of, struct error *err)
{
    char words[80];

    if (npy_at(npy, 0) != 0)
        return fault_at(npy, 0, "0", err);
    for (int64_t i = 1; i < npy->shape[0]; i++)
        if (npy_at(npy, i) <= npy_at(npy, i - 1))
            return fault_at(npy, i, "more than the entry before", err);
    if (npy_at(npy, npy->shape[0] - 1) == total)
        return 0;
    snprintf(words, sizeof words, "%" PRId64 ", the number of %s", total, of);
    return fault_at(npy, npy->shape[0] - 1, words, err);
}

static int check_identifiers(const struct npy *npy, int64_t puzzles, int names,
                             struct error *err)
{
    char words[80];

    if (npy->shape[0] != puzzles)
        return error_set(err, ERROR_FORMAT,
                         "%s: byte 10: %" PRId64 " entries; expected %" PRId64
                         ", one for each puzzle",
                         npy->path, npy->shape[0], puzzles);
    snprintf(words, sizeof words, "an identifier of 0 to %d", names - 1);
    for (int64_t i = 0; i < puzzles; i++)
        if (npy_at(npy, i) < 0 || npy_at(npy, i) >= names)
            return fault_at(npy, i, words, err);
    return 0;
}

static int check_set(const struct built *built, const struct built_set *set,
                     const struct indices *indices, struct error *err)
{
    const struct npy *in = &set->inputs, *labels = &set->labels;
    int64_t T = (int64_t)built->side * built->side;

    if (in->shape[1] != T)
        return error_set(err, ERROR_FORMAT,
                         "%s: byte 10: %" PRId64 " tokens a row; expected %" PRId64
                         ", seq_len of dataset.json",
                         in->path, in->shape[1], T);
    if (labels->shape[0] != in->shape[0] || labels->shape[1] != T)
        return error_set(err, ERROR_FORMAT,
                         "%s: byte 10: shape (%" PRId64 ", %" PRId64 "); expected (%" PRId64
                         ", %" PRId64 "), as the inputs have",
                         labels->path, labels->shape[0], labels->shape[1], in->shape[0], T);
    int rc = check_rising(&indices->puzzles, in->shape[0], "examples", err);
    if (rc == 0)
        rc = check_rising(&indices->groups, indices->puzzles.shape[0] - 1, "puzzles", err);
    if (rc == 0)
        rc = check_identifiers(&indices->identifiers, indices->puzzles.shape[0] - 1,
                               built->name_count, err);
    return rc;
}

/* Appends a set's indices to those of the previous sets. */
static int append(struct built_split *split, const struct indices *indices, int examples,
                  struct error *err)
{
    int groups = (int)indices->groups.shape[0] - 1;
    int puzzles = (int)indices->puzzles.shape[0] - 1;
    size_t all_groups = (size_t)split->groups + (size_t)groups + 1;
    size_t all_puzzles = (size_t)split->puzzles + (size_t)puzzles + 1;
    int *g = realloc(split->group_start, all_groups * sizeof *g);
    if (g != NULL)
        split->group_start = g;
    int *p = realloc(split->puzzle_start, all_puzzles * sizeof *p);
    if (p != NULL)
        split->puzzle_start = p;
    int32_t *ids = realloc(split->identifier, all_puzzles * sizeof *ids);
    if (ids != NULL)
        split->identifier = ids;

    if (g == NULL || p == NULL || ids == NULL)
        return error_no_memory(err, "the data set");
    if (examples > INT_MAX - 1 - split->examples)
        return error_set(err, ERROR_FORMAT, "%s: more than %d examples in all sets",
                         indices->puzzles.path, INT_MAX - 1);
    for (int i = 0; i <= groups; i++)
        g[split->groups + i] = split->puzzles + (int)npy_at(&indices->groups, i);
    for (int i = 0; i <= puzzles; i++)
        p[split->puzzles + i] = split->examples + (int)npy_at(&indices->puzzles, i);
    for (int i = 0; i < puzzles; i++)
        ids[split->puzzles + i] = (int32_t)npy_at(&indices->identifiers, i);
    split->groups += groups;
    split->puzzles += puzzles;
    split->examples += examples;
    return 0;
}

/* Checks that every token is below the vocabulary's size and, unless rows may be empty
 * (labels of hidden tests are), that every row has a token that is not padding. */
static int check_tokens(const struct built *built, const struct npy *npy, bool may_be_empty,
                        struct error *err)
{
    int64_t T = (int64_t)built->side * built->side;
    char words[40];
    int rc = 0;

    snprintf(words, sizeof words, "a token of 0 to %d", built->vocabulary - 1);
    for (int64_t row = 0; row < npy->shape[0] && rc == 0; row++) {
        int64_t any = 0;
        for (int64_t i = row * T; i < (row + 1) * T; i++) {
            int64_t token = npy_at(npy, i);
            if (token < 0 || token >= built->vocabulary)
                return fault_at(npy, i, words, err);
            any |= token;
        }
        if (any == 0 && !may_be_empty)
            return error_set(err, ERROR_FORMAT,
                             "%s: byte %" PRId64 ": row %" PRId64
                             " has nothing but padding; expected a puzzle",
                             npy->path, npy_offset(npy, row * T), row);
        rc = work_done(1, err);
    }
    return rc;
}

static int read_set(struct built *built, struct data_files *files, enum data_split split,
                    const char *folder, int number, struct error *err)
{
    struct built_split *s = &built->splits[split];
    struct built_set *set = &s->sets[number];
    struct data_form_set *form = &built->form.sets[split][number];
    struct indices indices = { 0 };
    int rc = open_array(&set->inputs, files, folder, form->name, "inputs", 2, err);

    if (rc == 0)
        rc = open_array(&set->labels, files, folder, form->name, "labels", 2, err);
    if (rc == 0)
        rc = open_array(&indices.puzzles, files, folder, form->name, "puzzle_indices", 1, err);
    if (rc == 0)
        rc = open_array(&indices.groups, files, folder, form->name, "group_indices", 1, err);
    if (rc == 0)
        rc = open_array(&indices.identifiers, files, folder, form->name, "puzzle_identifiers",
                        1, err);
    if (rc == 0)
        rc = check_set(built, set, &indices, err);
    if (rc == 0)
        rc = check_tokens(built, &set->inputs, false, err);
    if (rc == 0)
        rc = check_tokens(built, &set->labels, true, err);
    set->first_example = s->examples;
    if (rc == 0) {
        set->examples = (int)set->inputs.shape[0];
        form->groups = (int)indices.groups.shape[0] - 1;
        built->form.type[split] = set->inputs.type;
        rc = append(s, &indices, set->examples, err);
    }
    npy_close(&indices.puzzles);
    npy_close(&indices.groups);
    npy_close(&indices.identifiers);
    return rc;
}

/* Reads a member that must be a whole number from low to high. */
static int get_count(int *out, const cJSON *object, const char *key, int64_t low, int64_t high,
                     const char *path, struct error *err)
{
    int64_t value = 0;
    int rc = json_get_int(&value, object, key, path, err);

    if (rc == 0 && (value < low || value > high))
        rc = error_set(err, ERROR_FORMAT,
                       "%s: %s is %" PRId64 "; expected %" PRId64 "%s%.0" PRId64, path, key,
                       value, low, high > low ? " to " : "", high > low ? high : 0);
    *out = (int)value;
    return rc;
}

static int take_set_names(struct data_form *form, enum data_split split, const cJSON *list,
                          const char *path, struct error *err)
{
    const cJSON *item;

    form->set_count[split] = 0;
    cJSON_ArrayForEach(item, list)
    {
        const char *name = cJSON_IsString(item) ? item->valuestring : "";
        if (name[0] == '\0' || strlen(name) >= DATA_FORM_NAME_SIZE || strchr(name, '/') != NULL)
            return error_set(err, ERROR_FORMAT,
                             "%s: sets: expected names of at most %d characters without /",
                             path, DATA_FORM_NAME_SIZE - 1);
        if (form->set_count[split] == DATA_FORM_SETS)
            return error_set(err, ERROR_FORMAT, "%s: sets: more than %d", path, DATA_FORM_SETS);
        memcpy(form->sets[split][form->set_count[split]++].name, name, strlen(name) + 1);
    }
    return form->set_count[split] > 0
               ? 0
               : error_set(err, ERROR_FORMAT, "%s: sets: expected a list of names", path);
}

/* Whether mean_puzzle_examples is written without a decimal point in text. */
static bool has_whole_mean(const char *text)
{
    const char *at = strstr(text, "\"mean_puzzle_examples\"");

    return at != NULL && at[strcspn(at, ".,}")] != '.';
}

/* Checks that unlabelled tokens are marked by 0, as padding is. */
static int check_marks(const cJSON *json, const char *path, struct error *err)
{
    const cJSON *ignored = json_member(json, "ignore_label_id");
    int zero, rc = get_count(&zero, json, "pad_id", 0, 0, path, err);

    if (rc == 0)
        rc = get_count(&zero, json, "blank_identifier_id", 0, 0, path, err);
    if (rc == 0 &&
        !(cJSON_IsNull(ignored) || (cJSON_IsNumber(ignored) && ignored->valuedouble == 0)))
        rc = error_set(err, ERROR_FORMAT, "%s: ignore_label_id: expected 0 or null", path);
    return rc;
}

/* What dataset.json says of a split beyond the shape of its examples. */
struct facts {
    int groups;
    int puzzles; /* -1: not said, as in the first releases */
    double mean; /* examples of a puzzle */
};

static int take_counts(struct facts *out, const cJSON *json, const char *path,
                       struct error *err)
{
    int rc = get_count(&out->groups, json, "total_groups", 1, INT_MAX - 1, path, err);

    out->puzzles = -1;
    if (rc == 0 && json_member(json, "total_puzzles") != NULL)
        rc = get_count(&out->puzzles, json, "total_puzzles", 1, INT_MAX - 1, path, err);
    return rc == 0 ? json_get_real(&out->mean, json, "mean_puzzle_examples", path, err) : rc;
}

static int take_facts(struct built *built, struct facts *facts, enum data_split split,
                      const cJSON *json, const char *path, struct error *err)
{
    int vocabulary = 0, length = 0, names = 0, side = 0;
    int rc = check_marks(json, path, err);

    if (rc == 0)
        rc = get_count(&vocabulary, json, "vocab_size", 3, 255, path, err);
    if (rc == 0)
        rc = get_count(&length, json, "seq_len", 1, GRID_MAX_CELLS, path, err);
    if (rc == 0)
        rc = get_count(&names, json, "num_puzzle_identifiers", 1, INT_MAX - 1, path, err);
    if (rc == 0)
        rc = take_counts(facts, json, path, err);
    if (rc < 0)
        return rc;
    while (side * side < length)
        side++;
    if (side * side != length)
        return error_set(err, ERROR_FORMAT, "%s: seq_len is %d; expected the square of 1 to %d",
                         path, length, GRID_MAX_SIDE);
    if (names != built->name_count)
        return error_set(err, ERROR_FORMAT,
                         "%s: num_puzzle_identifiers is %d, but identifiers.json has %d", path,
                         names, built->name_count);
    if (built->side != 0 && (side != built->side || vocabulary != built->vocabulary))
        return error_set(err, ERROR_FORMAT,
                         "%s: seq_len or vocab_size differ from those of the other split",
                         path);
    built->side = side;
    built->vocabulary = vocabulary;
    built->form.total_puzzles[split] = json_member(json, "total_puzzles") != NULL;
    return take_set_names(&built->form, split, json_member(json, "sets"), path, err);
}

/* Checks the counts of dataset.json against the arrays of all sets. The mean may be
 * rounded. */
static int check_counts(const struct facts *facts, const struct built_split *split,
                        const char *folder, struct error *err)
{
    double mean = split->puzzles > 0 ? (double)split->examples / split->puzzles : 0;

    if (split->groups != facts->groups)
        return error_set(err, ERROR_FORMAT,
                         "%s/dataset.json: total_groups is %d, but its sets have %d", folder,
                         facts->groups, split->groups);
    if (facts->puzzles >= 0 && split->puzzles != facts->puzzles)
        return error_set(err, ERROR_FORMAT,
                         "%s/dataset.json: total_puzzles is %d, but its sets have %d", folder,
                         facts->puzzles, split->puzzles);
    if (!(fabs(facts->mean - mean) <= MEAN_TOLERANCE * mean))
        return error_set(err, ERROR_FORMAT,
                         "%s/dataset.json: mean_puzzle_examples is %.9g, but its sets have %d "
                         "examples of %d puzzles; expected %.9g",
                         folder, facts->mean, split->examples, split->puzzles, mean);
    return 0;
}

static int read_facts(struct built *built, struct facts *facts, struct data_files *files,
                      enum data_split split, const char *folder, struct error *err)
{
    char *path = file_join(folder, "dataset.json"), *text = NULL;
    cJSON *json = NULL;
    size_t size = 0;
    int rc = path == NULL ? error_no_memory(err, "a path") : data_files_add(files, path, err);

    if (rc == 0)
        rc = file_read(&text, &size, path, JSON_SPEC_LIMIT, err);
    if (rc == 0)
        rc = json_parse(&json, text, size, path, err);
    if (rc == 0) {
        rc = take_facts(built, facts, split, json, path, err);
        built->form.whole_mean[split] = has_whole_mean(text);
    }
    cJSON_Delete(json);
    free(text);
    free(path);
    return rc;
}

static int read_split(struct built *built, struct data_files *files, const char *directory,
                      enum data_split split, struct error *err)
{
    struct built_split *s = &built->splits[split];
    char *folder = file_join(directory, FOLDERS[split]);
    struct facts facts = { 0 };
    int rc = folder == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0)
        rc = read_facts(built, &facts, files, split, folder, err);
    int count = rc == 0 ? built->form.set_count[split] : 0;
    s->sets = calloc((size_t)count + 1, sizeof *s->sets);
    if (rc == 0 && s->sets == NULL)
        rc = error_no_memory(err, "the data set");
    for (int i = 0; i < count && rc == 0; i++)
        rc = read_set(built, files, split, folder, i, err);
    if (rc == 0)
        rc = check_counts(&facts, s, folder, err);
    free(folder);
    return rc;
}

/* Reads the tasks of the tests, which later releases of the published code write. */
static int read_tests(struct built *built, struct data_files *files, const char *directory,
                      struct error *err)
{
    char *path = file_join(directory, "test_puzzles.json");
    int rc = path == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && file_exists(path)) {
        rc = data_files_add(files, path, err);
        if (rc == 0)
            rc = json_read_file(&built->form.tests, path, JSON_DATA_LIMIT, err);
        if (rc == 0 && !cJSON_IsObject(built->form.tests))
            rc = error_set(err, ERROR_FORMAT, "%s: expected an object of tasks", path);
    }
    free(path);
    return rc;
}

/* Tokens are hashed as bytes, whatever type they have in the file. */
static void hash_tokens(struct hash_state *state, const struct npy *npy)
{
    uint8_t bytes[4096];
    int64_t count = npy->shape[0] * npy->shape[1];

    for (int64_t i = 0; i < count;) {
        size_t used = 0;
        while (used < sizeof bytes && i < count)
            bytes[used++] = (uint8_t)npy_at(npy, i++);
        hash_add(state, bytes, used);
    }
}

static void hash_all(struct built *built)
{
    int32_t sizes[3] = { built->side, built->vocabulary, built->name_count };
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, sizes, sizeof sizes);
    for (int i = 0; i < built->name_count; i++)
        hash_add(&state, built->names[i], strlen(built->names[i]) + 1);
    for (int split = 0; split < 2; split++) {
        const struct built_split *s = &built->splits[split];
        int32_t counts[3] = { s->groups, s->puzzles, s->examples };
        hash_add(&state, counts, sizeof counts);
        hash_add(&state, s->group_start, ((size_t)s->groups + 1) * sizeof *s->group_start);
        hash_add(&state, s->puzzle_start, ((size_t)s->puzzles + 1) * sizeof *s->puzzle_start);
        hash_add(&state, s->identifier, (size_t)s->puzzles * sizeof *s->identifier);
        for (int i = 0; i < built->form.set_count[split]; i++) {
            hash_tokens(&state, &s->sets[i].inputs);
            hash_tokens(&state, &s->sets[i].labels);
        }
    }
    hash_final_hex(&state, built->hash);
}

int built_open(struct built *out, struct data_files *files, const char *directory,
               struct error *err)
{
    *out = (struct built){ 0 };
    int rc = data_files_add(files, directory, err);
    if (rc == 0)
        rc = built_names_read(out, files, directory, err);
    if (rc == 0)
        rc = read_split(out, files, directory, SPLIT_TRAIN, err);
    if (rc == 0)
        rc = read_split(out, files, directory, SPLIT_TEST, err);
    if (rc == 0)
        rc = read_tests(out, files, directory, err);
    if (rc == 0)
        hash_all(out);
    return rc;
}

void built_close(struct built *built)
{
    for (int split = 0; split < 2; split++) {
        struct built_split *s = &built->splits[split];
        for (int i = 0; s->sets != NULL && i < built->form.set_count[split]; i++) {
            npy_close(&s->sets[i].inputs);
            npy_close(&s->sets[i].labels);
        }
        free(s->sets);
        free(s->group_start);
        free(s->puzzle_start);
        free(s->identifier);
    }
    free(built->names);
    cJSON_Delete(built->identifiers);
    cJSON_Delete(built->form.tests);
    *built = (struct built){ 0 };
}

void built_example(const struct built *built, enum data_split split, int example,
                   int32_t *inputs, int32_t *labels)
{
    const struct built_set *set = built->splits[split].sets;
    int64_t T = (int64_t)built->side * built->side;

    while (example >= set->first_example + set->examples)
        set++;
    int64_t first = (example - set->first_example) * T;
    for (int64_t i = 0; i < T && inputs != NULL; i++)
        inputs[i] = (int32_t)npy_at(&set->inputs, first + i);
    for (int64_t i = 0; i < T && labels != NULL; i++) {
        int32_t label = (int32_t)npy_at(&set->labels, first + i);
        labels[i] = label == 0 ? DATA_NO_LABEL : label;
    }
}
