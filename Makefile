# hrmlab: `make help` lists the targets. Everything built goes to build/.
MAKEFLAGS += --no-builtin-rules
# V=1 shows the whole commands.
Q := $(if $(V),,@)
.DEFAULT_GOAL := all
VARIANT ?= release
CC := $(if $(filter fuzz,$(VARIANT)),clang,gcc)
PREFIX ?= /usr/local
VERSION := 0.1.0

PACKAGES := gcc make pkg-config git ca-certificates libopenblas-pthread-dev libsqlite3-dev sqlite3 \
            libuv1-dev libcjson-dev nettle-dev libxxhash-dev zlib1g-dev libcmocka-dev \
            libmicrohttpd-dev
# A real Slurm for test_slurm, on one machine; hrmlab itself needs none of it.
SLURM_PACKAGES := slurmctld slurmd slurm-client munge
# Ranks of one worker (make MPI=1); nothing else needs them.
MPI_PACKAGES := libopenmpi-dev openmpi-bin
CHECK_PACKAGES := clang libclang-rt-14-dev clang-tidy clang-format cppcheck shellcheck
PKG := openblas sqlite3 libuv libcjson nettle libxxhash zlib cmocka

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wdouble-promotion \
            -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings -Wundef \
            -Wformat=2 -Wcast-qual -Wswitch-enum -Wframe-larger-than=65536 -fno-common
CFLAGS_release := -O2 -g
CFLAGS_asan := -Og -g1 -fno-pie -fsanitize=address,undefined -fno-sanitize-recover=undefined \
               -fno-omit-frame-pointer
LDFLAGS_asan := -no-pie -fsanitize=address,undefined
CFLAGS_tsan := -Og -g1 -fsanitize=thread -fno-omit-frame-pointer
LDFLAGS_tsan := -fsanitize=thread
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
               -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
# Kernels are plain C that the compiler vectorises, one object per instruction set. Never
# -ffast-math; contraction to FMA is asked for by name because -std=c11 turns it off.
KERNEL_FLAGS := -O3 -fopenmp-simd -ffp-contract=fast -fno-math-errno -fno-trapping-math \
                -fno-var-tracking
# With -O3 and these two checks a set takes gcc three times as long, and the sets were most of a build
# for tests. What the checks find in kernels, accesses outside of an array, ASan finds. (-O1 is built
# faster still, but tests of the engine take twice as long.)
KERNEL_FLAGS_asan := -O2 -fno-sanitize=pointer-overflow,object-size
# Fuzz targets compute nothing, and clang takes minutes for each set otherwise.
KERNEL_FLAGS_fuzz := -O0 -fno-sanitize=all
# The processor that CC builds for; sets other than base are for x86_64.
ARCHITECTURE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
KERNEL_base :=
KERNEL_avx2 := -march=x86-64-v3
KERNEL_avx512 := -march=x86-64-v4 -mprefer-vector-width=512
KERNEL_avx512_bf16 := $(KERNEL_avx512) -mavx512bf16

O := build/$(VARIANT)
# The programs a user runs stand directly in build/; test variants have their own folder.
P := $(if $(filter release,$(VARIANT)),build,$(O))
# Targets that build and then run something build with all cores, unless -j says how many.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))

# For another architecture: make CC=aarch64-linux-gnu-gcc PKG_CONFIG=aarch64-linux-gnu-pkg-config
PKG_CONFIG ?= pkg-config
libs = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)
# Where sources stand; headers are included by their names alone, which are unique.
FOLDERS := common model model/kernels worker worker/data results results/present \
           runner runner/command runner/plan runner/loop runner/executor serve
# (Those of serve only in its own folder, where the compiler looks first.)
CPPFLAGS := -D_GNU_SOURCE $(patsubst %,-I%,$(filter-out serve,$(FOLDERS))) -Itests -I$(O) \
            $(shell $(PKG_CONFIG) --cflags $(PKG) 2>/dev/null)
CFLAGS := -std=c11 $(WARNINGS) $(CFLAGS_$(VARIANT)) $(EXTRA_CFLAGS)
LDFLAGS := $(LDFLAGS_$(VARIANT))
COMMON_LIBS := $(call libs,libcjson nettle libxxhash) -lm -lpthread
WORKER_LIBS := $(call libs,openblas zlib) $(if $(filter x86_64,$(ARCHITECTURE)),-lmvec) $(COMMON_LIBS)
RUNNER_LIBS := $(call libs,sqlite3 libuv) $(COMMON_LIBS)
SERVE_LIBS := $(call libs,libmicrohttpd) $(RUNNER_LIBS)
TEST_LIBS := $(call libs,cmocka)

# The objects of a folder and of those below it.
# Kernel sets that the processor to be built for cannot have.
FOREIGN := $(if $(filter x86_64,$(ARCHITECTURE)),,%/set_avx2.c %/set_avx512.c %/set_avx512_bf16.c)
objects = $(patsubst %.c,$(O)/%.o,$(filter-out %_main.c $(FOREIGN),$(sort $(foreach f,$(filter $(1) $(1)/%,$(FOLDERS)),$(wildcard $(f)/*.c)))))
COMMON_O := $(call objects,common)
MODEL_O := $(call objects,model)
# MPI is in one source, compiled with it (MPI=1) and without. Others than Open MPI: set these.
MPI_CFLAGS ?= $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags ompi-c 2>/dev/null))
MPI_LIBS ?= $(call libs,ompi-c)
WITHOUT_MPI_O := $(O)/worker/mpi_exchange.o
WITH_MPI_O := $(O)/worker/mpi_exchange_with.o
WORKER_O := $(call objects,worker)
WORKER_BUT_MPI_O = $(filter-out $(WITHOUT_MPI_O),$(WORKER_O))
RESULTS_O := $(call objects,results) $(O)/schema.o
RUNNER_O := $(call objects,runner)
SERVE_O := $(call objects,serve) $(O)/assets.o
SUPPORT_O := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/support/*.c))) $(O)/tests/faults/power_cut.o \
             $(O)/tests/bench/bench_baseline.o
BENCH_O := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/bench/*.c)))
SAFETENSORS_O := $(O)/tests/support/safetensors_file.o
GOLDEN_O := $(filter-out $(O)/tests/golden_replay.o,$(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/golden_*.c))))
TESTS := $(sort $(basename $(notdir $(wildcard tests/test_*.c))))
FUZZ := $(sort $(filter-out fuzz_replay fuzz_support,$(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))))
PROGRAMS := $(P)/hrmlab $(P)/hrmlab-worker $(P)/hrmlab-serve
# The worker with MPI beside the other, for tests, where Open MPI is installed.
MPI_WORKER := $(if $(MPI_LIBS),build/mpi/hrmlab-worker)
TEST_PROGRAMS := $(PROGRAMS) $(P)/golden_replay $(P)/fake_worker $(TESTS:%=$(P)/%) $(FUZZ:%=$(P)/%)

.PHONY: all
all: $(PROGRAMS) ## build hrmlab, hrmlab-worker and hrmlab-serve into build/

.PHONY: demo demo-arc
demo: DEMO := demo
demo: ## install what is missing, build, run the demo experiment, show and report what it found
demo-arc: DEMO := demo_arc
demo-arc: ## the same on ARC-style puzzles, with puzzle ids and votes
# No table waits for a key.
demo demo-arc: export HRMLAB_PAGER := cat
demo demo-arc:
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory $(PARALLEL) all
	build/hrmlab run experiments/$(DEMO).json
	build/hrmlab results $(DEMO)
	build/hrmlab compare $(DEMO) --matrix
	build/hrmlab report $(DEMO) -o build/$(DEMO).html

.PHONY: test
test: ## install what is missing, build under ASan+UBSan, run the quick tier (about 10 minutes on 2 cores, a third of them to build)
	@tests/setup.sh $(PACKAGES) $(SLURM_PACKAGES)
	@$(MAKE) --no-print-directory $(PARALLEL) all build/fake_worker build/fault_shim.so $(MPI_WORKER)
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=asan test-programs
	@tests/run_tests.sh build/asan $(TESTS)

.PHONY: test-long
test-long: ## the same tests with their long loops
	@HRMLAB_LONG=1 $(MAKE) --no-print-directory $(PARALLEL) test

BENCH_ARGS := $(if $(QUICK),--quick) $(if $(CONFIGS),--configs $(CONFIGS))
.PHONY: bench
bench: ## measure the engine (FORMAT=json, CONFIGS=A,S, QUICK=1); compares with the baseline
	@$(MAKE) --no-print-directory $(PARALLEL) build/bench >&2
	@build/bench $(BENCH_ARGS) $(if $(FORMAT),--format $(FORMAT))

.PHONY: bench-baseline bench-peer bench-pair bench-growth bench-threads bench-halting bench-scheduler bench-load
bench-baseline: build/bench ## measure and store in tests/bench/baseline.json (CONFIGS: those, others stay)
	@build/bench $(BENCH_ARGS) --write-baseline
bench-peer: build/bench ## beside tuned PyTorch (python3-torch); CONFIGS, QUICK
	@build/bench peer $(BENCH_ARGS)
bench-pair: build/bench ## one thread, two, two workers and, with MPI=1, two ranks, in turns; CONFIGS, QUICK, ROUNDS
	@build/bench pair $(BENCH_ARGS)
bench-growth: build/bench ## a step's time against every size, plotted to docs/growth.svg
	@build/bench growth docs/growth.svg
bench-threads: build/bench ## a step's time against threads, plotted to docs/threads.svg; CONFIGS
	@build/bench threads docs/threads.svg $(BENCH_ARGS)
bench-halting: build/bench ## what rows that halt early save at inference, plotted to docs/halting.svg
	@build/bench halting docs/halting.svg
bench-scheduler: all build/bench build/fake_worker build/fault_shim.so ## the runner beside a bare loop
	@build/bench scheduler

bench-load: all ## every command and page on 100 000 runs and 1 000 000 metric rows
	@tests/bench/load.sh build

.PHONY: screens
screens: ## write docs/screens anew: what commands print at 80, 100 and 120 columns
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=asan build/asan/hrmlab build/asan/hrmlab-worker build/asan/test_screens
	@HRMLAB_WRITE_SCREENS=1 tests/run_tests.sh build/asan test_screens
.PHONY: bench-serve
bench-serve: all build/fake_worker ## the runner's rate beside 50 live pages (RUNS, ROUNDS)
	@tests/bench/serve_load.sh build

# Whatever injects a fault: the tests that docs/reliability.md names.
FAULT_TESTS := $(addprefix test_,allocations checkpoint clocks damage failures faults fencing journal keeper listings migration rebuild \
                 recorder resume runner safetensors schedule soak store surroundings verify worker worker_faults)
.PHONY: test-faults
test-faults: ## every fault at every point: kill -9, power cuts, full disks, no memory (minutes)
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory $(PARALLEL) all build/fake_worker build/fault_shim.so
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=asan build/asan/hrmlab build/asan/hrmlab-worker \
	    build/asan/fake_worker $(FAULT_TESTS:%=build/asan/%)
	@HRMLAB_LONG=1 tests/run_tests.sh build/asan $(FAULT_TESTS)

SLURM_TESTS := test_slurm test_slurm_calls test_slurm_clients test_slurm_ranks test_slurm_faults
.PHONY: test-slurm
test-slurm: ## the executor slurm on a real Slurm of several nodes, with faults (minutes)
	@tests/setup.sh $(PACKAGES) $(SLURM_PACKAGES)
	@$(MAKE) --no-print-directory $(PARALLEL) all $(MPI_WORKER)
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=asan build/asan/hrmlab build/asan/hrmlab-worker \
	    build/asan/fake_worker $(SLURM_TESTS:%=build/asan/%)
	@HRMLAB_LONG=1 tests/run_tests.sh build/asan $(SLURM_TESTS)

THREAD_TESTS := test_threads test_ranks
.PHONY: test-threads
test-threads: ## threads and ranks of the engine under ThreadSanitizer (minutes)
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=tsan $(THREAD_TESTS:%=build/tsan/%)
	@tests/run_tests.sh build/tsan $(THREAD_TESTS)

.PHONY: test-valgrind
test-valgrind: ## runner and workers under valgrind on the demo, sizes cut: errors and leaks (minutes)
	@tests/setup.sh $(PACKAGES) valgrind
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@tests/valgrind.sh build

.PHONY: test-mutations
test-mutations: ## break each promise in a copy; the test that guards it must fail (minutes)
	@$(MAKE) --no-print-directory setup
	@tests/mutations.sh

FUZZ_SECONDS ?= 1800
.PHONY: fuzz
fuzz: ## feed every reader of outside input for FUZZ_SECONDS (1800) each; TARGETS="fuzz_spec ..."
	@tests/setup.sh $(PACKAGES) $(CHECK_PACKAGES)
	@$(MAKE) --no-print-directory $(PARALLEL) VARIANT=fuzz $(FUZZ:%=build/fuzz/%)
	@tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS) $(or $(TARGETS),$(FUZZ))

# Kernels first: a set takes minutes, which the other cores fill with everything else.
.PHONY: test-programs
test-programs: $(filter $(O)/model/kernels/set_avx512%,$(MODEL_O)) $(TEST_PROGRAMS)

.PHONY: setup
setup: ## install missing Debian packages (apt, with sudo where needed)
	@tests/setup.sh $(PACKAGES)

.PHONY: golden-replay-path
golden-replay-path: ## build golden_replay and print its path: golden_replay FILE...
	@$(MAKE) --no-print-directory $(PARALLEL) build/golden_replay >&2
	@echo $(CURDIR)/build/golden_replay

# Files that `make install` writes below PREFIX, by which `make uninstall` removes them.
SHARE := $(DESTDIR)$(PREFIX)/share
COMPLETIONS := bash-completion/completions/hrmlab zsh/vendor-completions/_hrmlab \
               fish/vendor_completions.d/hrmlab.fish
# The commands that have a page of their own; this program must be able to run here.
COMMAND_NAMES = $(shell $(HRMLAB) help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u)
# The program that prints completions and man pages: where hrmlab is built for another
# processor, one of this machine.
HRMLAB ?= build/hrmlab
.PHONY: install uninstall deb
install: all ## install programs, man pages, completions and experiments under PREFIX (/usr/local)
	install -D -m 755 build/hrmlab $(DESTDIR)$(PREFIX)/bin/hrmlab
	install -D -m 755 build/hrmlab-worker $(DESTDIR)$(PREFIX)/bin/hrmlab-worker
	install -D -m 755 build/hrmlab-serve $(DESTDIR)$(PREFIX)/bin/hrmlab-serve
	install -D -m 644 docs/hrmlab.1 $(SHARE)/man/man1/hrmlab.1
	set -e; for c in $(COMMAND_NAMES); do $(HRMLAB) help $$c --man >$(SHARE)/man/man1/hrmlab-$$c.1; done
	set -e; for f in $(COMPLETIONS); do install -d $(SHARE)/$${f%/*}; done
	$(HRMLAB) completions bash >$(SHARE)/$(word 1,$(COMPLETIONS))
	$(HRMLAB) completions zsh >$(SHARE)/$(word 2,$(COMPLETIONS))
	$(HRMLAB) completions fish >$(SHARE)/$(word 3,$(COMPLETIONS))
	install -D -m 644 LICENSE $(SHARE)/doc/hrmlab/copyright
	install -m 644 README.md CHANGES.md schema.sql $(SHARE)/doc/hrmlab
	install -d $(SHARE)/doc/hrmlab/docs
	install -m 644 docs/*.md docs/*.svg $(SHARE)/doc/hrmlab/docs
	install -d $(SHARE)/hrmlab/experiments/presets
	install -m 644 experiments/*.json $(SHARE)/hrmlab/experiments
	install -m 644 experiments/presets/*.json $(SHARE)/hrmlab/experiments/presets
uninstall: ## remove what `make install` wrote
	rm -f $(DESTDIR)$(PREFIX)/bin/hrmlab $(DESTDIR)$(PREFIX)/bin/hrmlab-worker $(DESTDIR)$(PREFIX)/bin/hrmlab-serve
	rm -f $(SHARE)/man/man1/hrmlab.1 $(SHARE)/man/man1/hrmlab-*.1 $(COMPLETIONS:%=$(SHARE)/%)
	rm -rf $(SHARE)/hrmlab $(SHARE)/doc/hrmlab
deb: all ## a Debian package in build/, with the libraries that it needs
	@tests/deb.sh build $(VERSION)
.PHONY: deb-smoke
deb-smoke: deb ## install the package in a fresh Debian (mmdebstrap; root), run it, purge it
	@tests/deb_smoke.sh build/hrmlab_$(VERSION)_$$(dpkg --print-architecture).deb

.PHONY: check
check: ## layers, headers, warnings (gcc, clang), clang-tidy, cppcheck, shellcheck, format
	@tests/setup.sh $(PACKAGES) $(CHECK_PACKAGES)
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@tests/check.sh "$(CPPFLAGS)" "$(WARNINGS)" "$(FOLDERS)"

.PHONY: format
format: ## lay the sources out with clang-format
	@clang-format -i $(wildcard $(FOLDERS:%=%/*.[ch]) tests/*.[ch] tests/*/*.[ch])

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 28

$(P)/hrmlab: $(O)/runner/runner_main.o $(RUNNER_O) $(RESULTS_O) $(COMMON_O)
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(RUNNER_LIBS)
$(P)/hrmlab-worker: $(O)/worker/worker_main.o $(WORKER_BUT_MPI_O) $(MODEL_O) $(COMMON_O) $(O)/mpi.txt \
                    $(if $(MPI),$(WITH_MPI_O),$(WITHOUT_MPI_O))
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(WORKER_LIBS) $(if $(MPI),$(MPI_LIBS))
$(P)/mpi/hrmlab-worker: $(O)/worker/worker_main.o $(WORKER_BUT_MPI_O) $(MODEL_O) $(COMMON_O) $(WITH_MPI_O)
	@mkdir -p $(@D)
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(WORKER_LIBS) $(MPI_LIBS)
# Of the runner, only what this program uses is taken out of the archive.
$(O)/runner.a: $(RUNNER_O)
	@echo AR $@
	$(Q)rm -f $@ && ar rcs $@ $^
$(P)/hrmlab-serve: $(O)/serve/serve_main.o $(SERVE_O) $(O)/runner.a $(RESULTS_O) $(COMMON_O)
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(SERVE_LIBS)
# A test that starts it.
$(P)/test_serve: | $(P)/hrmlab-serve
$(P)/golden_replay: $(O)/tests/golden_replay.o $(GOLDEN_O) $(SAFETENSORS_O) $(WORKER_O) $(MODEL_O) $(COMMON_O)
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(WORKER_LIBS)
$(P)/bench: $(BENCH_O) $(SAFETENSORS_O) $(WORKER_BUT_MPI_O) $(MODEL_O) $(COMMON_O) $(O)/mpi.txt \
            $(if $(MPI),$(WITH_MPI_O),$(WITHOUT_MPI_O))
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=gemm_forward,--wrap=gemm_forward_swiglu,--wrap=gemm_backward_input,--wrap=gemm_backward_weight,--wrap=team_run \
	    -o $@ $(filter %.o,$^) $(WORKER_LIBS) $(if $(MPI),$(MPI_LIBS))
$(P)/fake_worker: $(O)/tests/fake_worker.o $(COMMON_O)
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(COMMON_LIBS)
build/fault_shim.so: tests/faults/shim.c tests/faults/shim.h
	@echo LINK $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O1 -g $(WARNINGS) -fPIC -shared -Itests -o $@ $< -ldl
# Of all that, a test takes what it uses: programs that have everything take minutes to link.
$(O)/tested.a: $(SUPPORT_O) $(GOLDEN_O) $(SERVE_O) $(RUNNER_O) $(RESULTS_O) $(WORKER_O) $(MODEL_O) $(COMMON_O)
	@echo AR $@
	$(Q)rm -f $@ && ar rcsT $@ $^
# With libFuzzer's main(), or one that replays inputs.
$(P)/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/fuzz_support.o \
             $(if $(filter fuzz,$(VARIANT)),,$(O)/tests/fuzz/fuzz_replay.o) $(O)/tested.a
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(RUNNER_LIBS) $(WORKER_LIBS)
$(P)/test_%: $(O)/tests/test_%.o $(O)/tests/support/selection.o $(O)/tested.a
	@echo LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(RUNNER_LIBS) $(WORKER_LIBS) $(TEST_LIBS)
# Objects of tests stay, so that the next build compiles only what has changed.
.SECONDARY:

$(O)/model/kernels/set_%.o: model/kernels/set_%.c
	@mkdir -p $(@D)
	@echo CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(KERNEL_FLAGS) $(KERNEL_FLAGS_$(VARIANT)) $(KERNEL_$*) -MMD -MP -c -o $@ $<
$(O)/worker/provenance.o $(O)/runner/runner_main.o: EXTRA = -include $(O)/build_info.h
$(O)/worker/provenance.o $(O)/runner/runner_main.o: $(O)/build_info.h
# Loops over the cells of millions of boards, and over the seeds of a thousand grids, which are
# to be vectorised.
$(O)/worker/data/boards.o $(O)/worker/data/sudoku_csv.o $(O)/results/anova.o: EXTRA = $(if $(filter release,$(VARIANT)),-O3)
# References in double: most of the time of their tests is spent in them.
$(O)/tests/support/reference_network.o $(O)/tests/test_attention.o: EXTRA = -O2
$(WITH_MPI_O): worker/mpi_exchange.c
	@mkdir -p $(@D)
	@echo CC $@
	@[ -n "$(MPI_LIBS)" ] || { echo "MPI=1 needs Open MPI: apt install $(MPI_PACKAGES)" >&2; exit 1; }
	$(Q)$(CC) $(CPPFLAGS) -DHRMLAB_MPI $(MPI_CFLAGS) $(CFLAGS) -ffp-contract=off -MMD -MP -c -o $@ $<
$(O)/%.o: %.c
	@mkdir -p $(@D)
	@echo CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(EXTRA) -ffp-contract=off -MMD -MP -c -o $@ $<
# schema.sql as a C string, so that the program needs no file at run time.
$(O)/schema.c: schema.sql
	@mkdir -p $(@D)
	$(Q)(echo '#include "schema.h"'; echo 'const char SCHEMA_SQL[] ='; \
	 sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n"/' $<; echo ';') > $@
$(O)/schema.o: $(O)/schema.c
	$(Q)$(CC) $(CPPFLAGS) -std=c11 -c -o $@ $<
# The page's style sheet and script, likewise.
$(O)/assets.c: serve/page.css serve/page.js
	@mkdir -p $(@D)
	$(Q)(echo '#include "assets.h"'; for f in $^; do \
	 echo "const char ASSET_$$(basename $$f | tr a-z. A-Z_)[] ="; \
	 sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n"/' $$f; echo ';'; done) > $@
$(O)/assets.o: $(O)/assets.c
	$(Q)$(CC) $(CPPFLAGS) -Iserve -std=c11 -c -o $@ $<
# Whether programs are linked with MPI; rewritten only when it has changed.
$(O)/mpi.txt: FORCE
	@mkdir -p $(@D)
	@echo '$(MPI)' >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
# What the provenance says of this build; rewritten only when it has changed.
.PHONY: FORCE
$(O)/build_info.h: FORCE
	@mkdir -p $(@D)
	@{ printf '#define HRMLAB_VERSION "%s"\n' '$(VERSION)'; \
	   printf '#define HRMLAB_COMMIT "%s"\n' \
	     "$$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)$$(git diff --quiet HEAD 2>/dev/null || echo +)"; \
	   printf '#define HRMLAB_CFLAGS "%s"\n' '$(strip $(CFLAGS_$(VARIANT)) $(KERNEL_FLAGS) $(KERNEL_FLAGS_$(VARIANT)))'; } > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

-include $(shell find $(O) -name '*.d' 2>/dev/null)
