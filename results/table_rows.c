/* table_rows.c - fills tables from statements. */
#include "table_rows.h"

int table_add_rows(struct table *table, struct store *store, sqlite3_stmt **statement,
                   const struct table_column *columns, int count, struct error *err)
{
    int rc;

    while ((rc = sql_step(store, statement, err)) > 0) {
        sqlite3_stmt *s = *statement;

        table_row(table);
        for (int c = 0; c < count; c++) {
            if (sqlite3_column_type(s, c) == SQLITE_NULL)
                table_empty(table);
            else if (columns[c].type == TABLE_INT)
                table_int(table, sqlite3_column_int64(s, c));
            else if (columns[c].type == TABLE_REAL)
                table_real(table, sqlite3_column_double(s, c));
            else
                table_text(table, sql_text(s, c));
        }
    }
    return rc;
}
