/* origin.c - reads what attempts reported about themselves, and how they ended. */
#include "origin.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "sql.h"
#include "store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The runs of experiment ?1. */
#define RUNS                                                                                   \
    "(SELECT DISTINCT x.run_id FROM arm a CROSS JOIN arm_run x USING (arm_id)"                 \
    " WHERE a.experiment_id = ?1)"

int origin_data(char **out, struct store *store, int64_t experiment_id, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(store, &s, err,
                       "SELECT json_extract(t.provenance, '$.data.source') FROM " RUNS
                       " CROSS JOIN attempt t USING (run_id)"
                       " WHERE json_valid(t.provenance) ORDER BY t.run_id, t.number LIMIT 1",
                       "i", experiment_id);

    *out = NULL;
    if (rc == 0)
        rc = sql_step(store, &s, err);
    if (rc < 0)
        return rc;
    *out = rc == 1 ? sql_text_copy(s, 0) : NULL;
    sql_end(&s);
    if (*out == NULL)
        *out = strdup("");
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

/* Copies the first count columns of the statement, "" for NULL; false: no memory. */
static bool copy_columns(char **const *texts, int count, sqlite3_stmt *s)
{
    bool whole = true;

    for (int i = 0; i < count; i++) {
        *texts[i] = strdup(sql_text(s, i));
        whole = whole && *texts[i] != NULL;
    }
    return whole;
}

/* ---- programs and machines ---- */

enum { BUILD_TEXTS = 10 };

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

int origin_builds(struct origin_builds *out, struct store *store, int64_t experiment_id,
                  struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(
        store, &s, err,
        "SELECT t.engine_version, r.numeric_version, t.git_commit, t.compiler, t.kernel_set,"
        " t.blas, t.cpu, t.host, min(t.started_at), max(t.started_at), count(*),"
        " count(DISTINCT t.run_id) FROM " RUNS
        " CROSS JOIN attempt t USING (run_id) CROSS JOIN run r USING (run_id)"
        " WHERE t.engine_version IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 9, 8",
        "i", experiment_id);

    *out = (struct origin_builds){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) == 1) {
        char **texts[BUILD_TEXTS];

        rc = grow(&out->items, out->count, sizeof *out->items)
                 ? 0
                 : error_no_memory(err, "the provenance");
        if (rc != 0)
            break;
        struct origin_build *build = &out->items[out->count++];

        *build = (struct origin_build){ .attempts = sqlite3_column_int(s, 10),
                                        .runs = sqlite3_column_int(s, 11) };
        build_texts(texts, build);
        if (!copy_columns(texts, BUILD_TEXTS, s))
            rc = error_no_memory(err, "the provenance");
    }
    sql_end(&s);
    if (rc != 0)
        origin_builds_release(out);
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

int origin_failures(struct origin_failures *out, struct store *store, int64_t experiment_id,
                    struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(
        store, &s, err,
        "SELECT a.label, r.hash, iif(j.cause = 'diverged', 'diverged', j.state), j.cause,"
        " j.message, r.seed, (SELECT count(*) FROM attempt t WHERE t.job_id = j.job_id)"
        " FROM arm a CROSS JOIN arm_run x USING (arm_id) CROSS JOIN run r USING (run_id)"
        " CROSS JOIN job j ON j.job_id = (SELECT max(n.job_id) FROM job n"
        "  WHERE n.run_id = r.run_id AND n.kind = 'train')"
        " WHERE a.experiment_id = ?1"
        " AND (j.state IN ('failed', 'cancelled', 'quarantined') OR j.cause = 'diverged')"
        " ORDER BY a.position, r.seed",
        "i", experiment_id);

    *out = (struct origin_failures){ 0 };
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
                                            .attempts = sqlite3_column_int(s, 6) };
        if (!copy_columns(texts, 5, s))
            rc = error_no_memory(err, "the failures");
    }
    sql_end(&s);
    if (rc != 0)
        origin_failures_release(out);
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
    char *path = spec.spec_file[0] != '\0' ? file_join(workspace, spec.spec_file) : NULL;

    if (path != NULL) {
        rc = file_read(text, &size, path, JSON_SPEC_LIMIT, err);
        rc = rc == ERROR_ABSENT ? 0 : rc;
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
        rc = copy_columns(texts, 4, s) ? 0 : error_no_memory(err, "the experiment");
    sql_end(&s);
    if (rc != 0)
        origin_spec_release(out);
    return rc;
}

int origin_cost(struct origin_cost *out, struct store *store, int64_t experiment_id,
                struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(
        store, &s, err,
        "SELECT total(iif(d.done, r.train_flops, 0.0)), total((SELECT"
        "  sum(coalesce(t.user_seconds, 0) + coalesce(t.system_seconds, 0)) FROM attempt t"
        "  WHERE t.run_id = r.run_id)), total(d.done)"
        " FROM (SELECT run_id, EXISTS (SELECT 1 FROM job j WHERE j.run_id = x.run_id"
        "  AND j.kind = 'train' AND j.state = 'done' AND j.cause IS NULL) AS done"
        "  FROM " RUNS " x) d CROSS JOIN run r USING (run_id)",
        "i", experiment_id);

    *out = (struct origin_cost){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) == 1) { /* one row */
        rc = 0;
        *out = (struct origin_cost){ sqlite3_column_double(s, 0), sqlite3_column_double(s, 1),
                                     sqlite3_column_int(s, 2) };
    }
    return rc;
}
