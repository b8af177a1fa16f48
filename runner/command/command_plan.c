/* command_plan.c - lists what would run, which results exist already, and the cost. */
#include "cpu_quota.h"
#include "enqueue.h"
#include "error.h"
#include "executors.h"
#include "file.h"
#include "hash.h"
#include "human.h"
#include "log.h"
#include "options.h"
#include "plan_words.h"
#include "store.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FLOPs per second of a current core at these sizes, if nothing was measured. */
static const double NOMINAL_FLOPS = 120e9;

/* Runs listed in a table; other formats list all. */
enum { MOST_LISTED = 1000 };

static int plan_table(struct table **out, int counts[ENQUEUE_NEEDS], double *work, int most,
                      const struct plan *plan, struct store *store,
                      const struct workspace *workspace, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "run", .type = TABLE_TEXT, .drop = 5 },
        { .name = "arm", .type = TABLE_TEXT },
        { .name = "seed", .type = TABLE_INT },
        { .name = "parameters", .type = TABLE_INT, .fold = true, .drop = 3 },
        { .name = "steps", .type = TABLE_INT, .fold = true, .drop = 4 },
        { .name = "evaluations", .type = TABLE_INT, .fold = true, .drop = 2 },
        { .name = "work", .type = TABLE_TEXT, .people_only = true, .fold = true, .drop = 1 },
        { .name = "tflop", .type = TABLE_REAL, .machine_only = true },
        { .name = "state", .type = TABLE_TEXT, .fold = true },
    };
    int rc = table_create(out, columns, sizeof columns / sizeof *columns, err);

    for (int i = 0; i < plan->run_count && rc == 0; i++) {
        const struct plan_run *run = &plan->runs[i];
        const struct plan_arm *arm = plan_arm_of(plan, run);
        enum enqueue_need need;
        int64_t run_id;
        char hash[HASH_SHORT + 1], work_text[HUMAN_SIZE];
        rc = enqueue_need(&need, &run_id, store, workspace, plan, run, err);
        if (rc < 0)
            break;
        counts[need]++;
        if (need == NEED_TRAINING || need == NEED_RETRAINING || need == NEED_AGAIN)
            *work += arm->cost;
        if (i >= most)
            continue;
        snprintf(hash, sizeof hash, "%.*s", HASH_SHORT, run->hash);
        table_row(*out);
        table_text(*out, hash);
        table_text(*out, plan->spec->arms[run->arm].label);
        table_int(*out, run->seed);
        table_int(*out, arm->parameters);
        table_int(*out, arm->total_steps);
        table_int(*out, arm->evaluation_count);
        table_text(*out, human_flops(work_text, arm->cost));
        table_real(*out, arm->cost * 1e-12);
        table_text(*out, enqueue_need_text(need));
    }
    return rc;
}

/* Cores that this process may use within its quota, as doctor counts them. */
static int usable_cores(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0
               ? cpu_quota_cores(CPU_COUNT(&set), cpu_quota(""))
               : 1;
}

/* Prints facts about the data, once for each data set of the arms. */
static void print_data(const struct plan *plan)
{
    int count = plan->spec->arm_count;

    for (int a = 0; a < count; a++) {
        int before = 0;
        while (before < a &&
               strcmp(plan->arms[before].data_counts, plan->arms[a].data_counts) != 0)
            before++;
        if (before == a)
            log_info("data: %s", plan->arms[a].data_counts);
    }
}

/* Prints the cores of workers that have several ranks; the memory is that of each. */
static void print_ranks(const struct plan *plan)
{
    for (int a = 0; a < plan->spec->arm_count; a++) {
        const struct config *config = &plan->spec->arms[a].config;
        int64_t ranks = config_int(config, RESOURCES_RANKS);

        if (ranks == 1)
            continue;
        log_info("a worker has %" PRId64 " ranks of %" PRId64 " threads, %d cores together; "
                 "each rank takes that memory",
                 ranks, config_int(config, RESOURCES_THREADS), config_cores(config));
        return;
    }
}

/* Prints what the largest worker takes, with a warning where this machine has less. */
static void print_memory(const struct plan *plan)
{
    double largest = 0.0;
    int arm = 0;
    char need[HUMAN_SIZE], have[HUMAN_SIZE];
    int64_t memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);

    for (int a = 0; a < plan->spec->arm_count; a++)
        if (plan->arms[a].engine_bytes > largest) {
            largest = plan->arms[a].engine_bytes;
            arm = a;
        }
    human_bytes(need, (int64_t)largest);
    log_info("memory of a worker, its data aside: at most %s", need);
    print_ranks(plan);
    if (memory > 0 && largest > (double)memory)
        log_warning("arm %s: its workers take %.0f bytes (%s), but this machine has %s; lower "
                    "train.global_batch_size, arch.hidden_size or data.context_pairs",
                    plan->spec->arms[arm].label, largest, need, human_bytes(have, memory));
}

static void print_summary(const struct plan *plan, const int counts[ENQUEUE_NEEDS], double work,
                          int jobs)
{
    const struct spec *spec = plan->spec;
    int trainings = counts[NEED_TRAINING] + counts[NEED_RETRAINING] + counts[NEED_AGAIN];
    int cores = usable_cores();
    char duration[HUMAN_SIZE], amount[HUMAN_SIZE];

    if (jobs > 0 && jobs < cores)
        cores = jobs;
    human_duration(duration, work / NOMINAL_FLOPS / (double)(cores > 0 ? cores : 1));
    log_info("%s: %d cell%s, %d excluded, %d equal to another; %d arm%s x %d seed%s",
             spec->name, spec->cell_count, spec->cell_count == 1 ? "" : "s",
             spec->excluded_count, spec->collapsed_count, spec->arm_count,
             spec->arm_count == 1 ? "" : "s", spec->seed_count,
             spec->seed_count == 1 ? "" : "s");
    print_data(plan);
    print_memory(plan);
    log_info("%d training%s needed for %d run%s and %" PRId64 " evaluation%s", trainings,
             trainings == 1 ? "" : "s", plan->run_count, plan->run_count == 1 ? "" : "s",
             plan->cell_count, plan->cell_count == 1 ? "" : "s");
    for (int i = 0; i < ENQUEUE_NEEDS; i++)
        if (counts[i] > 0)
            log_info("  %d of %d: %s", counts[i], plan->run_count,
                     enqueue_need_text((enum enqueue_need)i));
    plan_tell_of_bases(plan);
    plan_tell_of_dropped(plan);
    plan_tell_of_inactive_axes(plan);
    plan_tell_of_idle_threads(plan);
    plan_tell_of_long_warm_ups(plan);
    plan_tell_of_few_evaluations(plan);
    plan_tell_of_few_tests(plan);
    plan_tell_of_equal_rollouts(plan);
    plan_tell_of_untrained_halting(plan);
    plan_tell_of_unused_excludes(plan);
    plan_tell_of_leaks(plan);
    if (trainings > 0)
        log_info("%s, about %s on %d core%s at a nominal %.0f GFLOP/s each",
                 human_flops(amount, work), duration, cores, cores == 1 ? "" : "s",
                 NOMINAL_FLOPS * 1e-9);
}

/* The runs that are to be trained, with the directories of their attempts. */
struct submission {
    char **directories;            /* owned, and each */
    const struct config **configs; /* owned; each borrowed from the plan */
    int count;
};

static void submission_release(struct submission *submission)
{
    for (int i = 0; i < submission->count; i++)
        free(submission->directories[i]);
    free(submission->directories);
    free((void *)submission->configs);
}

static int read_submission(struct submission *out, const char *path, const struct plan *plan,
                           struct store *store, const struct workspace *workspace,
                           struct error *err)
{
    char here[PATH_MAX] = "";
    bool absolute = path[0] == '/';

    *out = (struct submission){
        .directories = calloc((size_t)plan->run_count + 1, sizeof *out->directories),
        .configs = calloc((size_t)plan->run_count + 1, sizeof *out->configs)
    };
    if (out->directories == NULL || out->configs == NULL)
        return error_no_memory(err, "a list of runs");
    if (!absolute && getcwd(here, sizeof here) == NULL)
        here[0] = '\0';
    for (int i = 0; i < plan->run_count; i++) {
        const struct plan_run *run = &plan->runs[i];
        enum enqueue_need need;
        int64_t run_id;
        int rc = enqueue_need(&need, &run_id, store, workspace, plan, run, err);

        if (rc < 0)
            return rc;
        if (need != NEED_TRAINING && need != NEED_RETRAINING && need != NEED_AGAIN)
            continue;
        out->configs[out->count] = &plan->spec->arms[run->arm].config;
        out->directories[out->count] = format_string("%s%s%s/runs/%s/attempts/1", here,
                                                     absolute ? "" : "/", path, run->hash);
        if (out->directories[out->count++] == NULL)
            return error_no_memory(err, "a path");
    }
    return 0;
}

/* Prints what the executor would submit for the trainings. */
static int print_submission(const struct options *options, const struct plan *plan,
                            struct store *store, const struct workspace *workspace,
                            struct error *err)
{
    const struct executor_setup setup = { .program = options->worker_program,
                                          .slots = options->jobs };
    struct submission submission = { 0 };
    struct executor_set set;
    struct executor *executor;
    char *text = NULL;

    executor_set_init(&set, EXECUTORS, &setup);
    int rc = executor_set_choose(&set, &executor, options->executor, err);
    if (rc == 0 && executor->type->preview != NULL) {
        rc = read_submission(&submission, options->workspace, plan, store, workspace, err);
        if (rc == 0)
            rc = executor->type->preview(&text, executor,
                                         (const char *const *)submission.directories,
                                         submission.configs, submission.count, err);
        submission_release(&submission);
    }
    if (rc == 0 && text != NULL)
        fputs(text, stdout);
    free(text);
    executor_set_close(&set);
    return rc;
}

int command_plan(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    struct table *table = NULL;
    struct spec *spec;
    struct plan *plan = NULL;
    struct error absent;
    int counts[ENQUEUE_NEEDS] = { 0 };
    double work = 0.0;
    bool everything = options->format != FORMAT_TABLE;
    int rc = spec_read(&spec, options->arguments[0], options->workspace, options->sets,
                       options->set_count, err);

    (void)exit_code;
    if (rc == 0)
        rc = plan_create(&plan, spec, options->worker_program, options->workspace, err);
    int found = rc == 0 ? workspace_find(&workspace, options->workspace, &absent) : rc;
    if (rc == 0 && found < 0 && found != ERROR_ABSENT)
        rc = error_set(err, absent.code, "%s", absent.message);
    if (found == 0) {
        rc = store_open(&store, workspace.path, STORE_READ, err);
        if (rc == ERROR_ABSENT)
            rc = 0;
        else if (rc == 0)
            /* one transaction: a single view of all runs, and a single lock */
            rc = store_begin(store, err);
    }
    if (rc == 0)
        rc = plan_table(&table, counts, &work, everything ? INT_MAX : MOST_LISTED, plan, store,
                        &workspace, err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    if (rc == 0 && !everything && plan->run_count > MOST_LISTED)
        log_info("the first %d of %d runs are listed (--format csv: all)", MOST_LISTED,
                 plan->run_count);
    if (rc == 0) {
        print_summary(plan, counts, work, options->jobs);
        plan_tell_of_inactive_sets(plan, options->sets, options->set_count);
        rc = plan_tell_of_detectable(plan, store, err);
    }
    if (rc == 0 && options->executor != NULL && plan->run_count > 0)
        rc = print_submission(options, plan, store, &workspace, err);
    table_destroy(table);
    store_close(store);
    workspace_close(&workspace);
    plan_destroy(plan);
    return rc;
}
