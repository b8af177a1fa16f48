-- Database of a workspace of the first release, 0.1: two small trainings (sqlite3 .dump).
PRAGMA application_id = 1752329580;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE experiment (
    experiment_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,         -- the spec's name
    description TEXT NOT NULL,         -- the question, in words
    spec_hash TEXT NOT NULL,           -- SHA-256 over the resolved spec and its runs' hashes
    spec_file TEXT NOT NULL,           -- resolved spec, relative to the workspace (specs/NAME-HASH.json)
    priority INTEGER NOT NULL DEFAULT 0, -- higher first
    queued_at TEXT NOT NULL            -- when it was queued first
) STRICT;
INSERT INTO experiment VALUES(1,'t','','854943d04c42e994bbabb608e047988934ce4ce5f5f8bdfe55daf7f7aa39512e','specs/t-eb60fbd22ba0.json',0,'2026-11-24T00:21:09.139Z');
CREATE TABLE arm (
    arm_id INTEGER PRIMARY KEY,
    experiment_id INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
    position INTEGER NOT NULL,         -- order in the experiment, from 0
    label TEXT NOT NULL,               -- "arch.name=hrm arch.halt_max_steps=4"; "base" without axes
    axes TEXT NOT NULL CHECK (json_valid(axes)), -- object: training axis key -> value as given
    UNIQUE (experiment_id, label)
) STRICT;
INSERT INTO arm VALUES(1,1,0,'arch.name=hrm','{"arch.name":"hrm"}');
INSERT INTO arm VALUES(2,1,1,'arch.name=transformer','{"arch.name":"transformer"}');
CREATE TABLE run (
    run_id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64), -- SHA-256: canonical, data, numeric version
    canonical TEXT NOT NULL,           -- canonical form of the active training settings
    job_config TEXT NOT NULL CHECK (json_valid(job_config)), -- all settings, as put into job.json
    data_hash TEXT NOT NULL,           -- SHA-256 of the content of the tasks used
    numeric_version TEXT NOT NULL,     -- of the engine
    seed INTEGER NOT NULL,             -- train.seed
    parameters INTEGER,                -- trained by AdamATan2; NULL: not yet known
    puzzle_parameters INTEGER,         -- elements of the puzzle embedding; NULL: not yet known
    total_steps INTEGER,               -- planned training steps; NULL: not yet known
    train_flops REAL,                  -- of the whole training, counted from shapes; NULL: not yet known
    mixed INTEGER NOT NULL DEFAULT 0 CHECK (mixed IN (0, 1)) -- trained on more than one kernel set
) STRICT;
INSERT INTO run VALUES(1,'ec8813320c97792ee025bb390cb5567900b8649c24fb143c515b796e5cc2e1ca','{"arch.H_layers":1,"arch.L_layers":1,"arch.ffn_multiple":16,"arch.halt_max_steps":2,"arch.hidden_size":16,"arch.num_heads":2,"arch.puzzle_emb_ndim":16,"data.canvas":8,"train.global_batch_size":8,"train.lr":0.01,"train.lr_warmup_steps":5,"train.max_steps":3}','{"arch.H_layers":1,"arch.L_layers":1,"arch.ffn_multiple":16,"arch.halt_max_steps":2,"arch.hidden_size":16,"arch.num_heads":2,"arch.puzzle_emb_ndim":16,"data.canvas":8,"train.checkpoint_interval":0.05,"train.global_batch_size":8,"train.lr":0.01,"train.lr_warmup_steps":5,"train.max_steps":3}','b1dbc51a4a31612e1ac5c27aaf3c0397d0a4943f1c1f93f07700d4f8bce316a8','1',0,7074,608,3,272363520.0,0);
INSERT INTO run VALUES(2,'c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c','{"arch.ffn_multiple":16,"arch.halt_max_steps":2,"arch.hidden_size":16,"arch.name":"transformer","arch.num_heads":2,"arch.puzzle_emb_ndim":16,"data.canvas":8,"train.global_batch_size":8,"train.lr":0.01,"train.lr_warmup_steps":5,"train.max_steps":3}','{"arch.ffn_multiple":16,"arch.halt_max_steps":2,"arch.hidden_size":16,"arch.name":"transformer","arch.num_heads":2,"arch.puzzle_emb_ndim":16,"data.canvas":8,"train.checkpoint_interval":0.05,"train.global_batch_size":8,"train.lr":0.01,"train.lr_warmup_steps":5,"train.max_steps":3}','b1dbc51a4a31612e1ac5c27aaf3c0397d0a4943f1c1f93f07700d4f8bce316a8','1',0,7074,608,3,137379840.0,0);
CREATE TABLE setting (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    key TEXT NOT NULL,                 -- HRM's own key, "arch.H_cycles"
    value ANY NOT NULL,                -- integer, real or text
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
INSERT INTO setting VALUES(1,'arch.H_cycles',2);
INSERT INTO setting VALUES(1,'arch.H_layers',1);
INSERT INTO setting VALUES(1,'arch.L_cycles',2);
INSERT INTO setting VALUES(1,'arch.L_layers',1);
INSERT INTO setting VALUES(1,'arch.act_enabled',1);
INSERT INTO setting VALUES(1,'arch.expansion',4);
INSERT INTO setting VALUES(1,'arch.ffn_multiple',16);
INSERT INTO setting VALUES(1,'arch.halt_exploration_prob',0.10000000000000000555);
INSERT INTO setting VALUES(1,'arch.halt_max_steps',2);
INSERT INTO setting VALUES(1,'arch.hidden_size',16);
INSERT INTO setting VALUES(1,'arch.loss_type','stablemax_cross_entropy');
INSERT INTO setting VALUES(1,'arch.name','hrm');
INSERT INTO setting VALUES(1,'arch.num_heads',2);
INSERT INTO setting VALUES(1,'arch.pos_encodings','rope');
INSERT INTO setting VALUES(1,'arch.puzzle_emb_len',0);
INSERT INTO setting VALUES(1,'arch.puzzle_emb_ndim',16);
INSERT INTO setting VALUES(1,'arch.rms_norm_eps',1.0000000000000000817e-05);
INSERT INTO setting VALUES(1,'arch.rope_theta',10000);
INSERT INTO setting VALUES(1,'data.canvas',8);
INSERT INTO setting VALUES(1,'data.generator_seed',0);
INSERT INTO setting VALUES(1,'data.num_aug',0);
INSERT INTO setting VALUES(1,'data.path','builtin:arc-style');
INSERT INTO setting VALUES(1,'data.subset','all');
INSERT INTO setting VALUES(1,'data.tasks','');
INSERT INTO setting VALUES(1,'data.tasks_per_family',1);
INSERT INTO setting VALUES(1,'data.translation',1);
INSERT INTO setting VALUES(1,'train.beta1',0.9000000000000000222);
INSERT INTO setting VALUES(1,'train.beta2',0.94999999999999995559);
INSERT INTO setting VALUES(1,'train.eval_interval',0);
INSERT INTO setting VALUES(1,'train.global_batch_size',8);
INSERT INTO setting VALUES(1,'train.lr',0.010000000000000000208);
INSERT INTO setting VALUES(1,'train.lr_min_ratio',1);
INSERT INTO setting VALUES(1,'train.lr_warmup_steps',5);
INSERT INTO setting VALUES(1,'train.max_steps',3);
INSERT INTO setting VALUES(1,'train.puzzle_emb_lr',0.010000000000000000208);
INSERT INTO setting VALUES(1,'train.puzzle_emb_weight_decay',0.10000000000000000555);
INSERT INTO setting VALUES(1,'train.seed',0);
INSERT INTO setting VALUES(1,'train.target_q_update_every',1);
INSERT INTO setting VALUES(1,'train.weight_decay',0.10000000000000000555);
INSERT INTO setting VALUES(2,'arch.H_layers',2);
INSERT INTO setting VALUES(2,'arch.act_enabled',1);
INSERT INTO setting VALUES(2,'arch.expansion',4);
INSERT INTO setting VALUES(2,'arch.ffn_multiple',16);
INSERT INTO setting VALUES(2,'arch.halt_exploration_prob',0.10000000000000000555);
INSERT INTO setting VALUES(2,'arch.halt_max_steps',2);
INSERT INTO setting VALUES(2,'arch.hidden_size',16);
INSERT INTO setting VALUES(2,'arch.loss_type','stablemax_cross_entropy');
INSERT INTO setting VALUES(2,'arch.match','none');
INSERT INTO setting VALUES(2,'arch.name','transformer');
INSERT INTO setting VALUES(2,'arch.num_heads',2);
INSERT INTO setting VALUES(2,'arch.pos_encodings','rope');
INSERT INTO setting VALUES(2,'arch.puzzle_emb_len',0);
INSERT INTO setting VALUES(2,'arch.puzzle_emb_ndim',16);
INSERT INTO setting VALUES(2,'arch.rms_norm_eps',1.0000000000000000817e-05);
INSERT INTO setting VALUES(2,'arch.rope_theta',10000);
INSERT INTO setting VALUES(2,'data.canvas',8);
INSERT INTO setting VALUES(2,'data.generator_seed',0);
INSERT INTO setting VALUES(2,'data.num_aug',0);
INSERT INTO setting VALUES(2,'data.path','builtin:arc-style');
INSERT INTO setting VALUES(2,'data.subset','all');
INSERT INTO setting VALUES(2,'data.tasks','');
INSERT INTO setting VALUES(2,'data.tasks_per_family',1);
INSERT INTO setting VALUES(2,'data.translation',1);
INSERT INTO setting VALUES(2,'train.beta1',0.9000000000000000222);
INSERT INTO setting VALUES(2,'train.beta2',0.94999999999999995559);
INSERT INTO setting VALUES(2,'train.eval_interval',0);
INSERT INTO setting VALUES(2,'train.global_batch_size',8);
INSERT INTO setting VALUES(2,'train.lr',0.010000000000000000208);
INSERT INTO setting VALUES(2,'train.lr_min_ratio',1);
INSERT INTO setting VALUES(2,'train.lr_warmup_steps',5);
INSERT INTO setting VALUES(2,'train.max_steps',3);
INSERT INTO setting VALUES(2,'train.puzzle_emb_lr',0.010000000000000000208);
INSERT INTO setting VALUES(2,'train.puzzle_emb_weight_decay',0.10000000000000000555);
INSERT INTO setting VALUES(2,'train.seed',0);
INSERT INTO setting VALUES(2,'train.target_q_update_every',1);
INSERT INTO setting VALUES(2,'train.weight_decay',0.10000000000000000555);
CREATE TABLE arm_run (
    arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES run,
    PRIMARY KEY (arm_id, run_id)
) STRICT, WITHOUT ROWID;
INSERT INTO arm_run VALUES(1,1);
INSERT INTO arm_run VALUES(2,2);
CREATE TABLE evaluation (
    evaluation_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    canonical TEXT NOT NULL,           -- canonical form of the evaluation settings, resolved
    outer_steps INTEGER NOT NULL,      -- eval.halt_max_steps, resolved (never 0)
    augmentations INTEGER NOT NULL,    -- predictions voted over per test; 0 = all
    act_inference INTEGER NOT NULL CHECK (act_inference IN (0, 1)),
    eval_seed INTEGER NOT NULL,        -- draws the subsample
    split TEXT NOT NULL CHECK (split IN ('test', 'train')),
    UNIQUE (run_id, canonical)
) STRICT;
INSERT INTO evaluation VALUES(1,1,'{"eval.act_inference":false,"eval.augmentations":"all","eval.halt_max_steps":1,"eval.seed":0,"eval.split":"test"}',1,0,0,0,'test');
INSERT INTO evaluation VALUES(2,1,'{"eval.act_inference":false,"eval.augmentations":"all","eval.halt_max_steps":2,"eval.seed":0,"eval.split":"test"}',2,0,0,0,'test');
INSERT INTO evaluation VALUES(3,2,'{"eval.act_inference":false,"eval.augmentations":"all","eval.halt_max_steps":1,"eval.seed":0,"eval.split":"test"}',1,0,0,0,'test');
INSERT INTO evaluation VALUES(4,2,'{"eval.act_inference":false,"eval.augmentations":"all","eval.halt_max_steps":2,"eval.seed":0,"eval.split":"test"}',2,0,0,0,'test');
CREATE TABLE arm_evaluation (
    arm_id INTEGER NOT NULL REFERENCES arm ON DELETE CASCADE,
    evaluation_id INTEGER NOT NULL REFERENCES evaluation,
    PRIMARY KEY (arm_id, evaluation_id)
) STRICT, WITHOUT ROWID;
INSERT INTO arm_evaluation VALUES(1,1);
INSERT INTO arm_evaluation VALUES(1,2);
INSERT INTO arm_evaluation VALUES(2,3);
INSERT INTO arm_evaluation VALUES(2,4);
CREATE TABLE dropped (
    experiment_id INTEGER NOT NULL REFERENCES experiment ON DELETE CASCADE,
    arm TEXT NOT NULL,                 -- the arm's label
    evaluation TEXT NOT NULL,          -- the evaluation asked for, as given
    reason TEXT NOT NULL               -- one line
) STRICT;
CREATE TABLE job (
    job_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run,
    kind TEXT NOT NULL CHECK (kind IN ('train', 'evaluate')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'done', 'failed',
                                         'cancelled', 'quarantined')),
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
    finished_at TEXT                   -- NULL until it is over
) STRICT;
INSERT INTO job VALUES(1,1,'train','done',NULL,NULL,0,985221120.0,1,0.0,0.0,2,2.0,0,0.0,'2026-11-24T00:21:09.140Z','2026-11-24T00:21:09.244Z');
INSERT INTO job VALUES(2,2,'train','done',NULL,NULL,0,377794560.0,1,0.0,0.0,2,2.0,0,0.0,'2026-11-24T00:21:09.140Z','2026-11-24T00:21:09.237Z');
CREATE TABLE job_evaluation (
    job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,
    evaluation_id INTEGER NOT NULL REFERENCES evaluation,
    PRIMARY KEY (job_id, evaluation_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE attempt (
    attempt_id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES job,
    run_id INTEGER NOT NULL REFERENCES run,
    number INTEGER NOT NULL,           -- upwards within the run; its directory's name
    directory TEXT NOT NULL,           -- relative to the workspace: runs/HASH/attempts/N
    executor TEXT NOT NULL,            -- 'local'
    state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'ended', 'superseded',
                                         'quarantined')),
    keeper_pid INTEGER,                -- NULL until started
    keeper_start INTEGER,              -- kernel start time of that pid, so that reuse is seen
    boot_id TEXT,                      -- of the machine's boot
    host TEXT,                         -- name of the machine
    cpus TEXT,                         -- cores it is pinned to, "0" or "0,1"
    journal_offset INTEGER NOT NULL DEFAULT 0, -- bytes of the journal that are in this database
    journal_sequence INTEGER NOT NULL DEFAULT 0, -- events ingested
    outcome TEXT,                      -- done | diverged | stopped | a cause of failure; NULL: not over
    message TEXT,                      -- one line for people; NULL when there is none
    exit_status INTEGER,               -- NULL when killed or not over
    exit_signal INTEGER,               -- NULL when it exited or is not over
    user_seconds REAL, system_seconds REAL, peak_rss_mib REAL, -- of the worker; NULL: not over
    weights_hash TEXT,                 -- SHA-256 of the final parameters; NULL: none
    engine_version TEXT, git_commit TEXT, compiler TEXT, -- provenance, from the begin event
    kernel_set TEXT, blas TEXT, blas_core TEXT, cpu TEXT, provenance TEXT, -- provenance: whole begin event
    started_at TEXT NOT NULL,          -- when the runner started it
    ended_at TEXT,                     -- NULL: not over
    UNIQUE (run_id, number)
) STRICT;
INSERT INTO attempt VALUES(1,1,1,1,'runs/ec8813320c97792ee025bb390cb5567900b8649c24fb143c515b796e5cc2e1ca/attempts/1','local','ended',14171,2517295,'92a52070-f4cf-45f9-8916-687206cbc375','host','0',8850,14,'done',NULL,0,NULL,0.021969999999999999945,0.0,6.55859375,'a252fe0950adba77ed07551f98e8259eb9261e96c172b5eb27040433af496b35','0.1.0','fbfa8f07c7e1+','gcc 12.2.0','avx512','OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Cooperlake MAX_THREADS=64','Cooperlake','AMD EPYC','{"attempt":1,"data":{"examples":111,"groups":37,"left_out":0,"puzzles":37,"source":"builtin:arc-style, generator seed 0","tasks_evaluation":37,"tasks_training":0,"test_rows":42},"h":"1cc42504953ef090","kind":"train","n":1,"parameters":7074,"provenance":{"blas":"OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Cooperlake MAX_THREADS=64","blas_core":"Cooperlake","cflags":"-O2 -g -O3 -fopenmp-simd -ffp-contract=fast -fno-math-errno -fno-trapping-math","compiler":"gcc 12.2.0","cpu":"AMD EPYC","engine_version":"0.1.0","environment":{"OMP_NUM_THREADS":"1","OPENBLAS_NUM_THREADS":"1"},"git_commit":"fbfa8f07c7e1+","host":"host","inherited":{"OPENBLAS_CORETYPE":"Haswell","OPENBLAS_L2_SIZE":"512"},"kernel":"6.1","kernel_set":"avx512","numeric_version":"1","threads":1},"puzzle_parameters":608,"run_hash":"ec8813320c97792ee025bb390cb5567900b8649c24fb143c515b796e5cc2e1ca","t":"2026-11-24T00:21:09.162Z","total_steps":3,"train_flops":272363520,"type":"begin","worker_pid":14173}','2026-11-24T00:21:09.144Z','2026-11-24T00:21:09.244Z');
INSERT INTO attempt VALUES(2,2,2,1,'runs/c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c/attempts/1','local','ended',14174,2517297,'92a52070-f4cf-45f9-8916-687206cbc375','host','1',8925,14,'done',NULL,0,NULL,0.012278999999999999984,0.0,6.11328125,'b0a358d277620184e5500ebdbcbac27da6004d54f09cf58f32c90a4577477b1a','0.1.0','fbfa8f07c7e1+','gcc 12.2.0','avx512','OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Cooperlake MAX_THREADS=64','Cooperlake','AMD EPYC','{"attempt":1,"data":{"examples":111,"groups":37,"left_out":0,"puzzles":37,"source":"builtin:arc-style, generator seed 0","tasks_evaluation":37,"tasks_training":0,"test_rows":42},"h":"5a7a9694e3046013","kind":"train","n":1,"parameters":7074,"provenance":{"blas":"OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Cooperlake MAX_THREADS=64","blas_core":"Cooperlake","cflags":"-O2 -g -O3 -fopenmp-simd -ffp-contract=fast -fno-math-errno -fno-trapping-math","compiler":"gcc 12.2.0","cpu":"AMD EPYC","engine_version":"0.1.0","environment":{"OMP_NUM_THREADS":"1","OPENBLAS_NUM_THREADS":"1"},"git_commit":"fbfa8f07c7e1+","host":"host","inherited":{"OPENBLAS_CORETYPE":"Haswell","OPENBLAS_L2_SIZE":"512"},"kernel":"6.1","kernel_set":"avx512","numeric_version":"1","threads":1},"puzzle_parameters":608,"run_hash":"c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c","t":"2026-11-24T00:21:09.188Z","total_steps":3,"train_flops":137379840,"type":"begin","worker_pid":14176}','2026-11-24T00:21:09.159Z','2026-11-24T00:21:09.237Z');
CREATE TABLE checkpoint (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    attempt_id INTEGER NOT NULL REFERENCES attempt,
    step INTEGER NOT NULL,             -- training steps made
    file TEXT NOT NULL,                -- relative to the workspace
    weights_hash TEXT NOT NULL,        -- SHA-256 of the parameters and buffers
    PRIMARY KEY (run_id)
) STRICT, WITHOUT ROWID;
INSERT INTO checkpoint VALUES(1,1,3,'runs/ec8813320c97792ee025bb390cb5567900b8649c24fb143c515b796e5cc2e1ca/attempts/1/final.safetensors','a252fe0950adba77ed07551f98e8259eb9261e96c172b5eb27040433af496b35');
INSERT INTO checkpoint VALUES(2,2,3,'runs/c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c/attempts/1/final.safetensors','b0a358d277620184e5500ebdbcbac27da6004d54f09cf58f32c90a4577477b1a');
CREATE TABLE metric (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,                -- 'train/loss', ...
    step INTEGER NOT NULL,             -- training steps made
    value REAL NOT NULL,               -- finite; a diverged run says so in its attempt
    PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;
INSERT INTO metric VALUES(1,'train/accuracy',2,0.07421875);
INSERT INTO metric VALUES(1,'train/exact_accuracy',2,0.0);
INSERT INTO metric VALUES(1,'train/lm_loss',1,2.587541505440265066);
INSERT INTO metric VALUES(1,'train/lm_loss',2,2.5376743040270710594);
INSERT INTO metric VALUES(1,'train/lm_loss',3,2.2662328539579985609);
INSERT INTO metric VALUES(1,'train/lr',1,0.0020000000000000000416);
INSERT INTO metric VALUES(1,'train/lr',2,0.0040000000000000000832);
INSERT INTO metric VALUES(1,'train/lr',3,0.0060000000000000001249);
INSERT INTO metric VALUES(1,'train/q_continue_loss',1,0.04017960330052419704);
INSERT INTO metric VALUES(1,'train/q_continue_loss',2,0.039475349035242128514);
INSERT INTO metric VALUES(1,'train/q_continue_loss',3,0.039748719093953319148);
INSERT INTO metric VALUES(1,'train/q_halt_accuracy',2,1.0);
INSERT INTO metric VALUES(1,'train/q_halt_loss',1,0.0067153484891180684202);
INSERT INTO metric VALUES(1,'train/q_halt_loss',2,0.0065618692170211576769);
INSERT INTO metric VALUES(1,'train/q_halt_loss',3,0.0062517363677458172299);
INSERT INTO metric VALUES(1,'train/steps',2,2.0);
INSERT INTO metric VALUES(2,'train/accuracy',2,0.20836805555555554247);
INSERT INTO metric VALUES(2,'train/exact_accuracy',2,0.0);
INSERT INTO metric VALUES(2,'train/lm_loss',1,2.1303177486858460021);
INSERT INTO metric VALUES(2,'train/lm_loss',2,2.2715372028511668922);
INSERT INTO metric VALUES(2,'train/lm_loss',3,2.0108277670158711813);
INSERT INTO metric VALUES(2,'train/lr',1,0.0020000000000000000416);
INSERT INTO metric VALUES(2,'train/lr',2,0.0040000000000000000832);
INSERT INTO metric VALUES(2,'train/lr',3,0.0060000000000000001249);
INSERT INTO metric VALUES(2,'train/q_continue_loss',1,0.04017960330052419704);
INSERT INTO metric VALUES(2,'train/q_continue_loss',2,0.039661413531518301123);
INSERT INTO metric VALUES(2,'train/q_continue_loss',3,0.040025905349573148717);
INSERT INTO metric VALUES(2,'train/q_halt_accuracy',2,1.0);
INSERT INTO metric VALUES(2,'train/q_halt_loss',1,0.0067153484891180684202);
INSERT INTO metric VALUES(2,'train/q_halt_loss',2,0.0065711813843347070124);
INSERT INTO metric VALUES(2,'train/q_halt_loss',3,0.0062895884193254203431);
INSERT INTO metric VALUES(2,'train/steps',2,2.0);
CREATE TABLE evaluation_result (
    evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
    step INTEGER NOT NULL,             -- training steps made; 0: untrained
    checkpoint TEXT NOT NULL CHECK (checkpoint IN ('untrained', 'interim', 'last')),
    per_token_accuracy REAL NOT NULL,  -- mean over test rows of all variants voted over
    per_token_accuracy_original REAL NOT NULL, -- over the unchanged variant alone
    exact_accuracy REAL NOT NULL,      -- share of test rows predicted whole
    lm_loss REAL NOT NULL,             -- mean token loss per row, nats
    mean_outer_steps REAL NOT NULL,    -- outer steps used per row
    pass_at_1 REAL NOT NULL, pass_at_2 REAL NOT NULL, pass_at_5 REAL NOT NULL, -- share of test inputs
    pass_at_10 REAL NOT NULL, pass_at_100 REAL NOT NULL, pass_at_1000 REAL NOT NULL, -- solved within k answers
    pass_at_1_strict REAL NOT NULL, pass_at_2_strict REAL NOT NULL, -- all tests of a task solved
    tasks INTEGER NOT NULL,            -- scored tasks
    rows_count INTEGER NOT NULL,       -- test rows predicted
    seconds REAL NOT NULL,             -- of the inference pass it came from
    PRIMARY KEY (evaluation_id, step)
) STRICT, WITHOUT ROWID;
INSERT INTO evaluation_result VALUES(1,0,'untrained',0.026966736775225388922,0.026966736775225388922,0.0,2.8453153273162654635,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0061686299995926674455);
INSERT INTO evaluation_result VALUES(1,3,'last',0.38790836900704178669,0.38790836900704178669,0.0,2.1771409615352030897,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0052073260012548416852);
INSERT INTO evaluation_result VALUES(2,0,'untrained',0.022300888954615665643,0.022300888954615665643,0.0,2.9057272463584484789,2.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0061686299995926674455);
INSERT INTO evaluation_result VALUES(2,3,'last',0.38790836900704178669,0.38790836900704178669,0.0,2.2189487092951498681,2.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0052073260012548416852);
INSERT INTO evaluation_result VALUES(3,0,'untrained',0.27316502871655989892,0.27316502871655989892,0.0,2.2287638254200556886,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0021663910010829567909);
INSERT INTO evaluation_result VALUES(3,3,'last',0.37724368646735928489,0.37724368646735928489,0.0,2.0014864297554399996,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0019472649983072187751);
INSERT INTO evaluation_result VALUES(4,0,'untrained',0.10918558209338161124,0.10918558209338161124,0.0,2.4308203618701438308,2.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0021663910010829567909);
INSERT INTO evaluation_result VALUES(4,3,'last',0.37570284248176027963,0.37570284248176027963,0.0,1.9972354811089672033,2.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,37,42,0.0019472649983072187751);
CREATE TABLE task_outcome (
    evaluation_id INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
    task TEXT NOT NULL,                -- its name in the data
    test_index INTEGER NOT NULL,       -- from 0
    rank INTEGER,                      -- of the solution among the answers, from 1; NULL: not among them
    votes INTEGER NOT NULL,            -- predictions for the solution
    predictions INTEGER NOT NULL,      -- predictions voted over
    per_token_accuracy REAL NOT NULL,  -- mean over this test's predicted rows
    PRIMARY KEY (evaluation_id, task, test_index)
) STRICT, WITHOUT ROWID;
INSERT INTO task_outcome VALUES(1,'border-0',0,NULL,0,1,0.19148936170212765839);
INSERT INTO task_outcome VALUES(1,'checkerboard-0',0,NULL,0,1,0.41379310344827585632);
INSERT INTO task_outcome VALUES(1,'combine_panels-0',0,NULL,0,1,0.13333333333333333148);
INSERT INTO task_outcome VALUES(1,'complete_symmetry-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(1,'connect-0',0,NULL,0,1,0.63414634146341464226);
INSERT INTO task_outcome VALUES(1,'count_to_bar-0',0,NULL,0,1,0.090909090909090897736);
INSERT INTO task_outcome VALUES(1,'crop-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(1,'cross-0',0,NULL,0,1,0.46153846153846156408);
INSERT INTO task_outcome VALUES(1,'cross-0',1,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(1,'cycle_rows-0',0,NULL,0,1,0.34482758620689657469);
INSERT INTO task_outcome VALUES(1,'diagonal-0',0,NULL,0,1,0.6410256410256409687);
INSERT INTO task_outcome VALUES(1,'diagonal-0',1,NULL,0,1,0.70833333333333337034);
INSERT INTO task_outcome VALUES(1,'double_width-0',0,NULL,0,1,0.29629629629629627984);
INSERT INTO task_outcome VALUES(1,'drip-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(1,'fill_inside-0',0,NULL,0,1,0.48936170212765955911);
INSERT INTO task_outcome VALUES(1,'flood_background-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(1,'gravity_down-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(1,'gravity_left-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(1,'half_turn-0',0,NULL,0,1,0.2608695652173912971);
INSERT INTO task_outcome VALUES(1,'hollow-0',0,NULL,0,1,0.54545454545454541417);
INSERT INTO task_outcome VALUES(1,'invert-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(1,'keep_colour-0',0,NULL,0,1,0.64583333333333337034);
INSERT INTO task_outcome VALUES(1,'lines-0',0,NULL,0,1,0.5517241379310344751);
INSERT INTO task_outcome VALUES(1,'majority-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(1,'mark_tallest-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(1,'mirror_lr-0',0,NULL,0,1,0.36842105263157898242);
INSERT INTO task_outcome VALUES(1,'mirror_ud-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(1,'outline-0',0,NULL,0,1,0.24390243902439023848);
INSERT INTO task_outcome VALUES(1,'plus-0',0,NULL,0,1,0.65957446808510633573);
INSERT INTO task_outcome VALUES(1,'plus-0',1,NULL,0,1,0.70909090909090899401);
INSERT INTO task_outcome VALUES(1,'quarter_turn-0',0,NULL,0,1,0.34285714285714286031);
INSERT INTO task_outcome VALUES(1,'quarter_turn-0',1,NULL,0,1,0.4000000000000000222);
INSERT INTO task_outcome VALUES(1,'recolour-0',0,NULL,0,1,0.40740740740740738479);
INSERT INTO task_outcome VALUES(1,'remove_noise-0',0,NULL,0,1,0.59999999999999997779);
INSERT INTO task_outcome VALUES(1,'repeat_row-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(1,'repeat_row-0',1,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(1,'scale_up-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(1,'shift-0',0,NULL,0,1,0.64705882352941179735);
INSERT INTO task_outcome VALUES(1,'sort_columns-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(1,'stack_twice-0',0,NULL,0,1,0.3125);
INSERT INTO task_outcome VALUES(1,'swap_colours-0',0,NULL,0,1,0.47368421052631576317);
INSERT INTO task_outcome VALUES(1,'transpose-0',0,NULL,0,1,0.27586206896551723755);
INSERT INTO task_outcome VALUES(2,'border-0',0,NULL,0,1,0.19148936170212765839);
INSERT INTO task_outcome VALUES(2,'checkerboard-0',0,NULL,0,1,0.41379310344827585632);
INSERT INTO task_outcome VALUES(2,'combine_panels-0',0,NULL,0,1,0.13333333333333333148);
INSERT INTO task_outcome VALUES(2,'complete_symmetry-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(2,'connect-0',0,NULL,0,1,0.63414634146341464226);
INSERT INTO task_outcome VALUES(2,'count_to_bar-0',0,NULL,0,1,0.090909090909090897736);
INSERT INTO task_outcome VALUES(2,'crop-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(2,'cross-0',0,NULL,0,1,0.46153846153846156408);
INSERT INTO task_outcome VALUES(2,'cross-0',1,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(2,'cycle_rows-0',0,NULL,0,1,0.34482758620689657469);
INSERT INTO task_outcome VALUES(2,'diagonal-0',0,NULL,0,1,0.6410256410256409687);
INSERT INTO task_outcome VALUES(2,'diagonal-0',1,NULL,0,1,0.70833333333333337034);
INSERT INTO task_outcome VALUES(2,'double_width-0',0,NULL,0,1,0.29629629629629627984);
INSERT INTO task_outcome VALUES(2,'drip-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(2,'fill_inside-0',0,NULL,0,1,0.48936170212765955911);
INSERT INTO task_outcome VALUES(2,'flood_background-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(2,'gravity_down-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(2,'gravity_left-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(2,'half_turn-0',0,NULL,0,1,0.2608695652173912971);
INSERT INTO task_outcome VALUES(2,'hollow-0',0,NULL,0,1,0.54545454545454541417);
INSERT INTO task_outcome VALUES(2,'invert-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(2,'keep_colour-0',0,NULL,0,1,0.64583333333333337034);
INSERT INTO task_outcome VALUES(2,'lines-0',0,NULL,0,1,0.5517241379310344751);
INSERT INTO task_outcome VALUES(2,'majority-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(2,'mark_tallest-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(2,'mirror_lr-0',0,NULL,0,1,0.36842105263157898242);
INSERT INTO task_outcome VALUES(2,'mirror_ud-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(2,'outline-0',0,NULL,0,1,0.24390243902439023848);
INSERT INTO task_outcome VALUES(2,'plus-0',0,NULL,0,1,0.65957446808510633573);
INSERT INTO task_outcome VALUES(2,'plus-0',1,NULL,0,1,0.70909090909090899401);
INSERT INTO task_outcome VALUES(2,'quarter_turn-0',0,NULL,0,1,0.34285714285714286031);
INSERT INTO task_outcome VALUES(2,'quarter_turn-0',1,NULL,0,1,0.4000000000000000222);
INSERT INTO task_outcome VALUES(2,'recolour-0',0,NULL,0,1,0.40740740740740738479);
INSERT INTO task_outcome VALUES(2,'remove_noise-0',0,NULL,0,1,0.59999999999999997779);
INSERT INTO task_outcome VALUES(2,'repeat_row-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(2,'repeat_row-0',1,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(2,'scale_up-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(2,'shift-0',0,NULL,0,1,0.64705882352941179735);
INSERT INTO task_outcome VALUES(2,'sort_columns-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(2,'stack_twice-0',0,NULL,0,1,0.3125);
INSERT INTO task_outcome VALUES(2,'swap_colours-0',0,NULL,0,1,0.47368421052631576317);
INSERT INTO task_outcome VALUES(2,'transpose-0',0,NULL,0,1,0.27586206896551723755);
INSERT INTO task_outcome VALUES(3,'border-0',0,NULL,0,1,0.19148936170212765839);
INSERT INTO task_outcome VALUES(3,'checkerboard-0',0,NULL,0,1,0.41379310344827585632);
INSERT INTO task_outcome VALUES(3,'combine_panels-0',0,NULL,0,1,0.13333333333333333148);
INSERT INTO task_outcome VALUES(3,'complete_symmetry-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(3,'connect-0',0,NULL,0,1,0.63414634146341464226);
INSERT INTO task_outcome VALUES(3,'count_to_bar-0',0,NULL,0,1,0.090909090909090897736);
INSERT INTO task_outcome VALUES(3,'crop-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(3,'cross-0',0,NULL,0,1,0.46153846153846156408);
INSERT INTO task_outcome VALUES(3,'cross-0',1,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(3,'cycle_rows-0',0,NULL,0,1,0.34482758620689657469);
INSERT INTO task_outcome VALUES(3,'diagonal-0',0,NULL,0,1,0.6410256410256409687);
INSERT INTO task_outcome VALUES(3,'diagonal-0',1,NULL,0,1,0.70833333333333337034);
INSERT INTO task_outcome VALUES(3,'double_width-0',0,NULL,0,1,0.29629629629629627984);
INSERT INTO task_outcome VALUES(3,'drip-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(3,'fill_inside-0',0,NULL,0,1,0.48936170212765955911);
INSERT INTO task_outcome VALUES(3,'flood_background-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(3,'gravity_down-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(3,'gravity_left-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(3,'half_turn-0',0,NULL,0,1,0.2608695652173912971);
INSERT INTO task_outcome VALUES(3,'hollow-0',0,NULL,0,1,0.54545454545454541417);
INSERT INTO task_outcome VALUES(3,'invert-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(3,'keep_colour-0',0,NULL,0,1,0.64583333333333337034);
INSERT INTO task_outcome VALUES(3,'lines-0',0,NULL,0,1,0.5517241379310344751);
INSERT INTO task_outcome VALUES(3,'majority-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(3,'mark_tallest-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(3,'mirror_lr-0',0,NULL,0,1,0.36842105263157898242);
INSERT INTO task_outcome VALUES(3,'mirror_ud-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(3,'outline-0',0,NULL,0,1,0.24390243902439023848);
INSERT INTO task_outcome VALUES(3,'plus-0',0,NULL,0,1,0.65957446808510633573);
INSERT INTO task_outcome VALUES(3,'plus-0',1,NULL,0,1,0.70909090909090899401);
INSERT INTO task_outcome VALUES(3,'quarter_turn-0',0,NULL,0,1,0.34285714285714286031);
INSERT INTO task_outcome VALUES(3,'quarter_turn-0',1,NULL,0,1,0.4000000000000000222);
INSERT INTO task_outcome VALUES(3,'recolour-0',0,NULL,0,1,0.40740740740740738479);
INSERT INTO task_outcome VALUES(3,'remove_noise-0',0,NULL,0,1,0.59999999999999997779);
INSERT INTO task_outcome VALUES(3,'repeat_row-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(3,'repeat_row-0',1,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(3,'scale_up-0',0,NULL,0,1,0.45833333333333331482);
INSERT INTO task_outcome VALUES(3,'shift-0',0,NULL,0,1,0.64705882352941179735);
INSERT INTO task_outcome VALUES(3,'sort_columns-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(3,'stack_twice-0',0,NULL,0,1,0.28125);
INSERT INTO task_outcome VALUES(3,'swap_colours-0',0,NULL,0,1,0.47368421052631576317);
INSERT INTO task_outcome VALUES(3,'transpose-0',0,NULL,0,1,0.27586206896551723755);
INSERT INTO task_outcome VALUES(4,'border-0',0,NULL,0,1,0.19148936170212765839);
INSERT INTO task_outcome VALUES(4,'checkerboard-0',0,NULL,0,1,0.41379310344827585632);
INSERT INTO task_outcome VALUES(4,'combine_panels-0',0,NULL,0,1,0.13333333333333333148);
INSERT INTO task_outcome VALUES(4,'complete_symmetry-0',0,NULL,0,1,0.375);
INSERT INTO task_outcome VALUES(4,'connect-0',0,NULL,0,1,0.63414634146341464226);
INSERT INTO task_outcome VALUES(4,'count_to_bar-0',0,NULL,0,1,0.090909090909090897736);
INSERT INTO task_outcome VALUES(4,'crop-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(4,'cross-0',0,NULL,0,1,0.46153846153846156408);
INSERT INTO task_outcome VALUES(4,'cross-0',1,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(4,'cycle_rows-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(4,'diagonal-0',0,NULL,0,1,0.6410256410256409687);
INSERT INTO task_outcome VALUES(4,'diagonal-0',1,NULL,0,1,0.70833333333333337034);
INSERT INTO task_outcome VALUES(4,'double_width-0',0,NULL,0,1,0.14814814814814813992);
INSERT INTO task_outcome VALUES(4,'drip-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(4,'fill_inside-0',0,NULL,0,1,0.48936170212765955911);
INSERT INTO task_outcome VALUES(4,'flood_background-0',0,NULL,0,1,0.25925925925925924486);
INSERT INTO task_outcome VALUES(4,'gravity_down-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(4,'gravity_left-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(4,'half_turn-0',0,NULL,0,1,0.65217391304347827052);
INSERT INTO task_outcome VALUES(4,'hollow-0',0,NULL,0,1,0.54545454545454541417);
INSERT INTO task_outcome VALUES(4,'invert-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(4,'keep_colour-0',0,NULL,0,1,0.64583333333333337034);
INSERT INTO task_outcome VALUES(4,'lines-0',0,NULL,0,1,0.5517241379310344751);
INSERT INTO task_outcome VALUES(4,'majority-0',0,NULL,0,1,0.0);
INSERT INTO task_outcome VALUES(4,'mark_tallest-0',0,NULL,0,1,0.51428571428571423496);
INSERT INTO task_outcome VALUES(4,'mirror_lr-0',0,NULL,0,1,0.31578947368421050878);
INSERT INTO task_outcome VALUES(4,'mirror_ud-0',0,NULL,0,1,0.25);
INSERT INTO task_outcome VALUES(4,'outline-0',0,NULL,0,1,0.24390243902439023848);
INSERT INTO task_outcome VALUES(4,'plus-0',0,NULL,0,1,0.65957446808510633573);
INSERT INTO task_outcome VALUES(4,'plus-0',1,NULL,0,1,0.70909090909090899401);
INSERT INTO task_outcome VALUES(4,'quarter_turn-0',0,NULL,0,1,0.37142857142857144125);
INSERT INTO task_outcome VALUES(4,'quarter_turn-0',1,NULL,0,1,0.33333333333333331482);
INSERT INTO task_outcome VALUES(4,'recolour-0',0,NULL,0,1,0.14814814814814813992);
INSERT INTO task_outcome VALUES(4,'remove_noise-0',0,NULL,0,1,0.52727272727272722629);
INSERT INTO task_outcome VALUES(4,'repeat_row-0',0,NULL,0,1,0.5);
INSERT INTO task_outcome VALUES(4,'repeat_row-0',1,NULL,0,1,0.29629629629629627984);
INSERT INTO task_outcome VALUES(4,'scale_up-0',0,NULL,0,1,0.041666666666666664353);
INSERT INTO task_outcome VALUES(4,'shift-0',0,NULL,0,1,0.64705882352941179735);
INSERT INTO task_outcome VALUES(4,'sort_columns-0',0,NULL,0,1,0.45714285714285712858);
INSERT INTO task_outcome VALUES(4,'stack_twice-0',0,NULL,0,1,0.03125);
INSERT INTO task_outcome VALUES(4,'swap_colours-0',0,NULL,0,1,0.57894736842105265495);
INSERT INTO task_outcome VALUES(4,'transpose-0',0,NULL,0,1,0.24137931034482759673);
CREATE TABLE baseline (
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    name TEXT NOT NULL,                -- 'copy'
    split TEXT NOT NULL CHECK (split IN ('test', 'train')),
    per_token_accuracy REAL NOT NULL,  -- as in evaluation_result
    exact_accuracy REAL NOT NULL,      -- as in evaluation_result
    pass_at_1 REAL NOT NULL,           -- as in evaluation_result
    pass_at_2 REAL NOT NULL,           -- as in evaluation_result
    PRIMARY KEY (run_id, name, split)
) STRICT, WITHOUT ROWID;
INSERT INTO baseline VALUES(1,'copy','test',0.67378527442862301555,0.0,0.0,0.0);
INSERT INTO baseline VALUES(2,'copy','test',0.67378527442862301555,0.0,0.0,0.0);
CREATE TABLE request (
    request_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('cancel', 'retry')),
    target TEXT NOT NULL,              -- experiment name, run hash prefix, or 'all'
    asked_at TEXT NOT NULL,            -- when the command was given
    answered_at TEXT,                  -- NULL: not yet seen
    answer TEXT                        -- one line
) STRICT;
CREATE INDEX arm_run_by_run ON arm_run (run_id);
CREATE INDEX arm_evaluation_by_evaluation ON arm_evaluation (evaluation_id);
CREATE INDEX job_by_state ON job (state, priority DESC, cost DESC);
CREATE INDEX job_by_run ON job (run_id, kind, job_id, state, cost);
CREATE INDEX attempt_by_job ON attempt (job_id);
CREATE INDEX attempt_by_state ON attempt (state);
CREATE VIEW v_results AS
SELECT e.name AS experiment,
       a.label AS arm,
       r.hash AS run_hash,
       r.seed AS seed,
       (SELECT value FROM setting s WHERE s.run_id = r.run_id AND s.key = 'arch.halt_max_steps')
           AS train_outer_steps,
       v.outer_steps AS eval_outer_steps,
       (SELECT value FROM setting s WHERE s.run_id = r.run_id AND s.key = 'data.num_aug')
           AS train_augmentations,
       CASE v.augmentations WHEN 0 THEN 'all' ELSE v.augmentations END AS eval_augmentations,
       x.checkpoint AS checkpoint,
       x.step AS step,
       v.split AS split,
       v.act_inference AS act_inference,
       x.pass_at_1 AS pass_at_1,
       x.pass_at_2 AS pass_at_2,
       x.pass_at_2_strict AS pass_at_2_strict,
       x.per_token_accuracy AS per_token_accuracy,
       x.exact_accuracy AS exact_accuracy,
       x.mean_outer_steps AS mean_outer_steps,
       r.train_flops AS train_flops,
       (SELECT sum(t.user_seconds + t.system_seconds) FROM attempt t JOIN job j USING (job_id)
         WHERE t.run_id = r.run_id AND j.kind = 'train') AS train_seconds,
       a.position AS arm_position,
       v.evaluation_id AS evaluation_id,
       a.arm_id AS arm_id
FROM experiment e
JOIN arm a USING (experiment_id)
JOIN arm_run ar USING (arm_id)
JOIN run r USING (run_id)
JOIN evaluation v USING (run_id)
JOIN arm_evaluation ae ON ae.arm_id = a.arm_id AND ae.evaluation_id = v.evaluation_id
JOIN evaluation_result x USING (evaluation_id)
WHERE x.checkpoint = 'untrained'
   OR (x.checkpoint = 'last'
       AND EXISTS (SELECT 1 FROM job j WHERE j.run_id = r.run_id AND j.kind = 'train'
                                         AND j.state = 'done' AND j.cause IS NULL));
COMMIT;
