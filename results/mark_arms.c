/* mark_arms.c - moves marks from one label of an arm to the next. */
#include "mark_arms.h"

#include "sql.h"

#include <stdlib.h>
#include <string.h>

void mark_arms_release(struct mark_arms *arms)
{
    for (int i = 0; i < arms->count; i++)
        free(arms->items[i].label);
    free(arms->items);
    *arms = (struct mark_arms){ 0 };
}

int mark_arms_read(struct mark_arms *out, struct store *store, int64_t experiment_id,
                   struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT m.arm, min(x.run_id) FROM experiment e"
                       " CROSS JOIN mark m ON m.experiment = e.name AND m.arm <> ''"
                       " CROSS JOIN arm a ON a.experiment_id = e.experiment_id"
                       "  AND a.label = m.arm CROSS JOIN arm_run x USING (arm_id)"
                       " WHERE e.experiment_id = ?1 GROUP BY m.arm",
                       "i", experiment_id);

    *out = (struct mark_arms){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct marked_arm *items =
            realloc(out->items, ((size_t)out->count + 1) * sizeof *out->items);

        rc = 0;
        if (items != NULL) {
            out->items = items;
            items[out->count].label = sql_text_copy(s, 0);
            items[out->count].run_id = sqlite3_column_int64(s, 1);
        }
        if (items == NULL || items[out->count++].label == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the marks of arms");
        }
    }
    return rc;
}

/* The label of the arm that has the run; *out NULL: none has. */
static int find_label(char **out, struct store *store, int64_t experiment_id, int64_t run_id,
                      struct error *err)
{
    return sql_find_text(store, out, err,
                         "SELECT a.label FROM arm_run x CROSS JOIN arm a USING (arm_id)"
                         " WHERE x.run_id = ?2 AND a.experiment_id = ?1 LIMIT 1",
                         "ii", experiment_id, run_id);
}

int mark_arms_write(const struct mark_arms *arms, int *moved, struct store *store,
                    int64_t experiment_id, struct error *err)
{
    int rc = 0;

    *moved = 0;
    for (int i = 0; i < arms->count && rc == 0; i++) {
        char *label;

        rc = find_label(&label, store, experiment_id, arms->items[i].run_id, err);
        if (rc == 0 && label != NULL && strcmp(label, arms->items[i].label) != 0) {
            rc = sql_run(store, err,
                         "UPDATE OR REPLACE mark SET arm = ?3 WHERE arm = ?2 AND experiment ="
                         " (SELECT name FROM experiment WHERE experiment_id = ?1)",
                         "itt", experiment_id, arms->items[i].label, label);
            ++*moved;
        }
        free(label);
    }
    return rc;
}
