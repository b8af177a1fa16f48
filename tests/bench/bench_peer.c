/*
 * bench_peer.c - ours beside tuned PyTorch (../shared/tools/peer_torch.py): one thread against one,
 * two pinned workers, and one of two threads, against two threads, several processes each in turn; and the losses of
 * both on the same weights and batch.
 */
#include "bench.h"

#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_RUNS = 9 };

/* The published code on the same two cores, best of two threads, as a share of what two sgemm
 * reach: PyTorch 1.13 eager, float32, measured for the issue that asked for this benchmark. */
static const struct {
    const char *name;
    double share;
} PUBLISHED[] = { { "S", 0.37 }, { "A", 0.30 }, { "M", 0.57 }, { "T", 0.31 }, { "F", 0.37 } };

static const char *python(void)
{
    static const char *const names[] = { "/usr/bin/python3", "python3" };

    for (int i = 0; i < 2; i++) {
        char command[200];
        snprintf(command, sizeof command, "%s -c 'import torch' >/dev/null 2>&1", names[i]);
        if (system(command) == 0)
            return names[i];
    }
    return NULL;
}

static const char *peer_path(char out[512])
{
    const char *shared = getenv("HRMLAB_SHARED");

    snprintf(out, 512, "%s/tools/peer_torch.py", shared != NULL ? shared : "../shared");
    return access(out, R_OK) == 0 ? out : NULL;
}

/* The environment in which peer_torch.py starts itself again for timing, of one thread or one in
 * each half of a batch, less the variables of BLAS, which it would take out: this process has
 * set those that fit (worker/blas_environment.h), and on a CPU that OpenBLAS takes for an older
 * one PyTorch without them takes three times as long. */
static const char *peer_environment(void)
{
    return __builtin_cpu_supports("avx512dq")
               ? "PEER_BENCH=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=1099511627776"
                 " OMP_WAIT_POLICY=passive ATEN_CPU_CAPABILITY=avx512"
               : "PEER_BENCH=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=1099511627776"
                 " OMP_WAIT_POLICY=passive";
}

static cJSON *peer_times(const char *interpreter, const char *peer, const char *name,
                         const char *arguments)
{
    char command[1200];

    snprintf(command, sizeof command, "env %s %s %s bench --config %s %s --json",
             peer_environment(), interpreter, peer, name, arguments);
    FILE *pipe = popen(command, "r");
    char text[8192];
    size_t size = pipe == NULL ? 0 : fread(text, 1, sizeof text - 1, pipe);
    text[size] = '\0';
    if (pipe == NULL || pclose(pipe) != 0)
        bench_fail("failed: %s", command);
    cJSON *out = cJSON_Parse(text);
    if (out == NULL)
        bench_fail("no JSON from: %s", command);
    return out;
}

static double member(const cJSON *object, const char *outer, const char *key)
{
    const cJSON *inner = outer == NULL ? object : cJSON_GetObjectItem(object, outer);

    return cJSON_GetNumberValue(cJSON_GetObjectItem(inner, key));
}

static double middle(const cJSON *list)
{
    double values[64];
    int count = 0;

    for (const cJSON *item = list->child; item != NULL && count < 64; item = item->next)
        values[count++] = item->valuedouble;
    return bench_median(values, count);
}

struct sample {
    double ours_train, ours_eval; /* ms, one thread */
    double peer_train, peer_eval; /* ms, one thread */
    double ours_pair, peer_pair;  /* training steps per second on two cores */
    double ours_pair_eval, peer_pair_eval;
    double threads, threads_eval; /* the same of one process of ours with two threads */
    double sgemm_pair, one_share;
};

static struct sample measure(const struct bench_case *c, const char *interpreter,
                             const char *peer, bool quick)
{
    bool slow = c->name[0] == 'F';
    const char *count = quick || slow ? "--reps 3 --warmup 1" : "--reps 10";
    char words[200], arguments[200];
    const char *type = c->forward_dtype == ENGINE_BFLOAT16 ? "bfloat16" : "float32";
    char base[8];
    struct sample s;
    cJSON *two[2];

    bench_case_base(base, c);

    snprintf(words, sizeof words, "times %s", c->name);
    cJSON *ours = bench_start(words);
    if (ours == NULL)
        bench_fail("%s: our own measurement failed", c->name);
    s.ours_train = member(ours, NULL, "train_ms");
    s.ours_eval = member(ours, NULL, "eval_ms");
    s.one_share = member(ours, NULL, "train_share");
    snprintf(arguments, sizeof arguments, "--threads 1 --dtype %s %s", type, count);
    cJSON *theirs = peer_times(interpreter, peer, base, arguments);
    s.peer_train = member(theirs, "train", "median_ms");
    s.peer_eval = member(theirs, "eval", "median_ms");
    int seconds = bench_phase_seconds(s.ours_train, quick);
    bench_start_two(two, c->name, seconds);
    cJSON *threads = bench_start_threads(c->name, 2, seconds);
    snprintf(arguments, sizeof arguments, "--threads 2 --split --dtype %s %s", type, count);
    cJSON *both = peer_times(interpreter, peer, base, arguments);
    s.peer_pair = 1e3 / member(both, "train", "median_ms");
    s.peer_pair_eval = 1e3 / member(both, "eval", "median_ms");
    s.threads = middle(cJSON_GetObjectItem(threads, "steps_per_s"));
    s.threads_eval = middle(cJSON_GetObjectItem(threads, "evaluations_per_s"));
    s.ours_pair = s.ours_pair_eval = s.sgemm_pair = 0;
    for (int i = 0; i < 2; i++) {
        s.ours_pair += middle(cJSON_GetObjectItem(two[i], "steps_per_s"));
        s.ours_pair_eval += middle(cJSON_GetObjectItem(two[i], "evaluations_per_s"));
        s.sgemm_pair += middle(cJSON_GetObjectItem(two[i], "sgemm_gflops"));
        cJSON_Delete(two[i]);
    }
    cJSON_Delete(ours);
    cJSON_Delete(theirs);
    cJSON_Delete(threads);
    cJSON_Delete(both);
    return s;
}

/* Both sides' loss on the same weights and batch: the peer replays our step. */
static bool same_loss(const char *interpreter, const char *peer, const char *name)
{
    char prefix[] = "/tmp/hrmlab-bench-XXXXXX", words[200], command[1400], line[512];
    bool same = true;
    int found = 0;

    if (mkdtemp(prefix) == NULL)
        bench_fail("no directory below /tmp");
    snprintf(words, sizeof words, "export %s %s/%s", name, prefix, name);
    cJSON *out = bench_start(words);
    snprintf(command, sizeof command, "%s %s golden %s/%s.safetensors", interpreter, peer,
             prefix, name);
    FILE *pipe = popen(command, "r");
    while (pipe != NULL && fgets(line, sizeof line, pipe) != NULL)
        if (strstr(line, "loss") != NULL) {
            printf("  %s %s", name, line + strspn(line, " "));
            same = same && strstr(line, "FAIL") == NULL;
            found++;
        }
    if (pipe != NULL)
        pclose(pipe);
    snprintf(command, sizeof command, "rm -rf %s", prefix);
    same = system(command) == 0 && same && found >= 3 && out != NULL;
    cJSON_Delete(out);
    return same;
}

static double best_or_median(const struct sample *samples, int count, size_t offset, bool best,
                             bool smaller)
{
    double values[MOST_RUNS];

    for (int i = 0; i < count; i++)
        memcpy(&values[i], (const char *)&samples[i] + offset, sizeof values[i]);
    double median = bench_median(values, count);
    return !best ? median : smaller ? values[0] : values[count - 1];
}

#define PICK(field, best, smaller)                                                             \
    best_or_median(samples, runs, offsetof(struct sample, field), best, smaller)

static void print_ratios(const struct bench_case *c, const struct sample *samples, int runs)
{
    double train_flops, evaluate_flops, published = 0;
    struct bench_model model;

    bench_model_create(&model, c);
    bench_flops(&model.config, &train_flops, &evaluate_flops);
    bench_model_destroy(&model);
    for (size_t i = 0; i < sizeof PUBLISHED / sizeof *PUBLISHED; i++)
        if (strcmp(PUBLISHED[i].name, c->name) == 0)
            published = PUBLISHED[i].share;
    for (int best = 1; best >= 0; best--) {
        double pair = PICK(ours_pair, best, false), sgemm = PICK(sgemm_pair, best, false);
        double share = 1e-9 * train_flops * pair / sgemm;
        printf("%-6s %-7s %9.1f %9.1f %6.2f  %9.1f %9.1f %6.2f  %8.2f %8.2f %6.2f  %8.2f %8.2f "
               "%6.2f  %5.0f %%",
               c->name, best ? "best" : "median", PICK(ours_train, best, true),
               PICK(peer_train, best, true),
               PICK(peer_train, best, true) / PICK(ours_train, best, true),
               PICK(ours_eval, best, true), PICK(peer_eval, best, true),
               PICK(peer_eval, best, true) / PICK(ours_eval, best, true), pair,
               PICK(peer_pair, best, false), pair / PICK(peer_pair, best, false),
               PICK(ours_pair_eval, best, false), PICK(peer_pair_eval, best, false),
               PICK(ours_pair_eval, best, false) / PICK(peer_pair_eval, best, false),
               100 * share);
        if (published > 0)
            printf(" %6.2f", share / published);
        putchar('\n');
    }
    double threads = PICK(threads, false, false), eval = PICK(threads_eval, false, false);
    printf(
        "%-14s one run of two threads: %.1f steps/s, %.2f times torch's; %.1f evaluations/s, "
        "%.2f times (medians)\n",
        "", threads, threads / PICK(peer_pair, false, false), eval,
        eval / PICK(peer_pair_eval, false, false));
    fflush(stdout);
}

int bench_peer(const char *const *names, int count, bool quick)
{
    char path[512];
    const char *peer = peer_path(path), *interpreter = python();
    bool same = true;

    if (interpreter == NULL || peer == NULL) {
        printf("skipped: %s\n", peer == NULL
                                    ? "no tools/peer_torch.py in ../shared (HRMLAB_SHARED)"
                                    : "no python3 with torch (apt-get install python3-torch)");
        return 0;
    }
    printf("losses of both on the same weights and batch (after %d training steps of ours):\n",
           5);
    for (int i = 0; i < count; i++)
        if (bench_case_find(names[i])->forward_dtype == ENGINE_FLOAT32 &&
            !bench_case_find(names[i])->ours_alone)
            same = same_loss(interpreter, peer, names[i]) && same;
    printf(
        "\nx: ours is so many times faster than tuned PyTorch. published: share of two sgemm, "
        "and times faster than the published code.\n");
    printf("%-14s %-27s %-27s %-25s %-25s %s\n", "", "one thread, training ms",
           "one thread, evaluation ms", "two cores, steps/s", "two cores, evaluations/s",
           "published");
    printf("%-14s %9s %9s %6s  %9s %9s %6s  %8s %8s %6s  %8s %8s %6s  %7s %6s\n", "", "ours",
           "torch", "x", "ours", "torch", "x", "ours", "torch", "x", "ours", "torch", "x",
           "share", "x");
    for (int i = 0; i < count; i++) {
        const struct bench_case *c = bench_case_find(names[i]);

        if (c->ours_alone)
            continue;
        struct sample samples[MOST_RUNS];
        int runs = quick ? 1 : 3;

        for (int r = 0; r < runs; r++)
            samples[r] = measure(c, interpreter, peer, quick);
        print_ratios(c, samples, runs);
    }
    if (!same)
        printf("the losses DIFFER\n");
    return same ? 0 : 1;
}
