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
        [NAME_RUN] = "SELECT substr(r.hash, 1, 12), (SELECT e.name || ': ' || a.label"
                     "  FROM arm_run x JOIN arm a USING (arm_id) JOIN experiment e"
                     "  USING (experiment_id) WHERE x.run_id = r.run_id LIMIT 1)"
                     " FROM run r ORDER BY (SELECT max(attempt_id) FROM attempt t"
                     "  WHERE t.run_id = r.run_id) DESC LIMIT 500",
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
