/* origin.c - reads what attempts reported about themselves, and how they ended. */
#include "origin.h"

#include "error.h"
#include "file.h"
#include "id_range.h"
#include "json.h"
#include "run_facts.h"
#include "sql.h"
#include "store.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int origin_data(char **out, struct store *store, const struct id_list *runs, struct error *err)
{
    struct id_query q =
        id_query_begin(store, runs,
                       "SELECT run_id, coalesce(json_extract(provenance, '$.data.source'), '')"
                       " FROM attempt WHERE run_id BETWEEN ?1 AND ?2"
                       " AND json_valid(provenance) ORDER BY run_id, number");
    int rc = id_query_step(&q, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    *out = rc == 1 ? sql_text_copy(q.s, 1) : strdup("");
    id_query_end(&q);
    return *out == NULL ? error_no_memory(err, "the data's source") : 0;
}

/* Makes room for one more item; false: no memory. */
static bool grow(void *array, int count, size_t size)
{
    void *old, *larger;

    memcpy(&old, array, sizeof old);
    larger = realloc(old, ((size_t)count + 1) * size);
    if (larger == NULL)
        return false;
    memcpy(array, &larger, sizeof larger);
    // cppcheck-suppress memleak ; *array owns it
    return true;
}

/* Copies count columns of the statement from number first on, "" for NULL; false: no
 * memory. */
static bool copy_columns(char **const *texts, int count, sqlite3_stmt *s, int first)
{
    bool whole = true;

    for (int i = 0; i < count; i++) {
        *texts[i] = strdup(sql_text(s, first + i));
        whole = whole && *texts[i] != NULL;
    }
    return whole;
}

/* ---- programs and machines ---- */

enum { BUILD_TEXTS = 10, BUILD_KEYS = 8 }; /* the former: all; the latter: but times */

static void build_texts(char **texts[BUILD_TEXTS], struct origin_build *build)
{
    char **const all[BUILD_TEXTS] = { &build->engine_version,
                                      &build->numeric_version,
                                      &build->git_commit,
                                      &build->compiler,
                                      &build->kernel_set,
                                      &build->blas,
                                      &build->cpu,
                                      &build->host,
                                      &build->first_begun,
                                      &build->last_begun };

    memcpy(texts, all, sizeof all);
}

void origin_builds_release(struct origin_builds *builds)
{
    char **texts[BUILD_TEXTS];

    for (int i = 0; i < builds->count; i++) {
        build_texts(texts, &builds->items[i]);
        for (int t = 0; t < BUILD_TEXTS; t++)
            free(*texts[t]);
    }
    free(builds->items);
    *builds = (struct origin_builds){ 0 };
}

/* The build of the row's attempt, added if it is new; NULL: no memory. */
static struct origin_build *find_build(struct origin_builds *builds, sqlite3_stmt *s)
{
    char **texts[BUILD_TEXTS];

    /* the one sought mostly is that of the attempt before */
    for (int i = builds->count - 1; i >= 0; i--) {
        bool same = true;

        build_texts(texts, &builds->items[i]);
        for (int t = 0; t < BUILD_KEYS && same; t++)
            same = strcmp(*texts[t], sql_text(s, t + 2)) == 0;
        if (same)
            return &builds->items[i];
    }
    if (!grow(&builds->items, builds->count, sizeof *builds->items))
        return NULL;
    struct origin_build *build = &builds->items[builds->count++];

    *build = (struct origin_build){ 0 };
    build_texts(texts, build);
    if (!copy_columns(texts, BUILD_KEYS, s, 2))
        return NULL;
    build->first_begun = strdup(sql_text(s, 1));
    build->last_begun = strdup(sql_text(s, 1));
    return build->first_begun != NULL && build->last_begun != NULL ? build : NULL;
}

/* Replaces a time by the row's; false: no memory. */
static bool replace_time(char **time, sqlite3_stmt *s)
{
    char *copy = strdup(sql_text(s, 1));

    if (copy != NULL) {
        free(*time);
        *time = copy;
    }
    return copy != NULL;
}

/* Adds the row's attempt. */
static int add_attempt(struct origin_builds *builds, sqlite3_stmt *s, struct error *err)
{
    struct origin_build *build = find_build(builds, s);
    int64_t run_id = sqlite3_column_int64(s, 0);
    bool whole = build != NULL;

    if (whole && strcmp(sql_text(s, 1), build->first_begun) < 0)
        whole = replace_time(&build->first_begun, s);
    if (whole && strcmp(sql_text(s, 1), build->last_begun) > 0)
        whole = replace_time(&build->last_begun, s);
    if (!whole)
        return error_no_memory(err, "the provenance");
    build->attempts++;
    /* attempts come run by run */
    build->runs += build->runs == 0 || build->last_run != run_id;
    build->last_run = run_id;
    return 0;
}

/* Order: when they began first, host, then all else. */
static int compare_builds(const void *a, const void *b)
{
    struct origin_build x = *(const struct origin_build *)a;
    struct origin_build y = *(const struct origin_build *)b;
    char **mine[BUILD_TEXTS], **theirs[BUILD_TEXTS];
    int order = strcmp(x.first_begun, y.first_begun);

    build_texts(mine, &x);
    build_texts(theirs, &y);
    if (order == 0)
        order = strcmp(x.host, y.host);
    for (int t = 0; t < BUILD_KEYS && order == 0; t++)
        order = strcmp(*mine[t], *theirs[t]);
    return order;
}

int origin_builds(struct origin_builds *out, struct store *store, const struct id_list *runs,
                  struct error *err)
{
    struct id_query q =
        id_query_begin(store, runs,
                       "SELECT t.run_id, t.started_at, t.engine_version, n.numeric_version,"
                       " t.git_commit, t.compiler, t.kernel_set, t.blas, t.cpu, t.host,"
                       " coalesce(t.user_seconds, 0) + coalesce(t.system_seconds, 0)"
                       " FROM attempt t CROSS JOIN run r USING (run_id)"
                       " CROSS JOIN training n USING (training_id)"
                       " WHERE t.run_id BETWEEN ?1 AND ?2 ORDER BY t.run_id, t.number");
    double of_run = 0;
    int before = -1, rc;

    *out = (struct origin_builds){ 0 };
    while ((rc = id_query_step(&q, err)) > 0) {
        if (q.place != before) {
            out->cpu_seconds += of_run;
            of_run = 0;
        }
        before = q.place;
        of_run += sqlite3_column_double(q.s, BUILD_KEYS + 2);
        if (sqlite3_column_type(q.s, 2) != SQLITE_NULL) /* its program began */
            rc = add_attempt(out, q.s, err);
        if (rc < 0)
            break;
    }
    out->cpu_seconds += of_run;
    id_query_end(&q);
    if (rc < 0)
        origin_builds_release(out);
    else if (out->count > 0)
        qsort(out->items, (size_t)out->count, sizeof *out->items, compare_builds);
    return rc;
}

/* ---- what failed ---- */

void origin_failures_release(struct origin_failures *failures)
{
    for (int i = 0; i < failures->count; i++) {
        struct origin_failure *failure = &failures->items[i];

        free(failure->arm);
        free(failure->hash);
        free(failure->state);
        free(failure->cause);
        free(failure->message);
    }
    free(failures->items);
    *failures = (struct origin_failures){ 0 };
}

/* Adds the run's last training, for each arm that has the run. */
static int add_failure(struct origin_failures *out, struct store *store, int64_t run_id,
                       int64_t experiment_id, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(
        store, &s, err,
        "SELECT a.label, r.hash, iif(j.cause = 'diverged', 'diverged', j.state), j.cause,"
        " j.message, r.seed, (SELECT count(*) FROM attempt t WHERE t.job_id = j.job_id),"
        " a.position"
        " FROM run r CROSS JOIN arm_run x USING (run_id) CROSS JOIN arm a USING (arm_id)"
        " CROSS JOIN job j ON j.job_id = (SELECT max(n.job_id) FROM job n"
        "  WHERE n.run_id = r.run_id AND n.kind = 'train')"
        " WHERE r.run_id = ?1 AND a.experiment_id = ?2",
        "ii", run_id, experiment_id);

    while (rc == 0 && (rc = sql_step(store, &s, err)) == 1) {
        rc = grow(&out->items, out->count, sizeof *out->items)
                 ? 0
                 : error_no_memory(err, "the failures");
        if (rc != 0)
            break;
        struct origin_failure *failure = &out->items[out->count++];
        char **const texts[] = { &failure->arm, &failure->hash, &failure->state,
                                 &failure->cause, &failure->message };

        *failure = (struct origin_failure){ .seed = sqlite3_column_int64(s, 5),
                                            .attempts = sqlite3_column_int(s, 6),
                                            .arm_position = sqlite3_column_int64(s, 7) };
        if (!copy_columns(texts, 5, s, 0))
            rc = error_no_memory(err, "the failures");
    }
    sql_end(&s);
    return rc;
}

static int compare_failures(const void *a, const void *b)
{
    const struct origin_failure *x = a, *y = b;

    if (x->arm_position != y->arm_position)
        return x->arm_position < y->arm_position ? -1 : 1;
    return x->seed < y->seed ? -1 : x->seed > y->seed;
}

int origin_failures(struct origin_failures *out, struct store *store,
                    const struct run_facts *runs, int64_t experiment_id, struct error *err)
{
    int rc = 0;

    *out = (struct origin_failures){ 0 };
    for (int i = 0; i < runs->count && rc == 0; i++)
        if (runs->items[i].failed)
            rc = add_failure(out, store, runs->items[i].run_id, experiment_id, err);
    if (rc != 0)
        origin_failures_release(out);
    else if (out->count > 0)
        qsort(out->items, (size_t)out->count, sizeof *out->items, compare_failures);
    return rc;
}

/* ---- the spec and the cost ---- */

void origin_spec_release(struct origin_spec *spec)
{
    free(spec->description);
    free(spec->spec_file);
    free(spec->spec_hash);
    free(spec->queued_at);
    *spec = (struct origin_spec){ 0 };
}

int origin_spec_text(char **text, struct store *store, const char *workspace,
                     int64_t experiment_id, struct error *err)
{
    struct origin_spec spec;
    size_t size;
    int rc = origin_spec(&spec, store, experiment_id, err);

    *text = NULL;
    if (rc != 0)
        return rc;
    bool named = spec.spec_file[0] != '\0';
    char *path = named ? file_join(workspace, spec.spec_file) : NULL;

    if (path != NULL) {
        rc = file_read(text, &size, path, JSON_SPEC_LIMIT, err);
        rc = rc == ERROR_ABSENT ? 0 : rc;
    } else if (named) {
        rc = error_no_memory(err, "a path");
    }
    free(path);
    origin_spec_release(&spec);
    return rc;
}

int origin_spec(struct origin_spec *out, struct store *store, int64_t experiment_id,
                struct error *err)
{
    sqlite3_stmt *s = NULL;
    char **const texts[] = { &out->description, &out->spec_file, &out->spec_hash,
                             &out->queued_at };
    int rc = sql_query(store, &s, err,
                       "SELECT description, spec_file, spec_hash, queued_at FROM experiment"
                       " WHERE experiment_id = ?1",
                       "i", experiment_id);

    *out = (struct origin_spec){ 0 };
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc == 0)
        rc = error_set(err, ERROR_ABSENT, "the experiment has been removed");
    if (rc == 1)
        rc = copy_columns(texts, 4, s, 0) ? 0 : error_no_memory(err, "the experiment");
    sql_end(&s);
    if (rc != 0)
        origin_spec_release(out);
    return rc;
}

struct origin_cost origin_cost(const struct run_facts *runs)
{
    struct origin_cost cost = { 0 };

    for (int i = 0; i < runs->count; i++) {
        const struct run_fact *run = &runs->items[i];

        if (run->state != RUN_DONE)
            continue;
        cost.trained++;
        cost.flops += isnan(run->train_flops) ? 0.0 : run->train_flops;
    }
    return cost;
}
