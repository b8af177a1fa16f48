/* run_list.c - lists the runs of an experiment. */
#include "run_list.h"

#include "error.h"
#include "sql.h"
#include "store.h"
#include "table_rows.h"

#include <stdio.h>

static const struct table_column COLUMNS[] = {
    { .name = "arm", .type = TABLE_TEXT },
    { .name = "seed", .type = TABLE_INT },
    { .name = "run_hash", .title = "run", .type = TABLE_TEXT },
    { .name = "state", .type = TABLE_TEXT },
    { .name = "cause", .type = TABLE_TEXT, .fold = true },
    { .name = "steps", .type = TABLE_INT },
    { .name = "total_steps", .title = "of", .type = TABLE_INT },
    { .name = "attempts", .type = TABLE_INT },
};

/* The newest training of each run. The rest is looked up for those alone that are
 * listed. */
static const char SQL[] =
    "SELECT r.label, r.seed, r.hash, j.state, j.cause,"
    " coalesce((SELECT max(m.step) FROM metric m WHERE m.run_id = r.run_id"
    "  AND m.name = 'train/lr'), 0),"
    " (SELECT n.total_steps FROM training n WHERE n.training_id = r.training_id),"
    " (SELECT count(*) FROM attempt t WHERE t.run_id = r.run_id)"
    " FROM (SELECT a.label, a.position, r.run_id, r.seed, r.hash, r.training_id"
    "  FROM experiment e CROSS JOIN arm a USING (experiment_id)"
    "  CROSS JOIN arm_run x USING (arm_id) CROSS JOIN run r USING (run_id)"
    "  WHERE e.name = ?1 ORDER BY a.position, r.seed LIMIT ?2) r"
    " LEFT JOIN job j ON j.job_id = (SELECT max(k.job_id) FROM job k"
    "  WHERE k.run_id = r.run_id AND k.kind = 'train')"
    " ORDER BY r.position, r.seed";

static int note_others(struct table *table, struct store *store, const char *experiment,
                       int most, struct error *err)
{
    int64_t count = 0;
    char note[80];
    int rc = sql_int(store, &count, NULL, err,
                     "SELECT count(*) FROM experiment e JOIN arm a USING (experiment_id)"
                     " JOIN arm_run USING (arm_id) WHERE e.name = ?1",
                     "t", experiment);

    if (rc == 0 && count > most) {
        snprintf(note, sizeof note, "%lld more runs have no room here",
                 (long long)(count - most));
        table_add_note(table, note);
    }
    return rc;
}

int run_list(struct table **out, struct store *store, const char *experiment, int most,
             struct error *err)
{
    sqlite3_stmt *s;
    int rc = table_create(out, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);

    if (rc == 0)
        rc = sql_query(store, &s, err, SQL, "ti", experiment, (int64_t)most);
    if (rc == 0)
        rc = table_add_rows(*out, store, &s, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);
    if (rc == 0)
        rc = note_others(*out, store, experiment, most, err);
    return rc;
}
