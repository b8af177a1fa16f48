/* test_golden_dataset.c - the recorded data pipeline, and that a perturbed copy fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "golden_dataset.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

static cJSON *root;

static int read_recorded(void **state)
{
    const char *shared = getenv("HRMLAB_SHARED");
    char *path = format_string("%s/golden/dataset.json", shared != NULL ? shared : "../shared");
    struct error err;

    (void)state;
    if (file_exists(path) && json_read_file(&root, path, JSON_DATA_LIMIT, &err) < 0)
        return -1;
    free(path);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    cJSON_Delete(root);
    return 0;
}

static int check(const cJSON *json)
{
    char path[] = "/tmp/hrmlab-dataset-XXXXXX";
    struct error err;
    char *text = cJSON_PrintUnformatted(json);
    FILE *nowhere = fopen("/dev/null", "w");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, text, strlen(text), path, &err), 0);
    fclose(fdopen(fd, "w"));
    int result = golden_dataset_check(path, nowhere);
    fclose(nowhere);
    free(text);
    remove(path);
    return result;
}

static void the_recorded_file_passes(void **state)
{
    (void)state;
    if (root == NULL) {
        print_message("skip: the shared golden files are absent\n");
        skip();
    }
    assert_int_equal(check(root), 0);
}

/* The place named by path ("voting/pools/0/result/pass@2") in a copy. */
static cJSON *find(cJSON *item, const char *path)
{
    char *copy = strdup(path), *save = NULL;

    for (char *word = strtok_r(copy, "/", &save); word != NULL && item != NULL;
         word = strtok_r(NULL, "/", &save))
        item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, atoi(word))
                                   : cJSON_GetObjectItemCaseSensitive(item, word);
    free(copy);
    return item;
}

static void each_kind_of_value_is_checked(void **state)
{
    static const char *const places[] = {
        "dihedral/inverse_table/1",
        "dihedral/cases/1/transformed/0/0",
        "dihedral/cases/2/inverse_of_grid/0/0",
        "dihedral/cases/3/round_trip/0/0",
        "augmentation/cases/0/trans_id",
        "augmentation/cases/0/colour_map/3",
        "augmentation/cases/0/inverse_colour_map/3",
        "augmentation/cases/0/augmented/0/0",
        "augmentation/cases/0/restored/0/0",
        "grid_to_sequence/cases/0/input_tokens/40",
        "grid_to_sequence/cases/0/output_tokens/40",
        "grid_to_sequence/cases/1/pad_r",
        "grid_to_sequence/cases/1/randint_ranges/0/1",
        "crop/cases/0/shape/0",
        "crop/cases/0/grid/0/0",
        "hash/grids/0/grid/0/0",
        "hash/puzzles/0/puzzle/test/0/output/0/0",
        "voting/pools/0/result/pass@2",
        "voting/pools/0/ranked_per_test_with_predictions/0/0/votes",
        "voting/pools/0/ranked_per_test_with_predictions/0/0/mean_q",
        "voting/pools/0/ranked_per_test_with_predictions/0/0/grid/0/0",
        "voting/pools/0/submission/2e262799/0/attempt_2/0/0",
        "voting/pools/0/augmentation_ablation/0/result/pass@1",
        "voting/pools/0/augmentation_ablation/0/sampled_positions/0/0",
        "voting/pools/0/predictions/3/prediction_after_inverse/0/0",
        "sudoku_shuffle/cases/0/shuffled_board/0/0",
        "sudoku_shuffle/cases/0/digit_map/1",
        "sudoku_shuffle/cases/0/token_example/0",
        "sudoku_shuffle/cases/0/shuffled_solution/3/3",
        "maze/tokens/3",
        "maze/augmented/5/tokens/3",
        "maze/char_to_token/o",
        "lr_schedule/1/steps/3/lr",
        "lr_schedule/1/warmup",
    };

    (void)state;
    if (root == NULL) {
        print_message("skip: the shared golden files are absent\n");
        skip();
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        cJSON *copy = cJSON_Duplicate(root, 1), *item = find(copy, places[i]);
        if (!cJSON_IsNumber(item))
            fail_msg("no number at %s", places[i]);
        double value = item->valuedouble;
        /* Colours and tokens stay legal; other values move by a thousandth. */
        cJSON_SetNumberValue(item, value == (double)(int)value
                                       ? (value > 4 ? value - 1 : value + 1)
                                       : value * 1.001);
        if (check(copy) == 0)
            fail_msg("a change at %s is not seen", places[i]);
        cJSON_Delete(copy);
    }
}

static void an_unknown_section_is_an_error(void **state)
{
    (void)state;
    if (root == NULL) {
        print_message("skip: the shared golden files are absent\n");
        skip();
    }
    cJSON *copy = cJSON_Duplicate(root, 1);
    cJSON_AddObjectToObject(copy, "surprise");
    assert_int_equal(check(copy), 1);
    cJSON_Delete(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_file_passes),
        cmocka_unit_test(each_kind_of_value_is_checked),
        cmocka_unit_test(an_unknown_section_is_an_error),
    };

    return cmocka_run_group_tests_name("golden dataset", tests, read_recorded, forget);
}
