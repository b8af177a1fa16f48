-- schema.sql - the hrmlab results database. The runner that holds the workspace lock is the
-- only writer of everything but `request` and queued rows. Times are ISO 8601 UTC text,
-- durations seconds. Raw measurements are never updated; what can be computed is a view.
-- Opened with journal_mode=WAL, synchronous=FULL, foreign_keys=ON. A CHECK of more than two values
-- has no IN, for which SQLite would fill a table at every row that it writes or checks.

PRAGMA application_id = 0x68726d6c; -- "hrml"
PRAGMA user_version = 10; -- results/migrations.c brings older databases to it

-- The directory of this database, so that a copy of a workspace is recognised as one. One row,
-- written by the first command that may write.
CREATE TABLE workspace (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    path TEXT NOT NULL,                -- of the directory when it was last written to
    device INTEGER NOT NULL,           -- st_dev of the directory
    inode INTEGER NOT NULL             -- st_ino of the directory
) STRICT;

-- A queued spec under its name.
CREATE TABLE experiment (
    experiment_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,         -- the spec's name
    description TEXT NOT NULL,         -- the question, in words
    spec_hash TEXT NOT NULL,           -- SHA-256 over the resolved spec and its runs' hashes
    spec_file TEXT NOT NULL,           -- resolved spec, relative to the workspace (specs/NAME-HASH.json); '': runs that a rebuild found without one
    priority INTEGER NOT NULL DEFAULT 0, -- higher first
    queued_at TEXT NOT NULL,           -- when it was queued first
    cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled IN (0, 1)) -- 1: cancelled, until it is queued or retried
) STRICT;

-- One combination of axis values, for all seeds.
CREATE TABLE arm (
    arm_id INTEGER PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
    position INTEGER NOT NULL,         -- order in the experiment, from 0
    label TEXT NOT NULL,               -- "arch.name=hrm arch.halt_max_steps=4"; "base" without axes
    axes TEXT NOT NULL CHECK (json_valid(axes)), -- object: training axis key -> value as given
    UNIQUE (experiment_id, label)
) STRICT;

-- Settings that runs with different seeds share: every active one, defaults included.
CREATE TABLE config (
    config_id INTEGER PRIMARY KEY,
    settings TEXT NOT NULL UNIQUE CHECK (json_valid(settings)) -- object of all of them except train.seed: canonical, or as an upgrade from version 1 wrote it
) STRICT;

-- The same, one row each.
CREATE TABLE config_setting (
    config_id INTEGER NOT NULL REFERENCES config ON DELETE CASCADE,
    key TEXT NOT NULL,                 -- HRM's own key, "arch.H_cycles"
    value ANY,                         -- integer, real or text; NULL: the run's seed
    PRIMARY KEY (config_id, key)
) STRICT, WITHOUT ROWID;

-- What runs share that differ only in the seed, and in the run whose weights they begin with. One
-- is found by its config_id, which few others have: an index over its texts would be as large as they.
CREATE TABLE training (
    training_id INTEGER PRIMARY KEY,
    canonical TEXT NOT NULL,           -- canonical form of the active training settings without train.seed; of runs that begin with the weights of another of their plan, train.init_from is run: and 64 zeros
    job_config TEXT NOT NULL CHECK (json_valid(job_config)), -- the settings of training and data, for job.json, likewise; seed and base of the run, and the job's execution settings, go over them
    data_hash TEXT NOT NULL,           -- SHA-256 of the content of the tasks used
    numeric_version TEXT NOT NULL,     -- of the engine
    parameters INTEGER,                -- trained by AdamATan2; NULL: not yet known
    puzzle_parameters INTEGER,         -- elements of the puzzle embedding; NULL: not yet known
    total_steps INTEGER,               -- planned training steps; NULL: not yet known
    train_flops REAL,                  -- of the whole training, counted from shapes; NULL: not yet known
    config_id INTEGER REFERENCES config -- its effective settings
) STRICT;
CREATE INDEX training_by_config ON training (config_id);

-- A training with its seed, identified by content.
CREATE TABLE run (
    run_id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64), -- SHA-256: canonical form with seed and base, data, numeric version
    training_id INTEGER NOT NULL REFERENCES training,
    seed INTEGER NOT NULL,             -- train.seed
    mixed INTEGER NOT NULL DEFAULT 0 CHECK (mixed IN (0, 1)), -- trained on more than one kernel set or number of threads
    base_hash TEXT                     -- hash of the run whose final weights it begins with; NULL: none
) STRICT;
CREATE INDEX run_by_base ON run (base_hash) WHERE base_hash IS NOT NULL;

-- Which runs an arm consists of (one per seed); a run may serve many arms.
CREATE TABLE arm_run (
    arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES run,
    PRIMARY KEY (arm_id, run_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX arm_run_by_run ON arm_run (run_id);

-- One way of inference: what an evaluation does with a checkpoint, the same for every run.
CREATE TABLE inference (
    inference_id INTEGER PRIMARY KEY,
    canonical TEXT NOT NULL UNIQUE,    -- canonical form of the evaluation settings, resolved; the following are of it
    outer_steps INTEGER NOT NULL,      -- eval.halt_max_steps, resolved (never 0)
    augmentations INTEGER NOT NULL,    -- predictions voted over per test; 0 = all
    act_inference INTEGER NOT NULL CHECK (act_inference IN (0, 1)),
    eval_seed INTEGER NOT NULL,        -- draws the subsample
    split TEXT NOT NULL CHECK (split IN ('test', 'train'))
) STRICT;

-- One way of inference on a run's checkpoint. The view evaluation has the columns of both.
CREATE TABLE run_inference (
    evaluation_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    inference_id INTEGER NOT NULL REFERENCES inference,
    UNIQUE (run_id, inference_id)
) STRICT;

-- Which ways of inference an arm asks for, of all its runs: arm_evaluation lists each with each run.
CREATE TABLE arm_inference (
    arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,
    inference_id INTEGER NOT NULL REFERENCES inference,
    PRIMARY KEY (arm_id, inference_id)
) STRICT, WITHOUT ROWID;

-- Cells that the plan left out, and why ("5 augmentations asked, 3 trained").
CREATE TABLE dropped (
    experiment_id INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
    arm TEXT NOT NULL,                 -- the arm's label
    evaluation TEXT NOT NULL,          -- the evaluation asked for, as given
    reason TEXT NOT NULL               -- one line
) STRICT;

-- Comparisons that the spec planned: Holm's correction covers these alone. A side means every cell
-- (arm under an evaluation) that has all of its settings.
CREATE TABLE contrast (
    experiment_id INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
    position INTEGER NOT NULL,         -- order in the spec, from 0
    name TEXT NOT NULL,                -- as the spec calls it
    from_cells TEXT NOT NULL CHECK (json_valid(from_cells)), -- object: setting -> value; the side subtracted
    to_cells TEXT NOT NULL CHECK (json_valid(to_cells)), -- object: setting -> value; the side subtracted from
    PRIMARY KEY (experiment_id, position)
) STRICT, WITHOUT ROWID;

-- What people say of an experiment, one of its arms, or a run. Names instead of ids, so that a rebuild
-- takes them over from marks.json, which has the same.
CREATE TABLE mark (
    kind TEXT NOT NULL CHECK (kind IN ('note', 'tag', 'keep')), -- keep: gc and remove leave it alone
    experiment TEXT NOT NULL,          -- its name; '': the mark is of a run
    arm TEXT NOT NULL,                 -- the arm's label; '': the mark is of the experiment, or of a run
    run_hash TEXT NOT NULL,            -- '': the mark is of an experiment or arm
    text TEXT NOT NULL,                -- the note, the tag; '' of keep
    made_at TEXT NOT NULL,             -- when it was made
    PRIMARY KEY (experiment, arm, run_hash, kind, text)
) STRICT, WITHOUT ROWID;

-- How and where jobs are executed, which is no part of any identity: resources, retries, the place
-- of the data. Jobs with equal settings share a row.
CREATE TABLE execution (
    execution_id INTEGER PRIMARY KEY,
    settings TEXT NOT NULL UNIQUE CHECK (json_valid(settings)) -- object of execution settings and data.path, canonical
) STRICT;

-- What a worker executes. Only one function of the runner changes a state.
CREATE TABLE job (
    job_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run,
    kind TEXT NOT NULL CHECK (kind IN ('train', 'evaluate')),
    state TEXT NOT NULL CHECK (state = 'queued' OR state = 'starting' OR state = 'running'
        OR state = 'done' OR state = 'failed' OR state = 'cancelled' OR state = 'quarantined'),
    cause TEXT,                        -- of failed, or 'diverged' of done; NULL otherwise
    message TEXT,                      -- one line for people; NULL when there is none
    priority INTEGER NOT NULL DEFAULT 0, -- the experiment's: higher first
    cost REAL NOT NULL DEFAULT 0,      -- expected FLOPs: longest first within a priority
    threads INTEGER NOT NULL DEFAULT 1, -- cores it occupies
    memory_gb REAL NOT NULL DEFAULT 0, -- 0: no limit
    time_limit_min REAL NOT NULL DEFAULT 0, -- 0: none
    retries_max INTEGER NOT NULL DEFAULT 2, -- how many failures are tried again
    retry_delay_s REAL NOT NULL DEFAULT 2, -- before the first new attempt; doubles
    failures INTEGER NOT NULL DEFAULT 0, -- attempts that count against retries_max
    not_before REAL NOT NULL DEFAULT 0,  -- seconds since 1970; back-off
    queued_at TEXT NOT NULL,           -- when it was queued last
    finished_at TEXT,                  -- NULL until the job has ended
    execution_id INTEGER REFERENCES execution -- as asked for last; threads to retry_delay_s are of it
) STRICT;
CREATE INDEX job_by_state ON job (state, priority DESC, cost DESC);
CREATE INDEX job_by_run ON job (run_id, kind, job_id, state, cost); -- covers status

-- The evaluations an 'evaluate' job was queued for (a 'train' job does all of its run's).
CREATE TABLE job_evaluation (
    job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    evaluation_id INTEGER NOT NULL REFERENCES run_inference,
    PRIMARY KEY (job_id, evaluation_id)
) STRICT, WITHOUT ROWID;

-- One execution of a job by one worker process, with its provenance.
CREATE TABLE attempt (
    attempt_id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES job,
    run_id INTEGER NOT NULL REFERENCES run,
    number INTEGER NOT NULL,           -- upwards within the run; its directory's name
    directory TEXT NOT NULL,           -- relative to the workspace: runs/HASH/attempts/N
    executor TEXT NOT NULL,            -- that started it: 'local'
    state TEXT NOT NULL CHECK (state = 'starting' OR state = 'running' OR state = 'ended'
        OR state = 'superseded' OR state = 'quarantined'),
    place TEXT,                        -- text by which its executor finds the worker again; NULL: it cannot, as in a copied workspace
    host TEXT,                         -- name of the machine; NULL: not known to the executor
    cpus TEXT,                         -- cores it is pinned to, "0" or "0,2,4-7"
    journal_offset INTEGER NOT NULL DEFAULT 0, -- bytes of the journal that are in this database
    journal_sequence INTEGER NOT NULL DEFAULT 0, -- events ingested
    outcome TEXT,                      -- done | diverged | stopped | a cause of failure; NULL: not ended
    message TEXT,                      -- one line for people; NULL when there is none
    exit_status INTEGER,               -- NULL when killed or not ended
    exit_signal INTEGER,               -- NULL when it exited or has not ended
    user_seconds REAL, system_seconds REAL, peak_rss_mib REAL, -- of the worker; NULL: not ended
    weights_hash TEXT,                 -- SHA-256 of the final parameters; NULL: none
    engine_version TEXT, git_commit TEXT, compiler TEXT, -- provenance, from the begin event
    kernel_set TEXT, blas TEXT, blas_core TEXT, cpu TEXT, provenance TEXT, -- provenance: whole begin event
    started_at TEXT NOT NULL,          -- when the runner started it
    ended_at TEXT,                     -- NULL: not ended
    train_seconds REAL,                -- wall time of the run's training steps up to its end, those of earlier attempts that count included; NULL: not reported
    evaluation_seconds REAL,           -- the same of evaluations
    UNIQUE (run_id, number)
) STRICT;
CREATE INDEX attempt_by_job ON attempt (job_id);
CREATE INDEX attempt_by_state ON attempt (state);

-- The final checkpoint of a run.
CREATE TABLE checkpoint (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    attempt_id INTEGER NOT NULL REFERENCES attempt,
    step INTEGER NOT NULL,             -- training steps made
    file TEXT NOT NULL,                -- relative to the workspace
    weights_hash TEXT NOT NULL,        -- SHA-256 of the parameters and buffers
    PRIMARY KEY (run_id)
) STRICT, WITHOUT ROWID;

-- Series of values during training: train/loss, train/accuracy, ... at a training step.
CREATE TABLE metric (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,                -- 'train/loss', ...
    step INTEGER NOT NULL,             -- training steps made
    value REAL NOT NULL,               -- finite; whether a run diverged is in its attempt
    PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;

-- An evaluation made at a training step (0: untrained), and on how much data. Its results are in
-- measure_value; those that tables and figures show of every run stand here as well, since a column is
-- read in a tenth of the time. Triggers, below, keep them equal. NULL: no value.
CREATE TABLE evaluation_result (
    evaluation_id INTEGER NOT NULL REFERENCES run_inference ON DELETE CASCADE,
    step INTEGER NOT NULL,             -- training steps made; 0: untrained
    checkpoint TEXT NOT NULL CHECK (checkpoint = 'untrained' OR checkpoint = 'interim'
        OR checkpoint = 'last'),
    tasks INTEGER NOT NULL,            -- scored tasks; 0: all tests are hidden, the measures have no value
    rows_count INTEGER NOT NULL,       -- test rows predicted
    seconds REAL NOT NULL,             -- of the inference pass it came from
    per_token_accuracy REAL,           -- this and the following as in measure_value
    exact_rows REAL,                   -- share of rows, all of whose tokens are right
    mean_outer_steps REAL,             -- until rows halt
    pass_at_1 REAL,                    -- share of tasks
    pass_at_2 REAL,                    -- share of tasks
    PRIMARY KEY (evaluation_id, step)
) STRICT, WITHOUT ROWID;

-- What an evaluation found at a training step, a row per value. docs/measures.md lists the names, what
-- they mean, their units and ranges; the view score has the best known of them as columns.
CREATE TABLE measure_value (
    evaluation_id INTEGER NOT NULL REFERENCES run_inference ON DELETE CASCADE,
    step INTEGER NOT NULL,             -- training steps made; 0: untrained
    name TEXT NOT NULL,                -- 'pass_at_2', ...
    position INTEGER NOT NULL,         -- 0: the measure is one number; else its place in a list, from 1
    value REAL NOT NULL,               -- in the measure's unit
    PRIMARY KEY (evaluation_id, step, name, position)
) STRICT, WITHOUT ROWID;

-- Per test input at the last checkpoint: every pass@k and every pairing follows from it.
CREATE TABLE task_outcome (
    evaluation_id INTEGER NOT NULL REFERENCES run_inference ON DELETE CASCADE,
    task TEXT NOT NULL,                -- its name in the data
    test_index INTEGER NOT NULL,       -- from 0
    rank INTEGER,                      -- of the solution among the answers, from 1; NULL: not among them
    votes INTEGER NOT NULL,            -- predictions for the solution
    predictions INTEGER NOT NULL,      -- predictions voted over
    per_token_accuracy REAL NOT NULL,  -- mean over this test's predicted rows
    PRIMARY KEY (evaluation_id, task, test_index)
) STRICT, WITHOUT ROWID;

-- Scores that need no training, per run's data: 'copy' answers with the input.
CREATE TABLE baseline (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,                -- 'copy'
    split TEXT NOT NULL CHECK (split IN ('test', 'train')),
    per_token_accuracy REAL NOT NULL,  -- the measure of that name
    exact_rows REAL NOT NULL,          -- the same
    pass_at_1 REAL NOT NULL,           -- the same
    pass_at_2 REAL NOT NULL,           -- the same
    PRIMARY KEY (run_id, name, split)
) STRICT, WITHOUT ROWID;

-- Requests of other commands to the runner that holds the lock: cancel, retry.
CREATE TABLE request (
    request_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('cancel', 'retry')),
    target TEXT NOT NULL,              -- experiment name, run hash prefix, or 'all'
    asked_at TEXT NOT NULL,            -- when the command was given
    answered_at TEXT,                  -- NULL: not yet seen
    answer TEXT                        -- one line
) STRICT;

-- Views hold no data: an upgrade of an older database makes them anew, from here to the end.
DROP VIEW IF EXISTS v_results;
DROP VIEW IF EXISTS v_untrained;
DROP VIEW IF EXISTS v_interim;
DROP VIEW IF EXISTS v_evaluations;
DROP VIEW IF EXISTS score;
DROP VIEW IF EXISTS setting;
DROP VIEW IF EXISTS arm_evaluation;
DROP VIEW IF EXISTS evaluation;

DROP TRIGGER IF EXISTS measure_added;
DROP TRIGGER IF EXISTS measure_changed;
DROP TRIGGER IF EXISTS measure_removed;
DROP TRIGGER IF EXISTS evaluation_result_added;

-- These keep the columns of evaluation_result that repeat measure_value, whose keys do not change.
CREATE TRIGGER measure_added AFTER INSERT ON measure_value
WHEN new.position = 0 AND new.name IN
    ('per_token_accuracy', 'exact_rows', 'mean_outer_steps', 'pass_at_1', 'pass_at_2')
BEGIN
    UPDATE evaluation_result SET
        per_token_accuracy = iif(new.name = 'per_token_accuracy', new.value, per_token_accuracy),
        exact_rows = iif(new.name = 'exact_rows', new.value, exact_rows),
        mean_outer_steps = iif(new.name = 'mean_outer_steps', new.value, mean_outer_steps),
        pass_at_1 = iif(new.name = 'pass_at_1', new.value, pass_at_1),
        pass_at_2 = iif(new.name = 'pass_at_2', new.value, pass_at_2)
    WHERE evaluation_id = new.evaluation_id AND step = new.step;
END;
CREATE TRIGGER measure_changed AFTER UPDATE OF value ON measure_value
WHEN new.position = 0 AND new.name IN
    ('per_token_accuracy', 'exact_rows', 'mean_outer_steps', 'pass_at_1', 'pass_at_2')
BEGIN
    UPDATE evaluation_result SET
        per_token_accuracy = iif(new.name = 'per_token_accuracy', new.value, per_token_accuracy),
        exact_rows = iif(new.name = 'exact_rows', new.value, exact_rows),
        mean_outer_steps = iif(new.name = 'mean_outer_steps', new.value, mean_outer_steps),
        pass_at_1 = iif(new.name = 'pass_at_1', new.value, pass_at_1),
        pass_at_2 = iif(new.name = 'pass_at_2', new.value, pass_at_2)
    WHERE evaluation_id = new.evaluation_id AND step = new.step;
END;
CREATE TRIGGER measure_removed AFTER DELETE ON measure_value
WHEN old.position = 0 AND old.name IN
    ('per_token_accuracy', 'exact_rows', 'mean_outer_steps', 'pass_at_1', 'pass_at_2')
BEGIN
    UPDATE evaluation_result SET
        per_token_accuracy = iif(old.name = 'per_token_accuracy', NULL, per_token_accuracy),
        exact_rows = iif(old.name = 'exact_rows', NULL, exact_rows),
        mean_outer_steps = iif(old.name = 'mean_outer_steps', NULL, mean_outer_steps),
        pass_at_1 = iif(old.name = 'pass_at_1', NULL, pass_at_1),
        pass_at_2 = iif(old.name = 'pass_at_2', NULL, pass_at_2)
    WHERE evaluation_id = old.evaluation_id AND step = old.step;
END;
CREATE TRIGGER evaluation_result_added AFTER INSERT ON evaluation_result
BEGIN
    UPDATE evaluation_result SET
        per_token_accuracy = (SELECT value FROM measure_value WHERE evaluation_id = new.evaluation_id
            AND step = new.step AND name = 'per_token_accuracy' AND position = 0),
        exact_rows = (SELECT value FROM measure_value WHERE evaluation_id = new.evaluation_id
            AND step = new.step AND name = 'exact_rows' AND position = 0),
        mean_outer_steps = (SELECT value FROM measure_value WHERE evaluation_id = new.evaluation_id
            AND step = new.step AND name = 'mean_outer_steps' AND position = 0),
        pass_at_1 = (SELECT value FROM measure_value WHERE evaluation_id = new.evaluation_id
            AND step = new.step AND name = 'pass_at_1' AND position = 0),
        pass_at_2 = (SELECT value FROM measure_value WHERE evaluation_id = new.evaluation_id
            AND step = new.step AND name = 'pass_at_2' AND position = 0)
    WHERE evaluation_id = new.evaluation_id AND step = new.step;
END;

-- One way of inference on a run's checkpoint, with its settings.
CREATE VIEW evaluation AS
SELECT v.evaluation_id AS evaluation_id, v.run_id AS run_id, i.canonical AS canonical,
       i.outer_steps AS outer_steps, i.augmentations AS augmentations,
       i.act_inference AS act_inference, i.eval_seed AS eval_seed, i.split AS split
FROM run_inference v
JOIN inference i USING (inference_id);

-- Which evaluations an arm asked for.
CREATE VIEW arm_evaluation AS
SELECT x.arm_id AS arm_id, v.evaluation_id AS evaluation_id
FROM arm_inference x
JOIN arm_run r USING (arm_id)
JOIN run_inference v ON v.run_id = r.run_id AND v.inference_id = x.inference_id;

-- The effective settings of every run, one row each: run_id, key, value.
CREATE VIEW setting AS
SELECT r.run_id AS run_id, c.key AS key, coalesce(c.value, r.seed) AS value
FROM run r
JOIN training t USING (training_id)
JOIN config_setting c USING (config_id);

-- The measures of every release as columns, one row per evaluation and step.
CREATE VIEW score AS
SELECT x.evaluation_id AS evaluation_id,
       x.step AS step,
       x.checkpoint AS checkpoint,
       x.tasks AS tasks,
       x.rows_count AS rows_count,
       x.seconds AS seconds,
       x.per_token_accuracy AS per_token_accuracy,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'per_token_accuracy_original' AND m.position = 0) AS per_token_accuracy_original,
       x.exact_rows AS exact_rows,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'lm_loss' AND m.position = 0) AS lm_loss,
       x.mean_outer_steps AS mean_outer_steps,
       x.pass_at_1 AS pass_at_1,
       x.pass_at_2 AS pass_at_2,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'pass_at_5' AND m.position = 0) AS pass_at_5,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'pass_at_10' AND m.position = 0) AS pass_at_10,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'pass_at_100' AND m.position = 0) AS pass_at_100,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'pass_at_1000' AND m.position = 0) AS pass_at_1000,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'pass_at_1_strict' AND m.position = 0) AS pass_at_1_strict,
       (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id
          AND m.step = x.step AND m.name = 'pass_at_2_strict' AND m.position = 0) AS pass_at_2_strict
FROM evaluation_result x;

-- Every result of every checkpoint, one row per experiment, arm, seed, evaluation and step.
-- v_results, v_interim and v_untrained are parts of it: a mean should be taken over one of those.
-- Measures are NULL where no task could be scored (hidden tests). Every column has a declared type,
-- which SQLite gives neither to CAST nor to iif(): it is that of a table's column, which stands in a
-- SELECT of its own or, of what is worked out, in one WHERE id = NULL (no rows) at the end of it.
CREATE VIEW v_evaluations AS
SELECT e.name AS experiment,
       a.label AS arm,
       r.hash AS run_hash,
       r.seed AS seed,
       (SELECT CAST(value AS INTEGER) FROM setting s
         WHERE s.run_id = r.run_id AND s.key = 'arch.halt_max_steps'
        UNION ALL SELECT seed FROM run WHERE run_id = NULL) AS train_outer_steps,
       v.outer_steps AS eval_outer_steps,
       (SELECT CAST(value AS INTEGER) FROM setting s
         WHERE s.run_id = r.run_id AND s.key = 'data.num_aug'
        UNION ALL SELECT seed FROM run WHERE run_id = NULL) AS train_augmentations,
       (SELECT CAST(iif(v.augmentations = 0, 'all', v.augmentations) AS TEXT)
        UNION ALL SELECT hash FROM run WHERE run_id = NULL) AS eval_augmentations,
       x.checkpoint AS checkpoint,
       x.step AS step,
       v.split AS split,
       v.act_inference AS act_inference,
       (SELECT x.pass_at_2 WHERE x.tasks > 0) AS pass_at_2,
       (SELECT x.per_token_accuracy WHERE x.tasks > 0) AS per_token_accuracy,
       (SELECT x.pass_at_1 WHERE x.tasks > 0) AS pass_at_1,
       (SELECT x.pass_at_2_strict WHERE x.tasks > 0) AS pass_at_2_strict,
       (SELECT x.exact_rows WHERE x.tasks > 0) AS exact_rows,
       (SELECT x.exact_rows WHERE x.tasks > 0) AS exact_accuracy, -- its name up to version 2
       (SELECT x.mean_outer_steps WHERE x.tasks > 0) AS mean_outer_steps,
       x.tasks AS tasks,                  -- scored
       (SELECT n.train_flops FROM training n WHERE n.training_id = r.training_id)
           AS train_flops,
       (SELECT sum(t.user_seconds + t.system_seconds) FROM attempt t JOIN job j USING (job_id)
         WHERE t.run_id = r.run_id AND j.kind = 'train'
        UNION ALL SELECT user_seconds FROM attempt WHERE attempt_id = NULL)
           AS train_cpu_seconds,          -- of all cores, evaluations in the training job included
       a.position AS arm_position,
       n.evaluation_id AS evaluation_id,
       a.arm_id AS arm_id,
       (SELECT t.train_seconds FROM attempt t JOIN job j USING (job_id)
         WHERE t.run_id = r.run_id AND j.kind = 'train' AND t.train_seconds IS NOT NULL
         ORDER BY t.number DESC LIMIT 1)
           AS train_seconds,              -- wall time of the training steps
       (SELECT t.evaluation_seconds FROM attempt t JOIN job j USING (job_id)
         WHERE t.run_id = r.run_id AND j.kind = 'train' AND t.evaluation_seconds IS NOT NULL
         ORDER BY t.number DESC LIMIT 1)
           AS evaluation_seconds          -- wall time of the training job's evaluations
FROM experiment e
JOIN arm a USING (experiment_id)
JOIN arm_run ar USING (arm_id)
JOIN run r USING (run_id)
JOIN arm_inference ai ON ai.arm_id = a.arm_id
JOIN inference v USING (inference_id)
JOIN run_inference n ON n.run_id = r.run_id AND n.inference_id = v.inference_id
JOIN score x USING (evaluation_id);

-- For people at the sqlite3 prompt: what the last checkpoints scored, where a training of the run
-- was done (not failed or diverged).
CREATE VIEW v_results AS
SELECT * FROM v_evaluations
WHERE checkpoint = 'last'
  AND EXISTS (SELECT 1 FROM run r JOIN job j USING (run_id)
               WHERE r.hash = run_hash AND j.kind = 'train' AND j.state = 'done'
                 AND j.cause IS NULL);

-- What evaluations scored before training.
CREATE VIEW v_untrained AS SELECT * FROM v_evaluations WHERE checkpoint = 'untrained';

-- What evaluations scored during training, every train.eval_interval.
CREATE VIEW v_interim AS SELECT * FROM v_evaluations WHERE checkpoint = 'interim';
