/* built_write.c - writes examples, indices and facts in the published code's format. */
#include "built_write.h"

#include "arc_task_copy.h"
#include "data_form.h"
#include "error.h"
#include "file.h"
#include "json_python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ASIDE[] = ".tmp"; /* ends the name of a file that is being written */
static const char *const FOLDERS[2] = { [SPLIT_TEST] = "test", [SPLIT_TRAIN] = "train" };

/* A split that is being written. */
struct writer {
    const struct data_set *set;
    const struct data_form *form;
    enum data_split split;
    const char *folder;
    const struct build_watch *watch; /* borrowed */
    /* numbers of the next ones within the split, from 0 */
    int group, puzzle, example;
};

static int group_puzzles(const struct writer *w, int group)
{
    return w->split == SPLIT_TRAIN ? data_set_group_variants(w->set, group)
                                   : data_set_task_variants(w->set, w->split, group);
}

static int group_pairs(const struct writer *w, int group)
{
    return w->split == SPLIT_TRAIN ? data_set_group_pairs(w->set, group)
                                   : data_set_task_tests(w->set, w->split, group);
}

static int group_count(const struct writer *w)
{
    return w->split == SPLIT_TRAIN ? data_set_info(w->set)->groups
                                   : data_set_task_count(w->set, w->split);
}

static int write_error(const char *path, struct error *err)
{
    return error_set(err, error_code_from_errno(errno), "write %s: %s", path, strerror(errno));
}

/* Opens a file, aside: path, fresh, has ASIDE at its end. */
static int open_file(FILE **out, char **path, const char *folder, const char *name,
                     struct error *err)
{
    *out = NULL;
    *path = format_string("%s/%s%s", folder, name, ASIDE);
    if (*path == NULL)
        return error_no_memory(err, "a path");
    *out = fopen(*path, "wbe");
    return *out == NULL ? write_error(*path, err) : 0;
}

/* Closes a file, gives it its name if all could be written, and frees path. Returns rc,
 * or an error. */
static int close_file(FILE *out, char *path, int rc, struct error *err)
{
    if (out == NULL) {
        free(path);
        return rc;
    }
    char *name = strndup(path, strlen(path) - strlen(ASIDE));
    bool bad = ferror(out) != 0;

    if ((fclose(out) != 0 || bad) && rc == 0)
        rc = write_error(path, err);
    if (rc == 0 && name == NULL)
        rc = error_no_memory(err, "a path");
    if (rc == 0 && rename(path, name) != 0)
        rc = write_error(name, err);
    if (rc < 0)
        unlink(path);
    free(name);
    free(path);
    return rc;
}

/* FOLDER/SET__NAME.npy with its header. */
static int open_array(FILE **out, char **path, const struct writer *w, const char *set,
                      const char *name, enum npy_type type, int64_t rows, int64_t columns,
                      struct error *err)
{
    char header[NPY_HEADER_SIZE], file[DATA_FORM_NAME_SIZE + 40];

    snprintf(file, sizeof file, "%s__%s.npy", set, name);
    npy_header(header, type, rows, columns);
    int rc = open_file(out, path, w->folder, file, err);
    if (rc == 0)
        fwrite(header, sizeof header, 1, *out);
    return rc;
}

/* Reads example number example of the split; unlabelled tokens become 0. */
static void read_row(const struct writer *w, int example, int32_t *inputs, int32_t *labels,
                     int32_t *identifier)
{
    int T = data_set_info(w->set)->seq_len;

    if (w->split == SPLIT_TRAIN)
        data_set_example(w->set, example, inputs, labels, identifier);
    else
        data_set_row(w->set, SPLIT_TEST, example, NULL, inputs, labels, identifier);
    for (int i = 0; i < T; i++)
        labels[i] = labels[i] == DATA_NO_LABEL ? 0 : labels[i];
}

/* Says how many examples of a set are written. */
static void tell(const struct writer *w, const struct data_form_set *set, int done, int count)
{
    char what[DATA_FORM_NAME_SIZE + 40];

    snprintf(what, sizeof what, "examples of %s/%s", FOLDERS[w->split], set->name);
    w->watch->tell(w->watch->user, what, done, count);
}

static int write_examples(const struct writer *w, const struct data_form_set *set, int count,
                          struct error *err)
{
    size_t T = (size_t)data_set_info(w->set)->seq_len;
    int32_t tokens[2 * GRID_MAX_CELLS], identifier;
    enum npy_type type = w->form->type[w->split];
    char *paths[2] = { NULL, NULL };
    FILE *files[2] = { NULL, NULL };
    int rc =
        open_array(&files[0], &paths[0], w, set->name, "inputs", type, count, (int64_t)T, err);

    if (rc == 0)
        rc = open_array(&files[1], &paths[1], w, set->name, "labels", type, count, (int64_t)T,
                        err);
    for (int i = 0; i < count && rc == 0; i++) {
        tell(w, set, i, count);
        read_row(w, w->example + i, tokens, tokens + T, &identifier);
        if (!npy_write(files[0], type, tokens, T))
            rc = write_error(paths[0], err);
        else if (!npy_write(files[1], type, tokens + T, T))
            rc = write_error(paths[1], err);
    }
    rc = close_file(files[0], paths[0], rc, err);
    return close_file(files[1], paths[1], rc, err);
}

static int write_numbers(const struct writer *w, const char *set, const char *name,
                         const int32_t *values, int count, struct error *err)
{
    char *path;
    FILE *out;
    int rc = open_array(&out, &path, w, set, name, NPY_I4, count, 0, err);

    if (rc == 0)
        npy_write(out, NPY_I4, values, (size_t)count);
    return close_file(out, path, rc, err);
}

/* The index arrays of a set, computed from its groups and their puzzles. */
struct indices {
    int32_t *groups, *puzzles, *identifiers; /* owned */
    int group_count, puzzle_count, example_count;
};

static int count_set(struct indices *out, const struct writer *w,
                     const struct data_form_set *set, struct error *err)
{
    int32_t tokens[2 * GRID_MAX_CELLS];

    *out = (struct indices){ .group_count = set->groups };
    for (int g = 0; g < set->groups; g++)
        out->puzzle_count += group_puzzles(w, w->group + g);
    out->groups = calloc((size_t)set->groups + 1, sizeof *out->groups);
    out->puzzles = calloc((size_t)out->puzzle_count + 1, sizeof *out->puzzles);
    out->identifiers = calloc((size_t)out->puzzle_count + 1, sizeof *out->identifiers);
    if (out->groups == NULL || out->puzzles == NULL || out->identifiers == NULL)
        return error_no_memory(err, "the indices");
    for (int g = 0, p = 0; g < set->groups; g++) {
        int puzzles = group_puzzles(w, w->group + g), pairs = group_pairs(w, w->group + g);
        for (int i = 0; i < puzzles; i++, p++) {
            read_row(w, w->example + out->example_count, tokens, tokens + GRID_MAX_CELLS,
                     &out->identifiers[p]);
            out->example_count += pairs;
            out->puzzles[p + 1] = out->example_count;
        }
        out->groups[g + 1] = p;
    }
    return 0;
}

static int write_set(struct writer *w, const struct data_form_set *set, struct error *err)
{
    struct indices n;
    int rc = count_set(&n, w, set, err);

    if (rc == 0)
        rc = write_examples(w, set, n.example_count, err);
    if (rc == 0)
        rc = write_numbers(w, set->name, "puzzle_indices", n.puzzles, n.puzzle_count + 1, err);
    if (rc == 0)
        rc = write_numbers(w, set->name, "group_indices", n.groups, n.group_count + 1, err);
    if (rc == 0)
        rc = write_numbers(w, set->name, "puzzle_identifiers", n.identifiers, n.puzzle_count,
                           err);
    w->group += n.group_count;
    w->puzzle += n.puzzle_count;
    w->example += n.example_count;
    free(n.groups);
    free(n.puzzles);
    free(n.identifiers);
    return rc;
}

static void print_facts(FILE *out, const struct writer *w)
{
    const struct data_info *info = data_set_info(w->set);
    const struct data_form *form = w->form;

    fprintf(out,
            "{\"pad_id\": 0, \"ignore_label_id\": 0, \"blank_identifier_id\": 0, "
            "\"vocab_size\": %d, \"seq_len\": %d, \"num_puzzle_identifiers\": %d, "
            "\"total_groups\": %d, \"mean_puzzle_examples\": ",
            info->vocab_size, info->seq_len, info->num_puzzle_identifiers, w->group);
    double mean = w->puzzle > 0 ? (double)w->example / w->puzzle : 0;
    if (form->whole_mean[w->split])
        fprintf(out, "%.0f", mean);
    else
        json_python_real(out, mean);
    if (form->total_puzzles[w->split])
        fprintf(out, ", \"total_puzzles\": %d", w->puzzle);
    fputs(", \"sets\": [", out);
    for (int i = 0; i < form->set_count[w->split]; i++) {
        fputs(i > 0 ? ", " : "", out);
        json_python_text(out, form->sets[w->split][i].name);
    }
    fputs("]}", out);
}

static int write_split(const struct data_set *set, const struct data_form *form,
                       enum data_split split, const char *directory,
                       const struct build_watch *watch, struct error *err)
{
    struct writer w = { .set = set, .form = form, .split = split, .watch = watch };
    char *folder = file_join(directory, FOLDERS[split]), *path = NULL;
    FILE *out = NULL;
    int rc =
        folder == NULL ? error_no_memory(err, "a path") : file_make_directories(folder, err);

    w.folder = folder;
    for (int i = 0; i < form->set_count[split] && rc == 0; i++)
        rc = write_set(&w, &form->sets[split][i], err);
    if (rc == 0)
        rc = open_file(&out, &path, folder, "dataset.json", err);
    if (rc == 0)
        print_facts(out, &w);
    rc = close_file(out, path, rc, err);
    free(folder);
    return rc;
}

static int write_identifiers(const struct data_set *set, const char *directory,
                             struct error *err)
{
    char room[DATA_IDENTIFIER_SIZE], *path;
    FILE *out;
    int rc = open_file(&out, &path, directory, "identifiers.json", err);

    for (int i = 0; i < data_set_info(set)->num_puzzle_identifiers && rc == 0; i++) {
        fputs(i == 0 ? "[" : ", ", out);
        json_python_text(out, data_set_identifier(set, i, room));
    }
    if (rc == 0)
        fputc(']', out);
    return close_file(out, path, rc, err);
}

/* The tasks of the tests with all their pairs, as JSON. NULL: no memory. */
static cJSON *tests_json(const struct data_set *set)
{
    const struct data_source *source = data_set_source(set);
    cJSON *root = cJSON_CreateObject();
    bool ok = root != NULL;

    for (int t = 0; t < data_set_task_count(set, SPLIT_TEST) && ok; t++) {
        struct arc_task task;
        struct error ignored;
        ok = arc_task_copy(&task, source, data_set_source_index(set, SPLIT_TEST, t),
                           &ignored) == 0 &&
             cJSON_AddItemToObject(root, task.name, arc_task_to_json(&task));
        arc_task_release(&task);
    }
    if (ok)
        return root;
    cJSON_Delete(root);
    return NULL;
}

static int write_tests(const cJSON *tests, const char *directory, struct error *err)
{
    char *path;
    FILE *out;
    int rc = open_file(&out, &path, directory, "test_puzzles.json", err);

    if (rc == 0)
        json_python_write(out, tests);
    return close_file(out, path, rc, err);
}

/* The format in which a data set that was not read from such a directory is written. */
static struct data_form new_form(const struct data_set *set, cJSON *tests)
{
    const struct data_kind *kind = data_set_source(set)->kind;
    const struct data_info *info = data_set_info(set);
    bool shuffled = info->puzzles > info->groups;
    struct data_form form = {
        .set_count = { 1, 1 },
        .type = { NPY_U1, kind->wide_shuffles && shuffled ? NPY_I8 : NPY_U1 },
        .whole_mean = { !kind->has_identifiers, !kind->has_identifiers },
        .total_puzzles = { true, true },
        .tests = tests,
    };

    for (int split = 0; split < 2; split++) {
        struct writer w = { .set = set, .split = (enum data_split)split };
        strcpy(form.sets[split][0].name, "all");
        form.sets[split][0].groups = group_count(&w);
    }
    return form;
}

/* Returns ERROR_FORMAT if the directory already has a data set. */
static int check_place(const char *directory, struct error *err)
{
    char *path = file_join(directory, "identifiers.json");
    int rc = path == NULL        ? error_no_memory(err, "a path")
             : file_exists(path) ? error_set(err, ERROR_FORMAT,
                                             "%s is there already; give another directory, or "
                                             "take that data set away",
                                             path)
                                 : 0;

    free(path);
    return rc;
}

int built_write(const struct data_set *set, const char *directory,
                const struct build_watch *watch, struct error *err)
{
    const struct data_source *source = data_set_source(set);
    bool submits = source->kind->submits, read = source->kind->form != NULL;
    cJSON *tests = submits && !read ? tests_json(set) : NULL;
    struct data_form form = read ? *source->kind->form(source->content) : new_form(set, tests);
    int rc = submits && !read && tests == NULL ? error_no_memory(err, "the tasks")
                                               : check_place(directory, err);

    if (rc == 0)
        rc = write_split(set, &form, SPLIT_TRAIN, directory, watch, err);
    if (rc == 0)
        rc = write_split(set, &form, SPLIT_TEST, directory, watch, err);
    if (rc == 0 && form.tests != NULL)
        rc = write_tests(form.tests, directory, err);
    if (rc == 0)
        rc = write_identifiers(set, directory, err);
    cJSON_Delete(tests);
    return rc;
}
