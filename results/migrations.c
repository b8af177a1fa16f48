/* migrations.c - what each version of the database differs in from the one before. */
#include "migrations.h"

#include <stddef.h>

/*
 * Version 2: runs that differ in their seed alone share their settings. 100 000 runs took 4 million
 * rows, half of the database and most of the time to queue them. json() keeps every digit of
 * a real value, which SQLite's own JSON cuts to 15.
 */
static const char SHARE_SETTINGS[] = //
    "CREATE TABLE config ("
    "    config_id INTEGER PRIMARY KEY,"
    "    settings TEXT NOT NULL UNIQUE CHECK (json_valid(settings))"
    ") STRICT;"
    "CREATE TABLE config_setting ("
    "    config_id INTEGER NOT NULL REFERENCES config ON DELETE CASCADE,"
    "    key TEXT NOT NULL,"
    "    value ANY,"
    "    PRIMARY KEY (config_id, key)"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE run ADD COLUMN config_id INTEGER REFERENCES config;"
    "CREATE TEMP TABLE settings_of_run AS"
    " SELECT run_id, json_group_object(key, iif(typeof(value) = 'real', json(quote(value)), "
    "value))"
    " AS settings FROM (SELECT * FROM setting WHERE key <> 'train.seed' ORDER BY run_id, key)"
    " GROUP BY run_id;"
    "INSERT INTO config (settings) SELECT DISTINCT settings FROM settings_of_run;"
    "UPDATE run SET config_id = c.config_id FROM settings_of_run s JOIN config c USING "
    "(settings)"
    " WHERE s.run_id = run.run_id;"
    "DROP TABLE settings_of_run;"
    "INSERT INTO config_setting"
    " SELECT r.config_id, s.key, iif(s.key = 'train.seed', NULL, s.value)"
    " FROM (SELECT min(run_id) AS run_id, config_id FROM run GROUP BY config_id) r"
    " JOIN setting s ON s.run_id = r.run_id;"
    "DROP TABLE setting;";

const char *const MIGRATIONS[SCHEMA_VERSION] = { NULL, SHARE_SETTINGS };
