/* origin.c - what the attempts said of themselves when they began. */
#include "origin.h"

#include "error.h"
#include "sql.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

int origin_data(char **out, struct store *store, int64_t experiment_id, struct error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sql_query(store, &s, err,
                       "SELECT json_extract(t.provenance, '$.data.source') FROM arm a"
                       " CROSS JOIN arm_run x USING (arm_id)"
                       " CROSS JOIN attempt t USING (run_id)"
                       " WHERE a.experiment_id = ?1 AND json_valid(t.provenance)"
                       " ORDER BY a.position, x.run_id, t.number LIMIT 1",
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
