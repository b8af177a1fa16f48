/* migrations.c - what each version of the database differs in from the one before. */
#include "migrations.h"

#include <stddef.h>

/* The settings of a run as one object, its seed aside; a stands for the run's id. */
#define SETTINGS_OF(a)                                                                         \
    "(SELECT json_group_object(key, value) FROM (SELECT key, value FROM setting"               \
    " WHERE run_id = " a " AND key <> 'train.seed' ORDER BY key))"

/* Version 2: runs that differ in their seed alone share their settings. 100 000 runs took
 * 4 million rows, half of the database and two thirds of the time to queue them. */
static const char SHARE_SETTINGS[] =
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
    "INSERT OR IGNORE INTO config (settings) SELECT " SETTINGS_OF(
        "r.run_id") " FROM run r;"
                    "UPDATE run SET config_id ="
                    " (SELECT config_id FROM config WHERE settings = " SETTINGS_OF(
                        "run.run_id") ");"
                                      "INSERT INTO config_setting SELECT r.config_id, s.key, "
                                      "iif(s.key = 'train.seed', NULL, s.value)"
                                      " FROM (SELECT min(run_id) AS run_id, config_id FROM run "
                                      "GROUP BY config_id) r"
                                      " JOIN setting s ON s.run_id = r.run_id;"
                                      "DROP TABLE setting;";

const char *const MIGRATIONS[SCHEMA_VERSION] = { NULL, SHARE_SETTINGS };
