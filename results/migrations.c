/* migrations.c - the differences between consecutive versions of the database. */
#include "migrations.h"

#include <stddef.h>

/*
 * Version 2: runs that differ only in the seed share their settings. 100 000 runs took
 * 4 million rows, half of the database and most of the time to queue them. json()
 * keeps every digit of a real value, which SQLite's own JSON functions round to 15.
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

/*
 * Version 3: how and where a job is executed belongs to the job, as last asked for.
 * Before, every later job of a run used the settings of its first queueing. The
 * columns of a job win over the run's first settings. An experiment that was cancelled
 * no longer keeps runs that it shares with others. A database knows the directory that
 * it is in.
 */
static const char EXECUTION_OF_JOBS[] = //
    "CREATE TABLE workspace ("
    "    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),"
    "    path TEXT NOT NULL,"
    "    device INTEGER NOT NULL,"
    "    inode INTEGER NOT NULL"
    ") STRICT;"
    "ALTER TABLE experiment ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0"
    " CHECK (cancelled IN (0, 1));"
    "CREATE TABLE execution ("
    "    execution_id INTEGER PRIMARY KEY,"
    "    settings TEXT NOT NULL UNIQUE CHECK (json_valid(settings))"
    ") STRICT;"
    "ALTER TABLE job ADD COLUMN execution_id INTEGER REFERENCES execution;"
    "CREATE TEMP TABLE execution_of_job AS"
    " SELECT j.job_id AS job_id,"
    "  (SELECT json_group_object(key, iif(typeof(value) = 'real', json(quote(value)), value))"
    "    FROM (SELECT e.key AS key, e.value AS value FROM json_each(r.job_config) e"
    "           WHERE e.key IN ('data.path', 'train.checkpoint_interval')"
    "          UNION ALL SELECT 'resources.memory_gb', j.memory_gb"
    "          UNION ALL SELECT 'resources.threads', j.threads"
    "          UNION ALL SELECT 'resources.time_limit_min', j.time_limit_min"
    "          UNION ALL SELECT 'retries.delay', j.retry_delay_s"
    "          UNION ALL SELECT 'retries.max', j.retries_max ORDER BY 1)) AS settings"
    " FROM job j JOIN run r USING (run_id);"
    "INSERT INTO execution (settings) SELECT DISTINCT settings FROM execution_of_job;"
    "UPDATE job SET execution_id = x.execution_id"
    " FROM execution_of_job s JOIN execution x USING (settings) WHERE s.job_id = job.job_id;"
    "DROP TABLE execution_of_job;"
    /* One name for one quantity: exact_accuracy was also what compare called the votes
     * per task. Tables are copied, as renaming a column fails where a view of
     * somebody's own reads a table that the upgrade replaces. */
    "DROP VIEW IF EXISTS v_results;"
    "CREATE TEMP TABLE older_result AS SELECT * FROM evaluation_result;"
    "DROP TABLE evaluation_result;"
    "CREATE TABLE evaluation_result ("
    "    evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,"
    "    step INTEGER NOT NULL,"
    "    checkpoint TEXT NOT NULL CHECK (checkpoint IN ('untrained', 'interim', 'last')),"
    "    per_token_accuracy REAL NOT NULL,"
    "    per_token_accuracy_original REAL NOT NULL,"
    "    exact_rows REAL NOT NULL,"
    "    lm_loss REAL NOT NULL,"
    "    mean_outer_steps REAL NOT NULL,"
    "    pass_at_1 REAL NOT NULL, pass_at_2 REAL NOT NULL, pass_at_5 REAL NOT NULL,"
    "    pass_at_10 REAL NOT NULL, pass_at_100 REAL NOT NULL, pass_at_1000 REAL NOT NULL,"
    "    pass_at_1_strict REAL NOT NULL, pass_at_2_strict REAL NOT NULL,"
    "    tasks INTEGER NOT NULL,"
    "    rows_count INTEGER NOT NULL,"
    "    seconds REAL NOT NULL,"
    "    PRIMARY KEY (evaluation_id, step)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO evaluation_result SELECT * FROM older_result;"
    "DROP TABLE older_result;"
    "CREATE TEMP TABLE older_baseline AS SELECT * FROM baseline;"
    "DROP TABLE baseline;"
    "CREATE TABLE baseline ("
    "    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,"
    "    name TEXT NOT NULL,"
    "    split TEXT NOT NULL CHECK (split IN ('test', 'train')),"
    "    per_token_accuracy REAL NOT NULL,"
    "    exact_rows REAL NOT NULL,"
    "    pass_at_1 REAL NOT NULL,"
    "    pass_at_2 REAL NOT NULL,"
    "    PRIMARY KEY (run_id, name, split)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO baseline SELECT * FROM older_baseline;"
    "DROP TABLE older_baseline;";

/*
 * Version 4: the place of an attempt becomes one text in the format of its executor;
 * there was only one executor before. The table is copied, as before; rows that refer
 * to it are moved to temporary tables meanwhile. Results of evaluations become one row
 * per value, so that a new measure, or one that is a list, needs no column. Attempts
 * get the wall times that they report.
 */
static const char PLACES_AND_MEASURES[] = //
    "CREATE TEMP TABLE older_checkpoint AS SELECT * FROM checkpoint;"
    "DELETE FROM checkpoint;"
    "CREATE TEMP TABLE older_attempt AS SELECT * FROM attempt;"
    "DROP TABLE attempt;"
    "CREATE TABLE attempt ("
    "    attempt_id INTEGER PRIMARY KEY,"
    "    job_id INTEGER NOT NULL REFERENCES job,"
    "    run_id INTEGER NOT NULL REFERENCES run,"
    "    number INTEGER NOT NULL,"
    "    directory TEXT NOT NULL,"
    "    executor TEXT NOT NULL,"
    "    state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'ended', 'superseded',"
    "                                         'quarantined')),"
    "    place TEXT,"
    "    host TEXT,"
    "    cpus TEXT,"
    "    journal_offset INTEGER NOT NULL DEFAULT 0,"
    "    journal_sequence INTEGER NOT NULL DEFAULT 0,"
    "    outcome TEXT,"
    "    message TEXT,"
    "    exit_status INTEGER,"
    "    exit_signal INTEGER,"
    "    user_seconds REAL, system_seconds REAL, peak_rss_mib REAL,"
    "    weights_hash TEXT,"
    "    engine_version TEXT, git_commit TEXT, compiler TEXT,"
    "    kernel_set TEXT, blas TEXT, blas_core TEXT, cpu TEXT, provenance TEXT,"
    "    started_at TEXT NOT NULL,"
    "    ended_at TEXT,"
    "    UNIQUE (run_id, number)"
    ") STRICT;"
    "INSERT INTO attempt SELECT attempt_id, job_id, run_id, number, directory, executor, state,"
    " iif(boot_id <> 'of another workspace', iif(keeper_pid IS NULL, '',"
    "  'pid ' || keeper_pid || ' start ' || coalesce(keeper_start, 0) || ' ')"
    "  || 'boot ' || boot_id || ' cpus ' || coalesce(cpus, ''), NULL),"
    " host, cpus, journal_offset, journal_sequence, outcome, message, exit_status, exit_signal,"
    " user_seconds, system_seconds, peak_rss_mib, weights_hash, engine_version, git_commit,"
    " compiler, kernel_set, blas, blas_core, cpu, provenance, started_at, ended_at"
    " FROM older_attempt;"
    "CREATE INDEX attempt_by_job ON attempt (job_id);"
    "CREATE INDEX attempt_by_state ON attempt (state);"
    "INSERT INTO checkpoint SELECT * FROM older_checkpoint;"
    "DROP TABLE older_attempt;"
    "DROP TABLE older_checkpoint;"
    "DROP VIEW IF EXISTS v_results;"
    "DROP VIEW IF EXISTS v_untrained;"
    "DROP VIEW IF EXISTS v_interim;"
    "DROP VIEW IF EXISTS v_evaluations;"
    "ALTER TABLE attempt ADD COLUMN train_seconds REAL;"
    "ALTER TABLE attempt ADD COLUMN evaluation_seconds REAL;"
    "CREATE TABLE measure_value ("
    "    evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,"
    "    step INTEGER NOT NULL,"
    "    name TEXT NOT NULL,"
    "    position INTEGER NOT NULL,"
    "    value REAL NOT NULL,"
    "    PRIMARY KEY (evaluation_id, step, name, position)"
    ") STRICT, WITHOUT ROWID;"
    /* In the order of the primary key. */
    "WITH measure (name) AS (VALUES ('exact_rows'), ('lm_loss'), ('mean_outer_steps'),"
    "  ('pass_at_1'), ('pass_at_10'), ('pass_at_100'), ('pass_at_1000'), ('pass_at_1_strict'),"
    "  ('pass_at_2'), ('pass_at_2_strict'), ('pass_at_5'), ('per_token_accuracy'),"
    "  ('per_token_accuracy_original'))"
    " INSERT INTO measure_value SELECT x.evaluation_id, x.step, m.name, 0, CASE m.name"
    "  WHEN 'exact_rows' THEN x.exact_rows WHEN 'lm_loss' THEN x.lm_loss"
    "  WHEN 'mean_outer_steps' THEN x.mean_outer_steps WHEN 'pass_at_1' THEN x.pass_at_1"
    "  WHEN 'pass_at_10' THEN x.pass_at_10 WHEN 'pass_at_100' THEN x.pass_at_100"
    "  WHEN 'pass_at_1000' THEN x.pass_at_1000"
    "  WHEN 'pass_at_1_strict' THEN x.pass_at_1_strict WHEN 'pass_at_2' THEN x.pass_at_2"
    "  WHEN 'pass_at_2_strict' THEN x.pass_at_2_strict WHEN 'pass_at_5' THEN x.pass_at_5"
    "  WHEN 'per_token_accuracy' THEN x.per_token_accuracy"
    "  ELSE x.per_token_accuracy_original END"
    " FROM evaluation_result x CROSS JOIN measure m;"
    "CREATE TEMP TABLE older_result AS SELECT evaluation_id, step, checkpoint, tasks,"
    " rows_count, seconds FROM evaluation_result;"
    "DROP TABLE evaluation_result;"
    "CREATE TABLE evaluation_result ("
    "    evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,"
    "    step INTEGER NOT NULL,"
    "    checkpoint TEXT NOT NULL CHECK (checkpoint IN ('untrained', 'interim', 'last')),"
    "    tasks INTEGER NOT NULL,"
    "    rows_count INTEGER NOT NULL,"
    "    seconds REAL NOT NULL,"
    "    PRIMARY KEY (evaluation_id, step)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO evaluation_result SELECT * FROM older_result;"
    "DROP TABLE older_result;";

/* Version 5: a spec may plan its comparisons; people mark experiments, arms and runs; a
 * run may begin with the weights of another. */
static const char VERSION_5[] = //
    "ALTER TABLE run ADD COLUMN base_hash TEXT;"
    "CREATE INDEX run_by_base ON run (base_hash) WHERE base_hash IS NOT NULL;"
    "CREATE TABLE contrast ("
    "    experiment_id INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,"
    "    position INTEGER NOT NULL,"
    "    name TEXT NOT NULL,"
    "    from_cells TEXT NOT NULL CHECK (json_valid(from_cells)),"
    "    to_cells TEXT NOT NULL CHECK (json_valid(to_cells)),"
    "    PRIMARY KEY (experiment_id, position)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE mark ("
    "    kind TEXT NOT NULL CHECK (kind IN ('note', 'tag', 'keep')),"
    "    experiment TEXT NOT NULL,"
    "    arm TEXT NOT NULL,"
    "    run_hash TEXT NOT NULL,"
    "    text TEXT NOT NULL,"
    "    made_at TEXT NOT NULL,"
    "    PRIMARY KEY (experiment, arm, run_hash, kind, text)"
    ") STRICT, WITHOUT ROWID;";

/* Version 6: columns of v_results and its like have declared types. Views are made anew
 * after every upgrade. */
static const char VERSION_6[] = "";

/* Version 7: the measures that are shown of every run are columns of evaluation_result,
 * too. */
#define MEASURE_OF(name)                                                                       \
    name " = (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id"     \
         " AND m.step = x.step AND m.name = '" name "' AND m.position = 0)"
static const char VERSION_7[] = //
    "ALTER TABLE evaluation_result ADD COLUMN per_token_accuracy REAL;"
    "ALTER TABLE evaluation_result ADD COLUMN exact_rows REAL;"
    "ALTER TABLE evaluation_result ADD COLUMN mean_outer_steps REAL;"
    "ALTER TABLE evaluation_result ADD COLUMN pass_at_1 REAL;"
    "ALTER TABLE evaluation_result ADD COLUMN pass_at_2 REAL;"
    "UPDATE evaluation_result AS x SET " MEASURE_OF("per_token_accuracy") ", " //
    MEASURE_OF("exact_rows") ", " MEASURE_OF("mean_outer_steps") ", "          //
    MEASURE_OF("pass_at_1") ", " MEASURE_OF("pass_at_2");

/*
 * Version 8: what the seeds of a training share is stored once. 100 000 runs that were
 * only queued took 93 MiB, a third of it texts that a thousand of them repeated. The
 * texts lose the seed and the base's hash, which are the run's; json_remove() keeps
 * every digit of a number. Counts that differ, as releases may count otherwise, stay
 * what they are: such runs do not share. The table run is made anew, since dropping a
 * column fails where a view of somebody's own reads it.
 */
#define SHARED_TEXT(text)                                                                      \
    " replace(iif(json_valid(" text "), json_remove(" text ", '$.\"train.seed\"'), " text      \
    "), '\"train.init_from\":\"run:' || coalesce(base_hash, '?') || '\"',"                     \
    " '\"train.init_from\":\"run:' || printf('%064d', 0) || '\"') AS " text
#define SHARED_FACTS                                                                           \
    "canonical, job_config, data_hash, numeric_version, parameters, puzzle_parameters,"        \
    " total_steps, train_flops, config_id"
static const char VERSION_8[] = //
    "CREATE TABLE training ("
    "    training_id INTEGER PRIMARY KEY,"
    "    canonical TEXT NOT NULL,"
    "    job_config TEXT NOT NULL CHECK (json_valid(job_config)),"
    "    data_hash TEXT NOT NULL,"
    "    numeric_version TEXT NOT NULL,"
    "    parameters INTEGER,"
    "    puzzle_parameters INTEGER,"
    "    total_steps INTEGER,"
    "    train_flops REAL,"
    "    config_id INTEGER REFERENCES config"
    ") STRICT;"
    "CREATE INDEX training_by_config ON training (config_id);"
    "CREATE TEMP TABLE older_run AS SELECT run_id, hash, seed, mixed, base_hash,"
    " data_hash, numeric_version, parameters, puzzle_parameters, total_steps, train_flops,"
    " config_id,"                //
    SHARED_TEXT("canonical") "," //
    SHARED_TEXT("job_config")    //
    " FROM run;"
    "DROP TABLE run;"
    "INSERT INTO training (" SHARED_FACTS ") SELECT " SHARED_FACTS " FROM older_run"
    " GROUP BY " SHARED_FACTS " ORDER BY min(run_id);"
    "CREATE TABLE run ("
    "    run_id INTEGER PRIMARY KEY,"
    "    hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),"
    "    training_id INTEGER NOT NULL REFERENCES training,"
    "    seed INTEGER NOT NULL,"
    "    mixed INTEGER NOT NULL DEFAULT 0 CHECK (mixed IN (0, 1)),"
    "    base_hash TEXT"
    ") STRICT;"
    "INSERT INTO run SELECT o.run_id, o.hash, t.training_id, o.seed, o.mixed, o.base_hash"
    " FROM older_run o CROSS JOIN training t ON t.config_id IS o.config_id"
    "  AND t.data_hash = o.data_hash AND t.numeric_version = o.numeric_version"
    "  AND t.parameters IS o.parameters AND t.puzzle_parameters IS o.puzzle_parameters"
    "  AND t.total_steps IS o.total_steps AND t.train_flops IS o.train_flops"
    "  AND t.canonical = o.canonical AND t.job_config = o.job_config;"
    "DROP TABLE older_run;"
    "CREATE INDEX run_by_base ON run (base_hash) WHERE base_hash IS NOT NULL;";

/*
 * Version 9: evaluations of many runs share their settings. The tables that refer to an
 * evaluation are made anew, since they are to refer to another table. A legacy renaming
 * does not look at views of somebody's own.
 */
#define TAKE_PLACE_OF(name)                                                                    \
    "INSERT INTO anew SELECT * FROM " name ";"                                                 \
    "DROP TABLE " name ";"                                                                     \
    "ALTER TABLE anew RENAME TO " name ";"
static const char VERSION_9[] = //
    "PRAGMA legacy_alter_table = ON;"
    "CREATE TABLE inference ("
    "    inference_id INTEGER PRIMARY KEY,"
    "    canonical TEXT NOT NULL UNIQUE,"
    "    outer_steps INTEGER NOT NULL,"
    "    augmentations INTEGER NOT NULL,"
    "    act_inference INTEGER NOT NULL CHECK (act_inference IN (0, 1)),"
    "    eval_seed INTEGER NOT NULL,"
    "    split TEXT NOT NULL CHECK (split IN ('test', 'train'))"
    ") STRICT;"
    "INSERT INTO inference (canonical, outer_steps, augmentations, act_inference, eval_seed,"
    " split) SELECT canonical, outer_steps, augmentations, act_inference, eval_seed, split"
    " FROM evaluation GROUP BY canonical ORDER BY min(evaluation_id);"
    "CREATE TABLE run_inference ("
    "    evaluation_id INTEGER PRIMARY KEY,"
    "    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,"
    "    inference_id INTEGER NOT NULL REFERENCES inference,"
    "    UNIQUE (run_id, inference_id)"
    ") STRICT;"
    "INSERT INTO run_inference SELECT evaluation_id, run_id, inference_id FROM evaluation"
    " JOIN inference USING (canonical) ORDER BY evaluation_id;"
    "CREATE TABLE arm_inference ("
    "    arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,"
    "    inference_id INTEGER NOT NULL REFERENCES inference,"
    "    PRIMARY KEY (arm_id, inference_id)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO arm_inference SELECT DISTINCT arm_id, inference_id FROM arm_evaluation"
    " JOIN run_inference USING (evaluation_id);"
    "DROP TABLE arm_evaluation;"
    "CREATE TABLE anew ("
    "    job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,"
    "    evaluation_id INTEGER NOT NULL REFERENCES run_inference,"
    "    PRIMARY KEY (job_id, evaluation_id)"
    ") STRICT, WITHOUT ROWID;"      //
    TAKE_PLACE_OF("job_evaluation") //
    "CREATE TABLE anew ("
    "    evaluation_id INTEGER NOT NULL REFERENCES run_inference ON DELETE CASCADE,"
    "    step INTEGER NOT NULL,"
    "    name TEXT NOT NULL,"
    "    position INTEGER NOT NULL,"
    "    value REAL NOT NULL,"
    "    PRIMARY KEY (evaluation_id, step, name, position)"
    ") STRICT, WITHOUT ROWID;"     //
    TAKE_PLACE_OF("measure_value") //
    "CREATE TABLE anew ("
    "    evaluation_id INTEGER NOT NULL REFERENCES run_inference ON DELETE CASCADE,"
    "    step INTEGER NOT NULL,"
    "    checkpoint TEXT NOT NULL CHECK (checkpoint = 'untrained'"
    "        OR checkpoint = 'interim' OR checkpoint = 'last'),"
    "    tasks INTEGER NOT NULL,"
    "    rows_count INTEGER NOT NULL,"
    "    seconds REAL NOT NULL,"
    "    per_token_accuracy REAL,"
    "    exact_rows REAL,"
    "    mean_outer_steps REAL,"
    "    pass_at_1 REAL,"
    "    pass_at_2 REAL,"
    "    PRIMARY KEY (evaluation_id, step)"
    ") STRICT, WITHOUT ROWID;"         //
    TAKE_PLACE_OF("evaluation_result") //
    "CREATE TABLE anew ("
    "    evaluation_id INTEGER NOT NULL REFERENCES run_inference ON DELETE CASCADE,"
    "    task TEXT NOT NULL,"
    "    test_index INTEGER NOT NULL,"
    "    rank INTEGER,"
    "    votes INTEGER NOT NULL,"
    "    predictions INTEGER NOT NULL,"
    "    per_token_accuracy REAL NOT NULL,"
    "    PRIMARY KEY (evaluation_id, task, test_index)"
    ") STRICT, WITHOUT ROWID;"    //
    TAKE_PLACE_OF("task_outcome") //
    "DROP TABLE evaluation;"
    "PRAGMA legacy_alter_table = OFF;";

/* Version 10: a CHECK of more than two values has no IN, for which SQLite fills a table
 * at every row. Jobs are queued in three quarters of the time, and PRAGMA quick_check
 * takes three quarters. */
static const char VERSION_10[] = //
    "PRAGMA legacy_alter_table = ON;"
    "CREATE TABLE anew ("
    "    job_id INTEGER PRIMARY KEY,"
    "    run_id INTEGER NOT NULL REFERENCES run,"
    "    kind TEXT NOT NULL CHECK (kind IN ('train', 'evaluate')),"
    "    state TEXT NOT NULL CHECK (state = 'queued' OR state = 'starting' OR state = 'running'"
    "        OR state = 'done' OR state = 'failed' OR state = 'cancelled' OR state = "
    "'quarantined'),"
    "    cause TEXT,"
    "    message TEXT,"
    "    priority INTEGER NOT NULL DEFAULT 0,"
    "    cost REAL NOT NULL DEFAULT 0,"
    "    threads INTEGER NOT NULL DEFAULT 1,"
    "    memory_gb REAL NOT NULL DEFAULT 0,"
    "    time_limit_min REAL NOT NULL DEFAULT 0,"
    "    retries_max INTEGER NOT NULL DEFAULT 2,"
    "    retry_delay_s REAL NOT NULL DEFAULT 2,"
    "    failures INTEGER NOT NULL DEFAULT 0,"
    "    not_before REAL NOT NULL DEFAULT 0,"
    "    queued_at TEXT NOT NULL,"
    "    finished_at TEXT,"
    "    execution_id INTEGER REFERENCES execution"
    ") STRICT;"          //
    TAKE_PLACE_OF("job") //
    "CREATE INDEX job_by_state ON job (state, priority DESC, cost DESC);"
    "CREATE INDEX job_by_run ON job (run_id, kind, job_id, state, cost);"
    "CREATE TABLE anew ("
    "    attempt_id INTEGER PRIMARY KEY,"
    "    job_id INTEGER NOT NULL REFERENCES job,"
    "    run_id INTEGER NOT NULL REFERENCES run,"
    "    number INTEGER NOT NULL,"
    "    directory TEXT NOT NULL,"
    "    executor TEXT NOT NULL,"
    "    state TEXT NOT NULL CHECK (state = 'starting' OR state = 'running' OR state = 'ended'"
    "        OR state = 'superseded' OR state = 'quarantined'),"
    "    place TEXT,"
    "    host TEXT,"
    "    cpus TEXT,"
    "    journal_offset INTEGER NOT NULL DEFAULT 0,"
    "    journal_sequence INTEGER NOT NULL DEFAULT 0,"
    "    outcome TEXT,"
    "    message TEXT,"
    "    exit_status INTEGER,"
    "    exit_signal INTEGER,"
    "    user_seconds REAL, system_seconds REAL, peak_rss_mib REAL,"
    "    weights_hash TEXT,"
    "    engine_version TEXT, git_commit TEXT, compiler TEXT,"
    "    kernel_set TEXT, blas TEXT, blas_core TEXT, cpu TEXT, provenance TEXT,"
    "    started_at TEXT NOT NULL,"
    "    ended_at TEXT,"
    "    train_seconds REAL,"
    "    evaluation_seconds REAL,"
    "    UNIQUE (run_id, number)"
    ") STRICT;"              //
    TAKE_PLACE_OF("attempt") //
    "CREATE INDEX attempt_by_job ON attempt (job_id);"
    "CREATE INDEX attempt_by_state ON attempt (state);"
    "PRAGMA legacy_alter_table = OFF;";

const char *const MIGRATIONS[SCHEMA_VERSION] = {
    NULL,      SHARE_SETTINGS, EXECUTION_OF_JOBS, PLACES_AND_MEASURES, VERSION_5,
    VERSION_6, VERSION_7,      VERSION_8,         VERSION_9,           VERSION_10
};
