/* evaluation_changes.c - temporary triggers that change what is below two views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "evaluation_changes.h"

/* A canonical form has the outer steps that a test sets. */
#define CANONICAL "json_set(new.canonical, '$.\"eval.halt_max_steps\"', new.outer_steps)"
#define NEW_INFERENCE "(SELECT inference_id FROM inference WHERE canonical = " CANONICAL ")"
#define ADD_INFERENCE                                                                          \
    " INSERT OR IGNORE INTO inference (canonical, outer_steps, augmentations, act_inference,"  \
    "  eval_seed, split) VALUES (" CANONICAL ", new.outer_steps, new.augmentations,"           \
    "  new.act_inference, new.eval_seed, new.split);"

static const char TRIGGERS[] = //
    "CREATE TEMP TRIGGER evaluation_added INSTEAD OF INSERT ON main.evaluation BEGIN"
    /**/ ADD_INFERENCE
    " INSERT INTO run_inference VALUES (new.evaluation_id, new.run_id, " NEW_INFERENCE ");"
    "END;"
    /* arms that asked for it ask for the new one */
    "CREATE TEMP TRIGGER evaluation_changed INSTEAD OF UPDATE ON main.evaluation BEGIN"
    /**/ ADD_INFERENCE " INSERT OR IGNORE INTO arm_inference SELECT arm_id, " NEW_INFERENCE
    "  FROM arm_inference JOIN arm_run USING (arm_id)"
    "  WHERE run_id = old.run_id AND inference_id = (SELECT inference_id FROM run_inference"
    "   WHERE evaluation_id = old.evaluation_id);"
    " UPDATE run_inference SET evaluation_id = new.evaluation_id, run_id = new.run_id,"
    "  inference_id = " NEW_INFERENCE " WHERE evaluation_id = old.evaluation_id;"
    "END;"
    "CREATE TEMP TRIGGER evaluation_removed INSTEAD OF DELETE ON main.evaluation BEGIN"
    " DELETE FROM run_inference WHERE evaluation_id = old.evaluation_id;"
    "END;"
    "CREATE TEMP TRIGGER asked INSTEAD OF INSERT ON main.arm_evaluation BEGIN"
    " INSERT OR IGNORE INTO arm_inference SELECT new.arm_id, inference_id"
    "  FROM run_inference WHERE evaluation_id = new.evaluation_id;"
    "END;"
    "CREATE TEMP TRIGGER no_longer_asked INSTEAD OF DELETE ON main.arm_evaluation BEGIN"
    " DELETE FROM arm_inference WHERE arm_id = old.arm_id AND inference_id ="
    "  (SELECT inference_id FROM run_inference WHERE evaluation_id = old.evaluation_id);"
    "END;";

void evaluation_changes_allow(sqlite3 *db)
{
    sqlite3_stmt *statement;
    char *message = NULL;

    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT 1 FROM main.sqlite_schema"
                                        " WHERE type = 'view' AND name = 'evaluation'",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    int answer = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (answer == SQLITE_ROW && sqlite3_exec(db, TRIGGERS, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
}
