/* detectable.c - the spread over seeds of what has finished. */
#include "detectable.h"

#include "error.h"
#include "sql.h"

#include <math.h>

int seed_spread_load(struct seed_spread *out, struct store *store, const char *data_hash,
                     struct error *err)
{
    sqlite3_stmt *s;
    double squares = 0;
    int64_t degrees = 0;
    int rc = sql_query(store, &s, err,
                       "SELECT count(*), sum(x.pass_at_2), sum(x.pass_at_2 * x.pass_at_2)"
                       " FROM evaluation_result x CROSS JOIN evaluation e USING (evaluation_id)"
                       " CROSS JOIN run r USING (run_id) CROSS JOIN training t"
                       " USING (training_id) WHERE x.checkpoint = 'last'"
                       " AND x.pass_at_2 IS NOT NULL AND e.split = 'test' AND t.data_hash = ?1"
                       " GROUP BY t.config_id, e.canonical HAVING count(*) >= 2"
                       " AND sum(x.pass_at_2) > 0 AND sum(x.pass_at_2) < count(*)",
                       "t", data_hash);

    *out = (struct seed_spread){ .deviation = (double)NAN };
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        int64_t count = sqlite3_column_int64(s, 0);
        double sum = sqlite3_column_double(s, 1);

        rc = 0;
        squares += fmax(0.0, sqlite3_column_double(s, 2) - sum * sum / (double)count);
        degrees += count - 1;
        out->cells++;
    }
    if (rc == 0 && degrees > 0)
        out->deviation = sqrt(squares / (double)degrees);
    return rc;
}
