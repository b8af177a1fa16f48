/* arc_choose.c - chooses the sets and tasks that are trained on and tested. */
#include "arc_choose.h"

#include "arc_repeated.h"
#include "arc_share.h"
#include "error.h"
#include "file.h"
#include "leak.h"
#include "settings.h"
#include "task_names.h"
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of tasks left out, by reason. */
struct left_out {
    struct arc_repeated twice; /* another task of that name is taken */
    int set;                   /* its set is neither trained on nor tested */
    int subset, not_named, too_large;
    int copies; /* of an evaluation task, under another name */
    struct arc_share share;
};

static bool contains(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

/* Without data.test_sets: the sets called evaluation, and test (the contest's hidden
 * tasks); where there is neither, every set that is not called training. */
static bool tested_by_default(const struct arc_tasks *tasks, const struct arc_set *set)
{
    bool named = false;

    if (set->lists)
        return false;
    for (int i = 0; i < tasks->set_count; i++)
        named = named || contains(tasks->sets[i].name, "evaluation") ||
                strncmp(tasks->sets[i].name, "test", 4) == 0;
    return named ? contains(set->name, "evaluation") || strncmp(set->name, "test", 4) == 0
                 : !contains(set->name, "training");
}

/* NAME, or SOURCE/NAME where several sources have a set of that name. */
static bool word_is_set(const struct word *word, const struct arc_set *set)
{
    size_t source = strlen(set->source);

    if (word_is(word, set->name))
        return true;
    return (size_t)word->length == source + 1 + strlen(set->name) &&
           memcmp(word->text, set->source, source) == 0 && word->text[source] == '/' &&
           memcmp(word->text + source + 1, set->name, strlen(set->name)) == 0;
}

static bool list_has_set(const char *list, const struct arc_set *set)
{
    struct word word = { .next = list };

    while (word_next(&word))
        if (word_is_set(&word, set))
            return true;
    return false;
}

/* Whether another source has a set of the same name. */
static bool is_shared_name(const struct arc_tasks *tasks, const struct arc_set *set)
{
    for (int i = 0; i < tasks->set_count; i++)
        if (&tasks->sets[i] != set && strcmp(tasks->sets[i].name, set->name) == 0)
            return true;
    return false;
}

const char *arc_set_title(char out[2 * ARC_NAME_SIZE], const struct arc_tasks *tasks,
                          const struct arc_set *set)
{
    bool shared = is_shared_name(tasks, set);

    snprintf(out, (size_t)2 * ARC_NAME_SIZE, "%s%s%s", shared ? set->source : "",
             shared ? "/" : "", set->name);
    return out;
}

/* Every word of the list must be the name of a set. */
static int check_sets(const struct arc_tasks *tasks, const char *key, const char *list,
                      struct error *err)
{
    struct word word = { .next = list };

    while (word_next(&word)) {
        bool found = false;
        for (int i = 0; i < tasks->set_count; i++)
            found = found || word_is_set(&word, &tasks->sets[i]);
        if (found)
            continue;
        int rc = error_set(err, ERROR_FORMAT,
                           "%s: there is no set \"%.*s\" in the data; the sets are", key,
                           word.length < 60 ? word.length : 60, word.text);
        for (int i = 0; i < tasks->set_count; i++) {
            size_t used = err != NULL ? strlen(err->message) : 0;
            char title[2 * ARC_NAME_SIZE];
            if (err != NULL)
                snprintf(err->message + used, sizeof err->message - used, "%s %s",
                         i > 0 ? "," : "", arc_set_title(title, tasks, &tasks->sets[i]));
        }
        return rc;
    }
    return 0;
}

int arc_choose_sets(struct arc_tasks *tasks, const struct config *config, struct error *err)
{
    const char *train = config_text(config, DATA_TRAIN_SETS);
    const char *test = config_text(config, DATA_TEST_SETS);
    int rc = check_sets(tasks, "data.train_sets", train, err);

    if (rc == 0)
        rc = check_sets(tasks, "data.test_sets", test, err);
    for (int i = 0; i < tasks->set_count && rc == 0; i++) {
        struct arc_set *set = &tasks->sets[i];
        set->named = list_has_set(test, set);
        set->trained = train[0] == '\0' || list_has_set(train, set);
        set->tested = test[0] == '\0' ? tested_by_default(tasks, set) : set->named;
        if (set->tested && set->lists)
            rc =
                error_set(err, ERROR_FORMAT,
                          "data.test_sets: the set %s is of lists of pairs (%s), which have no "
                          "tests",
                          set->name, set->path);
    }
    return rc;
}

/* The settings that choose tasks. */
struct wishes {
    const struct config *config;
    struct task_names names; /* of data.tasks */
};

/* Removes tasks that were released and tasks for which wanted() is false; counts the
 * latter. */
static void sift(struct arc_tasks *tasks, const struct wishes *wishes,
                 bool (*wanted)(const struct arc_task *, const struct wishes *), int *count)
{
    int kept = 0;

    for (int i = 0; i < tasks->count; i++) {
        struct arc_task *task = &tasks->tasks[i];
        bool gone = task->pairs == NULL;
        if (!gone && wanted(task, wishes)) {
            tasks->tasks[kept++] = *task;
            continue;
        }
        *count += !gone;
        arc_task_release(task);
    }
    tasks->count = kept;
}

static bool in_a_set(const struct arc_task *task, const struct wishes *wishes)
{
    (void)wishes;
    return task->trained || task->evaluation;
}

static bool in_subset(const struct arc_task *task, const struct wishes *wishes)
{
    return task->evaluation ||
           strcmp(config_choice(wishes->config, DATA_SUBSET), "evaluation-only") != 0;
}

static bool is_named(const struct arc_task *task, const struct wishes *wishes)
{
    return wishes->names.count == 0 || task_names_have(&wishes->names, task->name);
}

static bool fits(const struct arc_task *task, const struct wishes *wishes)
{
    return arc_task_side(task) <= config_int(wishes->config, DATA_CANVAS);
}

static int compare_with_name(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns ERROR_FORMAT unless every name of data.tasks is the name of a task. */
static int check_named(const struct arc_tasks *tasks, const struct task_names *names,
                       struct error *err)
{
    const char **known =
        names->count > 0 ? malloc(((size_t)tasks->count + 1) * sizeof *known) : NULL;

    if (names->count == 0)
        return 0;
    if (known == NULL)
        return error_no_memory(err, "the names of tasks");
    for (int i = 0; i < tasks->count; i++)
        known[i] = tasks->tasks[i].name;
    qsort(known, (size_t)tasks->count, sizeof *known, compare_texts);
    int rc = 0;
    for (int i = 0; i < names->count && rc == 0; i++) {
        const struct task_name *name = &names->names[i];
        if (bsearch(name->text, known, (size_t)tasks->count, sizeof *known,
                    compare_with_name) != NULL)
            continue;
        rc = name->line == 0
                 ? error_set(err, ERROR_FORMAT,
                             "data.tasks: there is no task \"%.100s\" in the data", name->text)
                 : error_set(err, ERROR_FORMAT,
                             "%s:%d: there is no task \"%.100s\" in the data (data.tasks)",
                             names->path, name->line, name->text);
    }
    free(known);
    return rc;
}

static int compare_tasks(const void *a, const void *b)
{
    const struct arc_task *x = a, *y = b;

    if (x->evaluation != y->evaluation)
        return x->evaluation ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* Returns ERROR_FORMAT if no evaluation task is left; the message gives the reason. */
static int check_kept(const struct arc_tasks *tasks, const struct config *config,
                      const struct left_out *out, struct error *err)
{
    const char *path = config_text(config, DATA_PATH);
    int evaluation = 0, others = out->set + out->subset;

    for (int i = 0; i < tasks->count; i++)
        evaluation += tasks->tasks[i].evaluation;
    if (evaluation > 0)
        return 0;
    if (tasks->count == 0 && out->too_large > 0)
        return error_set(err, ERROR_FORMAT,
                         "data.path = %s: none of %d tasks is left on a canvas of %" PRId64
                         "; raise data.canvas",
                         path, out->too_large, config_int(config, DATA_CANVAS));
    return error_set(
        err, ERROR_FORMAT,
        "data.path = %s: no evaluation task among %d tasks%s; evaluation tasks "
        "stand in evaluation/, in *_challenges.json not called training, or in a "
        "set that data.test_sets names",
        path, tasks->count + others,
        out->too_large + out->not_named > 0 ? " that fit data.canvas and data.tasks" : "");
}

static char *set_counts(const struct arc_tasks *tasks)
{
    char *text = strdup("");

    for (int i = 0; i < tasks->set_count && text != NULL; i++) {
        const struct arc_set *set = &tasks->sets[i];
        char title[2 * ARC_NAME_SIZE];
        if (set->tasks == 0)
            continue;
        char *longer = format_string("%s%s%s %d%s", text, text[0] != '\0' ? ", " : "",
                                     arc_set_title(title, tasks, set), set->tasks,
                                     set->repeated == set->tasks && set->tested && !set->named
                                         ? " (a placeholder: all stand in other sets)"
                                         : "");
        free(text);
        text = longer;
    }
    return text;
}

/* "; left out: 2 larger than the canvas of 10, 3 not in data.tasks"; empty when nothing
 * was left out. */
static char *reasons(const struct left_out *out)
{
    char repeated[100];

    if (out->twice.tested > 0)
        snprintf(repeated, sizeof repeated,
                 "in two sets and taken once (%d of them as evaluation tasks)",
                 out->twice.tested);
    else
        snprintf(repeated, sizeof repeated, "in two sets and taken once");
    const struct {
        int count;
        const char *text;
    } list[] = { { out->twice.same, repeated },
                 { out->twice.different,
                   "of a name that is taken from another set (data.duplicates)" },
                 { out->set, "in no set of data.train_sets and data.test_sets" },
                 { out->subset, "not in data.subset" },
                 { out->not_named, "not in data.tasks" },
                 { out->too_large, "larger than data.canvas" },
                 { out->copies, "copies of evaluation tasks (data.drop_leaked)" },
                 { out->share.untrained, "training tasks by data.task_share" },
                 { out->share.untested, "evaluation tasks by data.test_tasks" } };
    char *text = strdup("");

    for (size_t i = 0; i < sizeof list / sizeof *list && text != NULL; i++) {
        if (list[i].count == 0)
            continue;
        char *longer = format_string("%s%s%d %s", text, text[0] == '\0' ? "; left out: " : ", ",
                                     list[i].count, list[i].text);
        free(text);
        text = longer;
    }
    if (text != NULL && out->share.pairs > 0) {
        char *longer = format_string("%s; %d of %d training pairs left out by data.pair_share",
                                     text, out->share.pairs, out->share.of_pairs);
        free(text);
        text = longer;
    }
    return text;
}

/* The counts of tasks as a sentence. Returns newly allocated text, or NULL: no
 * memory. */
static char *count_in_words(const struct arc_tasks *tasks, const struct left_out *out,
                            int leaked)
{
    char *sets = set_counts(tasks), *why = reasons(out), *text = NULL;
    int trained = 0, tested = 0, hidden = 0;
    char without[80] = "", copies[100] = "";

    for (int i = 0; i < tasks->count; i++) {
        trained += tasks->tasks[i].trained;
        tested += tasks->tasks[i].evaluation;
        hidden += tasks->tasks[i].evaluation && arc_task_has_hidden(&tasks->tasks[i]);
    }
    if (hidden > 0)
        snprintf(without, sizeof without, " (%d of them without solutions)", hidden);
    if (leaked > 0)
        snprintf(copies, sizeof copies, ", copies of %d of them trained on", leaked);
    if (sets != NULL && why != NULL)
        text = format_string("read %s; %d task%s trained on, %d tested%s%s%s", sets, trained,
                             trained == 1 ? "" : "s", tested, without, copies, why);
    free(sets);
    free(why);
    return text;
}

/* Finds evaluation tasks of which a copy under another name is trained on. With
 * data.drop_leaked, removes these copies. *leaked is the number of evaluation tasks
 * whose copies remain. */
static int choose_copies(struct arc_tasks *tasks, const struct wishes *wishes,
                         struct left_out *out, int *leaked, struct error *err)
{
    struct leaks leaks;
    int gone = 0;
    int rc = leaks_find_trained(&leaks, tasks, err);

    if (rc < 0)
        return rc;
    *leaked = leaks.tasks;
    if (config_bool(wishes->config, DATA_DROP_LEAKED)) {
        *leaked = 0;
        for (int i = 0; i < leaks.count; i++) {
            struct arc_task *copy = &tasks->tasks[leaks.list[i].copy];
            out->copies += copy->pairs != NULL;
            arc_task_release(copy);
        }
        sift(tasks, wishes, in_a_set, &gone);
    }
    leaks_release(&leaks);
    return 0;
}

/* Marks the tasks of the chosen sets; removes the others and repeated tasks. */
static int choose_by_sets(struct arc_tasks *tasks, const struct wishes *wishes,
                          struct left_out *out, struct error *err)
{
    int rc = arc_choose_sets(tasks, wishes->config, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < tasks->count; i++) {
        tasks->tasks[i].trained = tasks->sets[tasks->tasks[i].set].trained;
        tasks->tasks[i].evaluation = tasks->sets[tasks->tasks[i].set].tested;
    }
    sift(tasks, wishes, in_a_set, &out->set);
    return arc_merge_repeated(&out->twice, tasks,
                              config_choice(wishes->config, DATA_DUPLICATES), err);
}

int arc_choose(struct arc_choice *out, struct arc_tasks *tasks, const struct config *config,
               struct error *err)
{
    struct wishes wishes = { .config = config };
    struct left_out gone = { 0 };
    int rc =
        task_names_read(&wishes.names, &tasks->files, config_text(config, DATA_TASKS), err);

    *out = (struct arc_choice){ 0 };
    if (rc == 0)
        rc = choose_by_sets(tasks, &wishes, &gone, err);
    if (rc == 0)
        rc = check_named(tasks, &wishes.names, err);
    if (rc == 0) {
        sift(tasks, &wishes, in_subset, &gone.subset);
        sift(tasks, &wishes, is_named, &gone.not_named);
        sift(tasks, &wishes, fits, &gone.too_large);
        rc = check_kept(tasks, config, &gone, err);
    }
    if (rc == 0)
        rc = arc_share_tasks(&gone.share, tasks, config, err);
    if (rc == 0)
        rc = choose_copies(tasks, &wishes, &gone, &out->leaked, err);
    if (rc == 0)
        rc = arc_share_pairs(&gone.share, tasks, config, err);
    task_names_release(&wishes.names);
    if (rc < 0)
        return rc;
    qsort(tasks->tasks, (size_t)tasks->count, sizeof *tasks->tasks, compare_tasks);
    out->left_out = gone.twice.same + gone.twice.different + gone.set + gone.subset +
                    gone.not_named + gone.too_large + gone.copies + gone.share.untrained +
                    gone.share.untested;
    out->counts = count_in_words(tasks, &gone, out->leaked);
    return out->counts == NULL ? error_no_memory(err, "the tasks") : 0;
}
