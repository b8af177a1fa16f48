/* command_doctor.c - checks the machine, the libraries and the workspace. */
#include "checkpoint_file.h"
#include "cpu_quota.h"
#include "describe_client.h"
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "human.h"
#include "json.h"
#include "options.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <uv.h>

enum { LEAST_FREE_MIB = 1024 };

struct report {
    struct table *table;
    int faults;
};

static void say(struct report *report, const char *check, const char *verdict,
                const char *finding)
{
    table_row(report->table);
    table_text(report->table, check);
    table_text(report->table, verdict);
    table_text(report->table, finding);
    report->faults += strcmp(verdict, "fault") == 0;
}

static void check_machine(struct report *report)
{
    char text[200];
    cpu_set_t set;

    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    int cores = CPU_COUNT(&set);
    double quota = cpu_quota("");
    int usable = cpu_quota_cores(cores, quota);
    int used = snprintf(text, sizeof text, "%d core%s to use, %.1f GiB memory", usable,
                        usable == 1 ? "" : "s", (double)uv_get_total_memory() / 0x1p30);
    if (quota > 0.0 && quota < cores)
        snprintf(text + used, sizeof text - (size_t)used,
                 "; of %d cores the control group allows the time of %.3g", cores, quota);
    say(report, "machine", "ok", text);
    snprintf(text, sizeof text, "libuv %s, cJSON %s", uv_version_string(), cJSON_Version());
    say(report, "libraries", "ok", text);
}

static const char *probe_text(const cJSON *probe, const char *key)
{
    const cJSON *item = json_member(probe, key);

    return cJSON_IsString(item) ? item->valuestring : "?";
}

static void check_worker(struct report *report, const struct options *options)
{
    struct error err = { 0 };
    cJSON *probe;
    char text[600];

    if (describe_probe(&probe, options->worker_program, &err) < 0) {
        say(report, "worker", "fault", err.message);
        return;
    }
    snprintf(text, sizeof text, "%s, %s, commit %s", options->worker_program,
             probe_text(probe, "compiler"), probe_text(probe, "git_commit"));
    say(report, "worker", "ok", text);
    snprintf(text, sizeof text, "%s, CPU %s", probe_text(probe, "kernel_set"),
             probe_text(probe, "cpu"));
    say(report, "kernels",
        strcmp(probe_text(probe, "kernel_set"), "base") == 0 ? "warning" : "ok", text);
    const cJSON *rate = json_member(probe, "sgemm_gflops");
    snprintf(text, sizeof text, "%s, core %s, sgemm %.0f GFLOP/s on one thread",
             probe_text(probe, "blas"), probe_text(probe, "blas_core"),
             cJSON_IsNumber(rate) ? rate->valuedouble : 0.0);
    say(report, "BLAS", "ok", text);
    const char *sandbox = probe_text(probe, "sandbox");
    say(report, "sandbox", strstr(sandbox, "NOT") == NULL ? "ok" : "warning", sandbox);
    const cJSON *used = json_member(probe, "environment");
    const cJSON *inherited = json_member(probe, "inherited");
    for (const cJSON *item = used != NULL ? used->child : NULL; item != NULL;
         item = item->next) {
        bool corrected = strcmp(item->string, "OPENBLAS_CORETYPE") == 0 &&
                         getenv("HRMLAB_BLAS_CORE") == NULL;
        snprintf(text, sizeof text, "%s=%s%s", item->string,
                 cJSON_IsString(item) ? item->valuestring : "?",
                 corrected ? ", since OpenBLAS by itself takes this CPU for an older one" : "");
        say(report, "BLAS environment", "ok", text);
    }
    for (const cJSON *item = inherited != NULL ? inherited->child : NULL; item != NULL;
         item = item->next) {
        snprintf(text, sizeof text, "%s=%s was inherited and is replaced for the workers",
                 item->string, cJSON_IsString(item) ? item->valuestring : "?");
        say(report, "BLAS environment", "warning", text);
    }
    cJSON_Delete(probe);
}

/* Reads the whole database, which can take longer than everything else: in a thread
 * and with a connection of its own. */
struct reading {
    const char *workspace; /* its path */
    uv_thread_t thread;
    bool in_thread;
    int rc; /* of the reading; err is set where it is not 0 */
    bool sound;
    struct error err;
};

static void read_database(void *argument)
{
    struct reading *reading = argument;
    struct store *store = NULL;

    reading->rc = store_open(&store, reading->workspace, STORE_READ, &reading->err);
    if (reading->rc == 0)
        reading->rc = store_is_sound(store, &reading->sound, &reading->err);
    store_close(store);
}

/* Where there can be no thread, it is read before this returns. */
static void start_reading(struct reading *reading, const char *workspace)
{
    *reading = (struct reading){ .workspace = workspace };
    reading->in_thread = store_allows_threads() &&
                         uv_thread_create(&reading->thread, read_database, reading) == 0;
    if (!reading->in_thread)
        read_database(reading);
}

static void end_reading(struct reading *reading)
{
    if (reading->in_thread)
        uv_thread_join(&reading->thread);
}

/* reading: has ended; NULL: nobody has changed the database since it was found
 * sound. */
static void check_database(struct report *report, const struct workspace *workspace,
                           struct store *store, const struct reading *reading)
{
    struct error err = { 0 };
    char mode[16], text[400];

    if (reading != NULL && reading->rc < 0) {
        say(report, "database", "fault", reading->err.message);
        return;
    }
    if (status_journal_mode(store, mode, &err) < 0) {
        say(report, "database", "fault", err.message);
        return;
    }
    if (reading != NULL && !reading->sound) {
        say(report, "database", "fault", "results.db is damaged (PRAGMA quick_check)");
        return;
    }
    snprintf(text, sizeof text, "results.db is %s; journal mode %s",
             reading == NULL ? "sound, unchanged since its last writer (--full reads it again)"
                             : "sound",
             mode);
    say(report, "database", "ok", text);
    if (file_is_on_network(workspace->path))
        say(report, "database", "warning",
            "on a network file system: without WAL, and for runners on one host only");
}

/* Checks the final checkpoints in the database against the files; full: and their
 * checksums. */
static void check_checkpoints(struct report *report, const struct workspace *workspace,
                              struct store *store, bool full)
{
    struct status_checkpoint *list;
    struct error err = { 0 };
    int count, lost = 0, damaged = 0, rc = 0;
    char text[500], first[200] = "", sums[40] = "";

    if (status_checkpoints(store, &list, &count, &err) < 0) {
        say(report, "checkpoints", "fault", err.message);
        return;
    }
    for (int i = 0; i < count && rc == 0; i++) {
        char *path = workspace_path(workspace, list[i].file);
        bool whole = false, sound;

        rc = path == NULL ? error_no_memory(&err, "a path")
                          : checkpoint_file_check(&whole, path, &err);
        sound = whole;
        if (rc == 0 && whole && full)
            rc = checkpoint_file_verify(&sound, path, &err);
        if (!sound && lost + damaged == 0)
            snprintf(first, sizeof first, "%s", list[i].file);
        lost += !whole;
        damaged += whole && !sound;
        free(path);
    }
    free(list);
    if (rc < 0) {
        say(report, "checkpoints", "fault", err.message);
        return;
    }
    snprintf(text, sizeof text, "all %d final checkpoints are there and %s", count,
             full ? "sound" : "complete (--full checks their content)");
    if (full)
        snprintf(sums, sizeof sums, ", %d fail their checksum", damaged);
    if (lost + damaged > 0)
        snprintf(text, sizeof text,
                 "of %d final checkpoints %d are gone or cut%s (%s%s); delete those, and "
                 "running their spec again trains them again",
                 count, lost, sums, first, lost + damaged > 1 ? ", ..." : "");
    say(report, "checkpoints", lost + damaged == 0 ? "ok" : "warning", text);
}

/* Reports which runner uses this workspace, and workers that run without a runner. */
static void check_runner(struct report *report, const struct workspace *workspace,
                         struct store *store)
{
    struct status_counts counts;
    struct error err = { 0 };
    char holder[WORKSPACE_HOLDER] = "", text[400];

    if (workspace_holder(workspace, holder, sizeof holder, &err) < 0 ||
        status_count(store, &counts, NULL, &err) < 0) {
        say(report, "runner", "fault", err.message);
        return;
    }
    bool idle = holder[0] == '\0';
    snprintf(text, sizeof text, "%s%s; %d jobs running, %d queued, %d failed",
             idle ? "no runner" : "runner ", holder, counts.running, counts.queued,
             counts.failed);
    bool left = idle && counts.running > 0;
    say(report, "runner", left ? "warning" : "ok", text);
    if (left)
        say(report, "runner", "warning",
            "a runner ended without its workers; hrmlab work takes them over");
}

static void check_workspace(struct report *report, const struct options *options)
{
    struct workspace workspace;
    struct store *store = NULL;
    struct error err = { 0 };
    struct statvfs space;
    char text[400], size[HUMAN_SIZE];
    int rc = workspace_find(&workspace, options->workspace, &err);

    if (rc < 0) {
        say(report, "workspace", rc == ERROR_ABSENT ? "ok" : "fault",
            rc == ERROR_ABSENT ? "none yet; hrmlab run SPEC makes it" : err.message);
        return;
    }
    if (statvfs(workspace.path, &space) == 0) {
        int64_t bytes = (int64_t)space.f_bavail * (int64_t)space.f_frsize;
        double mib = (double)bytes / 0x1p20;
        snprintf(text, sizeof text, "%s free below %s", human_bytes(size, bytes),
                 workspace.path);
        say(report, "disk", mib < LEAST_FREE_MIB ? "warning" : "ok", text);
    }
    rc = store_open(&store, workspace.path, STORE_READ, &err);
    if (rc < 0)
        say(report, "database", rc == ERROR_ABSENT ? "ok" : "fault",
            rc == ERROR_ABSENT ? "none yet; hrmlab run SPEC makes it" : err.message);
    if (store != NULL) {
        bool unread = !options->full && store_is_as_left(store);
        struct reading reading;

        if (!unread)
            start_reading(&reading, workspace.path);
        check_checkpoints(report, &workspace, store, options->full);
        check_runner(report, &workspace, store);
        if (!unread)
            end_reading(&reading);
        check_database(report, &workspace, store, unread ? NULL : &reading);
    }
    store_close(store);
    workspace_close(&workspace);
}

int command_doctor(const struct options *options, int *exit_code, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "check", .type = TABLE_TEXT },
        { .name = "verdict", .type = TABLE_TEXT },
        { .name = "finding", .type = TABLE_TEXT },
    };
    struct report report = { 0 };
    int rc = table_create(&report.table, columns, 3, err);

    if (rc < 0)
        return rc;
    check_machine(&report);
    check_worker(&report, options);
    check_workspace(&report, options);
    rc = table_print(report.table, stdout, options->format, options_color(options), err);
    table_destroy(report.table);
    if (report.faults > 0)
        *exit_code = EXIT_ENVIRONMENT;
    return rc;
}
