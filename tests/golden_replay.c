/*
 * golden_replay.c - replays golden files: golden_replay [--verbose] FILE...
 *
 * A case is NAME.safetensors with NAME.json beside it (either may be given); any other JSON is
 * taken for a dataset.json and checked section by section. Exit: 0 all pass, 1 something does
 * not or cannot be read, 2 usage.
 */
#include "blas_environment.h"
#include "error.h"
#include "golden_case.h"
#include "golden_dataset.h"
#include "json.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

const char *argp_program_version = "golden_replay (hrmlab)";

struct options {
    bool verbose;
    int exit_code;
};

static const struct argp_option OPTIONS[] = {
    { "verbose", 'v', NULL, 0, "A line per tensor, and every failure", 0 },
    { 0 },
};

static void raise_exit_code(struct options *options, int code)
{
    options->exit_code = code > options->exit_code ? code : options->exit_code;
}

static void replay_case(struct options *options, const char *path)
{
    struct golden_report report = { .out = stdout, .verbose = options->verbose };
    struct error err;

    if (golden_case_run(&report, path, &err) < 0) {
        fprintf(stderr, "golden_replay: %s\n", err.message);
        raise_exit_code(options, 1);
        return;
    }
    printf("%s %s: %d tensors, %lld values, %d failures",
           report.failures == 0 ? "pass" : "FAIL", path, report.tensors,
           (long long)report.values, report.failures);
    if (report.worst[0] != '\0')
        printf("; worst %s: difference %.3g, %.3g of its limit", report.worst,
               report.worst_difference, report.worst_ratio);
    if (report.strays > 0)
        printf("; %d stray elements accepted", report.strays);
    putchar('\n');
    raise_exit_code(options, report.failures == 0 ? 0 : 1);
}

static void replay_file(struct options *options, const char *path)
{
    const char *dot = strrchr(path, '.');
    struct error err;
    cJSON *json;
    bool is_case;

    if (dot == NULL || strcmp(dot, ".json") != 0) {
        replay_case(options, path);
        return;
    }
    if (json_read_file(&json, path, JSON_DATA_LIMIT, &err) < 0) {
        fprintf(stderr, "golden_replay: %s\n", err.message);
        raise_exit_code(options, 1);
        return;
    }
    is_case = golden_config_is_case(json);
    cJSON_Delete(json);
    if (is_case)
        replay_case(options, path);
    else
        raise_exit_code(options, golden_dataset_check(path, stdout) == 0 ? 0 : 1);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'v':
        options->verbose = true;
        return 0;
    case ARGP_KEY_ARGS:
        for (int i = state->next; i < state->argc; i++)
            replay_file(options, state->argv[i]);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "no file given");
        return EINVAL;
    default:
        (void)argument;
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp PARSER = {
        .options = OPTIONS,
        .parser = parse_option,
        .args_doc = "FILE...",
        .doc =
            "Replays golden-1 cases (NAME.safetensors with NAME.json) and checks dataset.json.",
    };
    struct options options = { 0 };
    struct blas_environment environment = { 0 };
    struct error err = { 0 };

    /* One thread, whatever OPENBLAS_* says: two that share a core are many times slower. */
    if (blas_environment_enforce(&environment, argv, &err) < 0) {
        fprintf(stderr, "golden_replay: %s\n", err.message);
        return 2;
    }
    argp_err_exit_status = 2;
    if (argp_parse(&PARSER, argc, argv, 0, NULL, &options) != 0)
        options.exit_code = 2;
    blas_environment_release(&environment);
    return options.exit_code;
}
