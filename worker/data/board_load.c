/* board_load.c - boards, generated or from files, and the choice among them. */
#include "board_load.h"

#include "error.h"
#include "file.h"
#include "work.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool board_is_file(const char *path)
{
    size_t length = strlen(path);

    return length >= 4 && strcmp(path + length - 4, ".csv") == 0;
}

int board_find_folder(bool *is, const char *path, struct error *err)
{
    char *train = file_join(path, "train.csv"), *test = file_join(path, "test.csv");
    struct stat status;
    int rc = train == NULL || test == NULL ? error_no_memory(err, "a path") : 0;

    *is = rc == 0 && (stat(train, &status) == 0 || stat(test, &status) == 0);
    free(train);
    free(test);
    return rc;
}

/* What the files hold and what was chosen. */
struct choice {
    int read, easier;
    int train_of, test_of; /* boards available for each */
    char copies[200];      /* what is said of boards tested that are trained on, too */
};

static int compare_ints(const void *a, const void *b)
{
    const int *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static int least(int64_t a, int64_t b)
{
    return (int)(a < b ? a : b);
}

/*
 * Draws train of the first train_of boards and test of the remaining ones, each in the
 * order of the files. A single file has no split of its own (train_of is all of them):
 * the test boards are drawn first, at most half, and the others are trained on.
 */
static int choose(struct boards *boards, const struct board_form *form,
                  const struct config *config, struct choice *choice, struct error *err)
{
    int all = boards->count, split = choice->train_of;
    int64_t train = config_int(config, form->train);
    int64_t test = config_int(config, form->test);
    uint64_t seed = (uint64_t)config_int(config, DATA_GENERATOR_SEED);
    struct random_stream stream = random_stream(seed, form->subsample, 0);
    struct random_stream test_stream = random_stream(seed, form->subsample, 1);
    int *order = malloc(((size_t)all + 1) * sizeof *order);

    if (order == NULL)
        return error_no_memory(err, "the boards");
    for (int i = 0; i < all; i++)
        order[i] = i;
    if (split == all) { /* a single file */
        random_shuffle(&stream, order, all);
        choice->test_of = all;
        split = all - (test == 0 ? all / 2 : least(test, all / 2));
        choice->train_of = split;
    } else {
        choice->test_of = all - split;
    }
    int trained = train == 0 ? split : least(train, split);
    int tested = test == 0 ? all - split : least(test, all - split);
    if (choice->test_of < all && trained < split)
        random_shuffle(&stream, order, split);
    if (choice->test_of < all && tested < all - split)
        random_shuffle(&test_stream, order + split, all - split);
    qsort(order, (size_t)trained, sizeof *order, compare_ints);
    qsort(order + split, (size_t)tested, sizeof *order, compare_ints);
    memmove(order + trained, order + split, (size_t)tested * sizeof *order);
    int rc = boards_keep(boards, order, trained + tested, err);
    boards->train = trained;
    free(order);
    return rc;
}

/* Takes away the boards trained on that are tested, too. */
static int drop_copies(struct boards *boards, const int32_t *copy_of, struct choice *choice,
                       struct error *err)
{
    int *kept = malloc(((size_t)boards->count + 1) * sizeof *kept);
    int count = 0, train = boards->train;

    if (kept == NULL)
        return error_no_memory(err, "the boards");
    for (int i = 0; i < boards->count; i++)
        if (i >= train || copy_of[i] < 0)
            kept[count++] = i;
    int gone = boards->count - count;
    int rc = gone == train ? error_set(err, ERROR_FORMAT,
                                       "data.drop_leaked: each of the %d boards to train on is "
                                       "also tested on: nothing is left",
                                       train)
                           : boards_keep(boards, kept, count, err);

    boards->train = train - gone;
    snprintf(choice->copies, sizeof choice->copies,
             "; left out: %d copies of boards tested (data.drop_leaked)", gone);
    free(kept);
    return rc;
}

/* Finds boards tested on that are trained on, too: in a file a board may stand twice,
 * and generated ones may be equal. With data.drop_leaked takes the copies away. */
static int choose_copies(struct boards *boards, struct data_source *out,
                         const struct config *config, struct choice *choice, struct error *err)
{
    int32_t *copy_of = malloc(((size_t)boards->train + 1) * sizeof *copy_of);
    char one[DATA_NAME_SIZE], other[DATA_NAME_SIZE];
    int tested = 0, first = 0;
    int rc = copy_of == NULL ? error_no_memory(err, "the boards")
                             : boards_find_copies(copy_of, &tested, boards, err);

    if (rc == 0 && tested > 0 && config_bool(config, DATA_DROP_LEAKED)) {
        rc = drop_copies(boards, copy_of, choice, err);
    } else if (rc == 0 && tested > 0) {
        while (copy_of[first] < 0)
            first++;
        board_task_name(boards, first, one);
        board_task_name(boards, copy_of[first], other);
        snprintf(choice->copies, sizeof choice->copies,
                 ", copies of %d of them trained on (first %s, which is %s)", tested, one,
                 other);
        out->leaked = tested;
    }
    free(copy_of);
    return rc;
}

static int read_file(struct boards *boards, struct data_source *out, const char *path,
                     const struct board_form *form, const struct config *config,
                     struct choice *choice, struct error *err)
{
    int easier = 0, read = 0;
    int rc = data_files_add(&out->files, path, err);

    if (rc == 0)
        rc = board_csv_read(boards, path, (double)config_int(config, DATA_MIN_DIFFICULTY),
                            form->parse, &easier, &read, err);
    choice->read += read;
    choice->easier += easier;
    return rc;
}

static int read_folder(struct boards *boards, struct data_source *out, const char *path,
                       const struct board_form *form, const struct config *config,
                       struct choice *choice, struct error *err)
{
    char *train = file_join(path, "train.csv"), *test = file_join(path, "test.csv");
    int rc = train == NULL || test == NULL ? error_no_memory(err, "the boards") : 0;

    if (rc == 0 && (!file_exists(train) || !file_exists(test)))
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: there is no %s beside %s; give a folder with both, or "
                       "one file, which is then split",
                       path, file_exists(train) ? "test.csv" : "train.csv",
                       file_exists(train) ? "train.csv" : "test.csv");
    if (rc == 0)
        rc = data_files_add(&out->files, path, err);
    if (rc == 0)
        rc = read_file(boards, out, train, form, config, choice, err);
    choice->train_of = boards->count;
    if (rc == 0)
        rc = read_file(boards, out, test, form, config, choice, err);
    free(train);
    free(test);
    return rc;
}

static void tell(struct data_source *out, const struct boards *boards,
                 const struct board_form *form, const struct choice *choice, bool one)
{
    out->left_out = choice->read - boards->count;
    out->text = format_string("%s %d x %d from CSV", form->title, boards->side, boards->side);
    out->counts = format_string(
        "read %d puzzles (%d below data.min_difficulty left out); %d of %d trained on "
        "(%s), %d of %d tested (%s)%s%s",
        choice->read, choice->easier, boards->train, choice->train_of,
        settings_table[form->train].key, boards->count - boards->train, choice->test_of,
        settings_table[form->test].key, choice->copies,
        one ? "; one file, so that the test puzzles are drawn from it" : "");
}

static int load_files(struct boards *boards, struct data_source *out,
                      const struct board_form *form, const struct config *config,
                      struct error *err)
{
    const char *path = config_text(config, DATA_PATH);
    bool one = board_is_file(path);
    struct choice choice = { 0 };
    int rc = one ? read_file(boards, out, path, form, config, &choice, err)
                 : read_folder(boards, out, path, form, config, &choice, err);

    boards->name[0] = "train";
    boards->name[1] = "test";
    if (one)
        choice.train_of = boards->count;
    if (rc == 0 &&
        (one ? boards->count < 2 : choice.train_of == 0 || boards->count == choice.train_of))
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: %d puzzles read, %d of them below "
                       "data.min_difficulty; expected at least one to train on and one to "
                       "test on",
                       path, choice.read, choice.easier);
    if (rc == 0)
        rc = choose(boards, form, config, &choice, err);
    if (rc == 0)
        rc = choose_copies(boards, out, config, &choice, err);
    if (rc == 0)
        tell(out, boards, form, &choice, one);
    return rc;
}

static int generate(struct boards *boards, struct data_source *out,
                    const struct board_form *form, const struct config *config,
                    struct error *err)
{
    int64_t train = config_int(config, form->train), test = config_int(config, form->test);
    int64_t seed = config_int(config, DATA_GENERATOR_SEED);
    struct choice choice = { 0 };
    int rc = 0;

    if (train == 0 || test == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s = 0: expected at least 1 (0 means all %s of a CSV file, but "
                         "these are generated)",
                         settings_table[train == 0 ? form->train : form->test].key,
                         form->plural);
    boards->side = (int)config_int(config, form->side);
    boards->train = (int)train;
    boards->name[0] = boards->name[1] = form->name;
    for (int64_t i = 0; i < train + test && rc == 0; i++) {
        struct random_stream stream = random_stream((uint64_t)seed, form->name, (uint64_t)i);

        rc = form->generate(boards, (int32_t)i, config, &stream, err);
        if (rc == 0)
            rc = work_done(1, err);
    }
    if (rc == 0)
        rc = choose_copies(boards, out, config, &choice, err);
    out->left_out = (int)(train + test) - boards->count;
    out->text = format_string("%s %dx%d, generator seed %" PRId64, form->builtin, boards->side,
                              boards->side, seed);
    out->counts = format_string("generated %d %s trained on, %d tested%s", boards->train,
                                form->plural, boards->count - boards->train, choice.copies);
    return rc;
}

int board_load(struct data_source *out, const struct board_form *form,
               const struct config *config, struct error *err)
{
    struct boards *boards = calloc(1, sizeof *boards);

    if (boards == NULL)
        return error_no_memory(err, "the boards");
    out->content = boards;
    int rc = strcmp(config_text(config, DATA_PATH), form->builtin) == 0
                 ? generate(boards, out, form, config, err)
                 : load_files(boards, out, form, config, err);
    out->task_count = boards->count;
    out->side = boards->side;
    return rc;
}
