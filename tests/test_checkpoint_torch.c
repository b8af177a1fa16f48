/* test_checkpoint_torch.c - a trained checkpoint gives the same measures in PyTorch, by an
 * implementation that was written from the description alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/place.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SPEC[] =
    "{\"name\": \"t\", \"set\": {\"data.path\": \"builtin:sudoku\", \"data.sudoku_side\": 4,"
    " \"data.sudoku_train\": 40, \"data.sudoku_test\": 70, \"data.num_aug\": 2,"
    " \"arch.hidden_size\": 32, \"arch.num_heads\": 2, \"arch.H_layers\": 2,"
    " \"arch.L_layers\": 1, \"arch.ffn_multiple\": 32, \"arch.puzzle_emb_ndim\": 0,"
    " \"arch.halt_max_steps\": 3, \"train.max_steps\": 20, \"train.global_batch_size\": 16,"
    " \"train.lr\": 0.003, \"train.lr_warmup_steps\": 1},"
    " \"evaluate\": {\"eval.halt_max_steps\": 3}}";

/* Where the other implementation is; NULL: not here. */
static const char *find_peer(char path[200])
{
    const char *shared = getenv("HRMLAB_SHARED");

    snprintf(path, 200, "%s/tools/peer_torch.py", shared != NULL ? shared : "../shared");
    return file_exists(path) ? path : NULL;
}

static void run(const struct place *place, const char *const *words)
{
    char *out, *errors;

    if (place_run(place, words, &out, &errors) != 0)
        fail_msg("%s", errors);
    free(out);
    free(errors);
}

static double ask(const struct place *place, const char *measure)
{
    char *sql = format_string("SELECT printf('%%!.12f', value) FROM measure_value"
                              " WHERE name = '%s' AND step = 20",
                              measure);
    char *text = place_ask(place, sql);
    double value = strtod(text, NULL);

    free(text);
    free(sql);
    return value;
}

static void a_checkpoint_scores_the_same_in_torch(void **state)
{
    double accuracy = -1, exact = -1, loss = -1;
    char peer[200], line[300] = "";
    struct place place;
    struct error err;

    (void)state;
    if (find_peer(peer) == NULL ||
        system("/usr/bin/python3 -c 'import torch' >/dev/null 2>&1") != 0) {
        print_message("skipped: needs %s and Debian's python3-torch\n", peer);
        skip();
    }
    place_make(&place);
    assert_int_equal(file_write_atomic(place.spec, SPEC, strlen(SPEC), &err), 0);
    char *data = file_join(place.directory, "data");
    char *directory;

    run(&place, (const char *const[]){ "run", place.spec, "--jobs", "1", NULL });
    run(&place, (const char *const[]){ "data", "build", place.spec, "-o", data, "--layout",
                                       "published", NULL });
    directory = place_ask(&place, "SELECT directory FROM attempt");
    char *command =
        format_string("/usr/bin/python3 tests/support/checkpoint_torch.py %s/%s %s 3 %s",
                      place.workspace, directory, data, peer);
    FILE *script = popen(command, "r");

    assert_non_null(script);
    assert_non_null(fgets(line, sizeof line, script));
    assert_int_equal(pclose(script), 0);
    if (sscanf(line, "70 rows: per_token_accuracy %lf, exact_rows %lf, lm_loss %lf", &accuracy,
               &exact, &loss) != 3)
        fail_msg("%s", line);
    assert_true(fabs(accuracy - ask(&place, "per_token_accuracy")) < 1e-6);
    assert_true(fabs(exact - ask(&place, "exact_rows")) < 1e-6);
    if (fabs(loss - ask(&place, "lm_loss")) > 2e-5)
        fail_msg("%s, not %.6f", line, ask(&place, "lm_loss"));
    free(command);
    free(directory);
    free(data);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_scores_the_same_in_torch),
    };

    return cmocka_run_group_tests_name("checkpoint_torch", tests, NULL, NULL);
}
