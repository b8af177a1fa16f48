-- What the trainings of experiments/demo.json would have left, by numbers that no machine, clock or
-- processor changes: for tests/test_screens.c. All seeds are done but two.
UPDATE experiment SET queued_at = '2026-01-01T00:00:00.000Z';
UPDATE job SET state = 'done', queued_at = '2026-01-01T00:00:00.000Z',
    finished_at = '2026-01-01T00:00:40.000Z';
UPDATE job SET state = 'failed', cause = 'crash', message = 'killed by signal 11 in step 410'
    WHERE run_id = (SELECT max(run_id) FROM run);
UPDATE job SET cause = 'diverged', message = 'loss nan at step 200'
    WHERE run_id = (SELECT max(run_id) - 6 FROM run);
INSERT INTO attempt (job_id, run_id, number, directory, executor, state, host, cpus, outcome, message,
                     user_seconds, system_seconds, peak_rss_mib, weights_hash, engine_version,
                     git_commit, compiler, kernel_set, blas, blas_core, cpu, provenance, started_at,
                     ended_at, train_seconds, evaluation_seconds)
    SELECT job_id, run_id, 1, 'runs/' || hash || '/attempts/1', 'local', 'ended', 'machine', '0',
           iif(job.state = 'failed', 'crash', coalesce(cause, 'done')), message, 20.5 + run_id, 0.5,
           24.25, printf('%064d', run_id), '0.1.0', '0123456789ab', 'gcc 12', 'avx2', 'OpenBLAS',
           'Haswell', 'processor', '{}', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:40.000Z',
           18.5 + run_id, 2.5
    FROM job JOIN run USING (run_id);
CREATE TEMP TABLE done AS SELECT run_id FROM job WHERE state = 'done' AND cause IS NULL;
INSERT INTO checkpoint
    SELECT run_id, attempt_id, 2000, directory || '/final.safetensors', weights_hash
    FROM attempt JOIN done USING (run_id);
INSERT INTO baseline SELECT run_id, 'copy', 'test', 0.4375, 0.0, 0.0, 0.0 FROM done;
-- outer steps trained and at inference, the smaller of both; hrm: 1
CREATE TEMP TABLE cell AS
    SELECT v.evaluation_id AS evaluation_id, r.run_id AS run_id, r.seed AS seed,
           min(v.outer_steps, t.value) AS steps, s.value = 'hrm' AS hrm
    FROM evaluation v JOIN run r USING (run_id) JOIN done USING (run_id)
    JOIN setting t ON t.run_id = r.run_id AND t.key = 'arch.halt_max_steps'
    JOIN setting s ON s.run_id = r.run_id AND s.key = 'arch.name';
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19),
     names(name, from_value) AS (VALUES ('train/lm_loss', 160), ('train/accuracy', 40),
                                        ('train/steps', 100))
    INSERT INTO metric
        SELECT run_id, name, 100 * (i + 1), (from_value * 20 / (20 + i * (run_id % 5 + 1))) / 128.0
        FROM done, names, n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 11)
    INSERT INTO task_outcome
        SELECT evaluation_id, printf('sudoku-%07d', 240 + i), 0,
               iif((i * 37 + seed * 11) % 100 < 10 + 20 * steps + 15 * hrm, 1, NULL),
               (i * 37 + seed * 11) % 100 < 10 + 20 * steps + 15 * hrm, 1,
               (64 + (i * 37 + seed * 11) % 16 + 4 * steps) / 128.0
        FROM cell, n;
INSERT INTO evaluation_result (evaluation_id, step, checkpoint, tasks, rows_count, seconds)
    SELECT evaluation_id, step, iif(step = 0, 'untrained', 'last'), 12, 12, 0.5
    FROM cell, (SELECT 0 AS step UNION ALL SELECT 2000);
WITH names(name, share) AS (VALUES ('exact_rows', 1), ('pass_at_1', 1), ('pass_at_2', 1),
                                   ('pass_at_5', 1), ('pass_at_10', 1), ('pass_at_100', 1),
                                   ('pass_at_1000', 1), ('pass_at_1_strict', 1),
                                   ('pass_at_2_strict', 1), ('per_token_accuracy', 0),
                                   ('per_token_accuracy_original', 0))
    INSERT INTO measure_value
        SELECT x.evaluation_id, x.step, name, 0,
               iif(x.step = 0, iif(share, 0.0, 0.25),
                   (SELECT iif(share, avg(rank IS NOT NULL), avg(per_token_accuracy))
                    FROM task_outcome o WHERE o.evaluation_id = x.evaluation_id))
        FROM evaluation_result x CROSS JOIN names;
INSERT INTO measure_value SELECT evaluation_id, step, 'lm_loss', 0, 1.25 - step / 4000.0
    FROM evaluation_result;
INSERT INTO measure_value
    SELECT x.evaluation_id, step, 'mean_outer_steps', 0, v.outer_steps
    FROM evaluation_result x JOIN evaluation v USING (evaluation_id);
INSERT INTO mark VALUES
    ('tag', 'demo', '', '', 'talk', '2026-01-01T00:00:00.000Z'),
    ('note', 'demo', 'arch.name=hrm arch.halt_max_steps=4', '',
     'the arm of the talk; its step 4 is where the curve bends', '2026-01-01T00:00:00.000Z'),
    ('keep', 'demo', '', '', '', '2026-01-01T00:00:00.000Z');
