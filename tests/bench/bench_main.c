/*
 * bench_main.c - `make bench`: starts the measurements, takes medians, prints tables or JSON, and
 * compares with the stored baseline.
 *
 *   bench [--format table|json] [--quick] [--configs A,S] [--write-baseline]
 *   bench peer [--quick] [--configs A,S]     beside PyTorch
 *   bench pair [--configs A,S]               two workers against one of two threads, or of two ranks
 *   bench growth SVG                         time against sizes
 *   bench halting SVG                        what rows that halt early save
 *   bench threads SVG [--configs A,S]        growth in threads
 *   bench scheduler                          the runner beside a bare loop over null workers
 *   bench child ...                          one measurement (the parent starts these)
 */
#include "bench.h"
#include "bench_baseline.h"

#include "blas_environment.h"
#include "clock.h"
#include "engine_setup.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "log.h"
#include "provenance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ALL_CASES[] = "S,A,M,T,F,C,R,G";
static const char BASELINE[] = "tests/bench/baseline.json";
enum { MOST_CASES = 8, MOST_PROCESSES = 5, MOST_OUTPUT = 1 << 20 };

/* ---- children ---- */

FILE *bench_open_child(const char *words)
{
    char self[4096], command[8192];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    if (length <= 0)
        bench_fail("cannot find this program");
    self[length] = '\0';
    snprintf(command, sizeof command, "'%s' child %s", self, words);
    return popen(command, "r");
}

cJSON *bench_read_child(FILE *pipe)
{
    char *text = pipe == NULL ? NULL : calloc(1, MOST_OUTPUT);
    cJSON *out = NULL;

    if (text != NULL && fread(text, 1, MOST_OUTPUT - 1, pipe) > 0)
        out = cJSON_Parse(text);
    free(text);
    if (pipe != NULL && pclose(pipe) != 0) {
        cJSON_Delete(out);
        return NULL;
    }
    return out;
}

cJSON *bench_start(const char *words)
{
    return bench_read_child(bench_open_child(words));
}

FILE *bench_open_ranks(int ranks, const char *words)
{
    char self[4096], command[8192];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    if (length <= 0)
        bench_fail("cannot find this program");
    self[length] = '\0';
    snprintf(command, sizeof command,
             "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
             /* as for a worker's ranks (rank_process.c) */
             " OMPI_MCA_btl_vader_single_copy_mechanism=none"
             " OMPI_MCA_pml_ob1_send_pipeline_depth=256"
             " mpirun --bind-to none --oversubscribe -n %d '%s' child %s",
             ranks, self, words);
    return popen(command, "r");
}

void bench_start_two(cJSON *out[2], const char *name, int phase_seconds)
{
    /* Both must be ready by then: they make a step of each kind to warm up. */
    double start = clock_wall_s() + 2 + phase_seconds;
    FILE *pipes[2];

    for (int i = 0; i < 2; i++) {
        char words[200];
        snprintf(words, sizeof words, "phases %s %d %.3f %d", name, phase_seconds, start, i);
        pipes[i] = bench_open_child(words);
    }
    for (int i = 0; i < 2; i++)
        if ((out[i] = bench_read_child(pipes[i])) == NULL)
            bench_fail("%s: the measurement of two at once failed", name);
}

static int child(int argc, char **argv)
{
    const char *what = argc > 0 ? argv[0] : "";
    const struct bench_case *c = argc > 1 ? bench_case_find(argv[1]) : NULL;
    struct bench_schedule schedule;
    cJSON *out = NULL;

    if (strcmp(what, "growth") == 0 && argc == 2)
        out = bench_child_growth(argv[1]);
    else if (c == NULL)
        bench_fail("no such measurement");
    else if (strcmp(what, "times") == 0)
        out = bench_child_times(c, argc > 2 && strchr(argv[2], 'q') != NULL,
                                argc > 2 && strchr(argv[2], 'p') != NULL);
    else if (strcmp(what, "phases") == 0 && argc == 5)
        out = bench_child_phases(c, atof(argv[3]), atof(argv[2]), atoi(argv[4]));
    else if (strcmp(what, "threads") == 0 && argc == 3)
        out = bench_child_phases(c, clock_wall_s() + 1, atof(argv[2]), -1);
    else if (strcmp(what, "balance") == 0 && argc == 2)
        out = bench_child_balance(c);
    else if (strcmp(what, "turns") == 0 && argc == 8 &&
             bench_schedule_read(&schedule, argv + 3, 5))
        out = bench_child_turns(c, &schedule, atoi(argv[2]));
    else if (strcmp(what, "ranks") == 0 &&
             (argc == 2 || bench_schedule_read(&schedule, argv + 2, argc - 2))) {
        out = bench_child_ranks(c, argc == 2 ? NULL : &schedule);
        if (out == NULL) /* another rank prints */
            return 0;
    } else if (strcmp(what, "export") == 0 && argc == 3)
        out = bench_child_export(c, argv[2]);
    char *text = out == NULL ? NULL : cJSON_Print(out);
    if (text == NULL || puts(text) < 0)
        bench_fail("no such measurement: %s", what);
    cJSON_free(text);
    cJSON_Delete(out);
    return 0;
}

/* ---- one case: several processes, medians ---- */

static cJSON *measure_case(const struct bench_case *c, bool quick)
{
    int processes = quick ? 1 : 3;
    cJSON *runs[MOST_PROCESSES], *out;

    for (int i = 0; i < processes; i++) {
        char words[100];
        snprintf(words, sizeof words, "times %s %s%s", c->name, quick ? "q" : "-",
                 i == 0 ? "p" : "");
        runs[i] = bench_start(words);
        if (runs[i] == NULL)
            bench_fail("the measurement of %s failed", c->name);
    }
    out = cJSON_Duplicate(runs[0], true);
    for (cJSON *item = out->child; item != NULL; item = item->next) {
        double values[MOST_PROCESSES];
        int count = 0;
        for (int i = 0; i < processes; i++) {
            const cJSON *value = cJSON_GetObjectItem(runs[i], item->string);
            if (cJSON_IsNumber(value))
                values[count++] = value->valuedouble;
        }
        if (count > 0)
            cJSON_SetNumberValue(item, bench_median(values, count));
    }
    for (int i = 0; i < processes; i++)
        cJSON_Delete(runs[i]);
    return out;
}

static double number(const cJSON *object, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(object, key));
}

static void print_case(const char *name, const cJSON *r)
{
    printf("%-6s %9.1f %8.1f %9.0f %9.0f %8.1f %8.1f %7.1f %7.1f %7.1f %7.1f %6.1f %% %6.1f %% "
           "%6.0f\n",
           name, number(r, "train_ms"), number(r, "eval_ms"), number(r, "train_tokens_per_s"),
           number(r, "eval_tokens_per_s"), number(r, "train_gflop"), number(r, "eval_gflop"),
           number(r, "train_gflops"), number(r, "eval_gflops"), number(r, "sgemm_gflops"),
           number(r, "own_shapes_gflops"), 100 * number(r, "train_share"),
           100 * number(r, "eval_share"), number(r, "peak_rss_mib"));
    fflush(stdout);
}

static void print_kernels(const char *name, const cJSON *kernels)
{
    printf("\n%s: where a training step's time goes\n  %-34s %7s %9s %7s  %s\n", name, "kernel",
           "calls", "ms", "share", "reached of its limit");
    for (const cJSON *k = kernels->child; k != NULL; k = k->next) {
        const cJSON *limit = cJSON_GetObjectItem(k, "limit");
        printf("  %-34s ", cJSON_GetStringValue(cJSON_GetObjectItem(k, "name")));
        if (limit == NULL)
            printf("%7s %9.2f %5.1f %%\n", "", number(k, "ms"), 100 * number(k, "share"));
        else
            printf("%7.0f %9.2f %5.1f %%  %3.0f %% of %s\n", number(k, "calls"),
                   number(k, "ms"), 100 * number(k, "share"), 100 * number(k, "reached"),
                   limit->valuestring);
    }
}

/* ---- baseline ---- */

/* NULL: there is none. */
static cJSON *read_baseline(void)
{
    struct error err = { 0 };
    cJSON *baseline = NULL;

    if (access(BASELINE, R_OK) == 0 &&
        json_read_file(&baseline, BASELINE, JSON_SPEC_LIMIT, &err) < 0)
        bench_fail("%s", err.message);
    return baseline;
}

static int compare_with_baseline(const cJSON *machine, const cJSON *configs)
{
    cJSON *baseline = read_baseline();
    int slower = 0;

    if (baseline == NULL)
        printf("\nno baseline (%s): make bench-baseline writes one\n", BASELINE);
    else
        slower = baseline_compare(stdout, baseline, machine, configs);
    cJSON_Delete(baseline);
    return slower;
}

static void write_baseline(const cJSON *machine, const cJSON *configs)
{
    struct error err = { 0 };
    cJSON *old = read_baseline(), *merged = baseline_merge(old, machine, configs);
    char *text = cJSON_Print(merged);

    if (text == NULL || file_write_atomic(BASELINE, text, strlen(text), &err) < 0)
        bench_fail("%s", err.message);
    printf("%s is written\n", BASELINE);
    cJSON_free(text);
    cJSON_Delete(merged);
    cJSON_Delete(old);
}

/* ---- commands ---- */

struct arguments {
    bool json, quick, baseline;
    const char *names[MOST_CASES];
    int count;
    char list[200];
};

static bool is_json(const char *format)
{
    if (strcmp(format, "json") != 0 && strcmp(format, "table") != 0)
        bench_fail("no format %s; expected table or json", format);
    return strcmp(format, "json") == 0;
}

/* list: the configurations where --configs gives none. */
static void read_arguments(struct arguments *out, const char *list, int argc, char **argv)
{
    *out = (struct arguments){ 0 };
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--format") == 0 && i + 1 < argc)
            out->json = is_json(argv[++i]);
        else if (strcmp(argv[i], "--quick") == 0)
            out->quick = true;
        else if (strcmp(argv[i], "--write-baseline") == 0)
            out->baseline = true;
        else if (strcmp(argv[i], "--configs") == 0 && i + 1 < argc)
            list = argv[++i];
        else
            bench_fail("unknown argument %s (--format table|json, --quick, --configs A,S, "
                       "--write-baseline)",
                       argv[i]);
    }
    snprintf(out->list, sizeof out->list, "%s", list);
    for (char *name = strtok(out->list, ","); name != NULL; name = strtok(NULL, ",")) {
        if (bench_case_find(name) == NULL || out->count == MOST_CASES)
            bench_fail(
                "no configuration %s (S, A, M, T, F, each in bfloat16: S-bf16 ..., C, R, G)",
                name);
        out->names[out->count++] = name;
    }
}

static void print_machine(const cJSON *machine)
{
    static const char *const keys[] = { "cpu",       "kernel",   "kernel_set", "blas",
                                        "blas_core", "compiler", "cflags" };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(machine, keys[i]));
        printf("%-11s %s\n", keys[i], text != NULL ? text : "");
    }
    printf("cores       %ld, one thread used\n\n", sysconf(_SC_NPROCESSORS_ONLN));
}

static int bench(const struct blas_environment *environment, int argc, char **argv)
{
    struct arguments arguments;
    cJSON *out = cJSON_CreateObject(), *machine, *configs;

    read_arguments(&arguments, ALL_CASES, argc, argv);
    machine = provenance_create(environment, NULL);
    cJSON_AddItemToObject(out, "machine", machine);
    configs = cJSON_AddObjectToObject(out, "configs");
    if (!arguments.json) {
        print_machine(machine);
        printf("%-6s %18s %19s %17s %15s %15s %17s %6s\n", "", "ms per step", "tokens per s",
               "GFLOP counted", "GFLOP/s", "sgemm GFLOP/s", "share of sgemm", "peak");
        printf("%-6s %9s %8s %9s %9s %8s %8s %7s %7s %7s %7s %8s %8s %6s\n", "", "train",
               "eval", "train", "eval", "train", "eval", "train", "eval", "2048", "own",
               "train", "eval", "MiB");
    }
    for (int i = 0; i < arguments.count; i++) {
        cJSON *result = measure_case(bench_case_find(arguments.names[i]), arguments.quick);
        if (!arguments.json)
            print_case(arguments.names[i], result);
        cJSON_AddItemToObject(configs, arguments.names[i], result);
    }
    int slower = 0;
    if (arguments.json) {
        char *text = cJSON_Print(out);
        if (text == NULL || puts(text) < 0)
            bench_fail("cannot write");
        cJSON_free(text);
    } else {
        for (const cJSON *c = configs->child; c != NULL; c = c->next)
            print_kernels(c->string, cJSON_GetObjectItem(c, "kernels"));
        slower = compare_with_baseline(machine, configs);
    }
    if (arguments.baseline)
        write_baseline(machine, configs);
    cJSON_Delete(out);
    return slower > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct blas_environment environment = { 0 };
    struct error err = { 0 };
    struct arguments arguments;
    const char *command = argc > 1 ? argv[1] : "";

    log_setup("bench", LOG_INFO);
    if (blas_environment_enforce(&environment, argv, &err) < 0 ||
        engine_setup_environment(&err) < 0)
        bench_fail("%s", err.message);
    int rc = 0;
    if (strcmp(command, "child") == 0) {
        rc = child(argc - 2, argv + 2);
    } else if (strcmp(command, "peer") == 0) {
        read_arguments(&arguments, ALL_CASES, argc - 2, argv + 2);
        rc = bench_peer(arguments.names, arguments.count, arguments.quick);
    } else if (strcmp(command, "pair") == 0) {
        read_arguments(&arguments, ALL_CASES, argc - 2, argv + 2);
        rc = bench_pair(arguments.names, arguments.count, arguments.quick);
    } else if (strcmp(command, "growth") == 0) {
        rc = bench_growth(argc > 2 ? argv[2] : "growth.svg");
    } else if (strcmp(command, "halting") == 0) {
        rc = bench_halting(argc > 2 ? argv[2] : "halting.svg");
    } else if (strcmp(command, "threads") == 0 && argc > 2) {
        read_arguments(&arguments, "S,A,T,M,F", argc - 3, argv + 3);
        rc = bench_threads(argv[2], arguments.names, arguments.count);
    } else if (strcmp(command, "scheduler") == 0) {
        bench_scheduler();
    } else {
        rc = bench(&environment, argc - 1, argv + 1);
    }
    blas_environment_release(&environment);
    return rc;
}
