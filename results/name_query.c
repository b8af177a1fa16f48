/* name_query.c - finds the names of experiments, runs, arms and axes. */
#include "name_query.h"

#include "error.h"
#include "sql.h"
#include "store.h"

int name_query(struct store *store, enum name_kind kind, name_fn *each, void *context,
               struct error *err)
{
    static const char *const SQL[NAME_KIND_COUNT] = {
        [NAME_EXPERIMENT] = "SELECT name, description FROM experiment"
                            " ORDER BY experiment_id DESC LIMIT 500",
        /* of the last attempts, and of the runs that were queued last */
        [NAME_RUN] =
            "WITH recent AS (SELECT run_id, max(at) AS at FROM"
            "  (SELECT * FROM (SELECT run_id, attempt_id AS at FROM attempt"
            "    ORDER BY attempt_id DESC LIMIT 2000) UNION ALL"
            "   SELECT * FROM (SELECT run_id, 0 FROM run ORDER BY run_id DESC LIMIT 500))"
            "  GROUP BY run_id)"
            " SELECT substr(r.hash, 1, 12), (SELECT e.name || ': ' || a.label"
            "  FROM arm_run x JOIN arm a USING (arm_id) JOIN experiment e"
            "  USING (experiment_id) WHERE x.run_id = r.run_id LIMIT 1)"
            " FROM recent CROSS JOIN run r USING (run_id) ORDER BY recent.at DESC"
            " LIMIT 500",
        [NAME_ARM] = "SELECT DISTINCT label, '' FROM arm LIMIT 500",
        [NAME_FULL_ARM] = "SELECT e.name || ':' || a.label, '' FROM experiment e"
                          " CROSS JOIN arm a USING (experiment_id)"
                          " ORDER BY e.experiment_id DESC, a.position LIMIT 500",
        [NAME_AXIS] = "SELECT DISTINCT k.key, '' FROM arm a, json_each(a.axes) k LIMIT 500"
    };
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err, SQL[kind], "");

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        each(context, sql_text(s, 0), sql_text(s, 1));
    }
    return rc;
}
