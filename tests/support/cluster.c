/* cluster.c - starts and stops mini_slurm.sh. */
#include "support/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *output_of(const char *command)
{
    size_t size = 0, room = 1 << 16;
    char *text = calloc(room, 1);
    FILE *pipe = popen(command, "r");

    assert_non_null(text);
    assert_non_null(pipe);
    size = fread(text, 1, room - 1, pipe);
    pclose(pipe);
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    return text;
}

bool cluster_start(int nodes)
{
    static char directory[40] = "/tmp/hrmlab-slurm-XXXXXX";
    char command[200];

    if (system("for p in munged slurmctld slurmd sbatch; do"
               " PATH=$PATH:/usr/sbin command -v $p >/dev/null || exit 1; done") != 0) {
        print_message("# skip: Slurm is not installed (slurmctld slurmd slurm-client munge)\n");
        return false;
    }
    assert_non_null(mkdtemp(directory));
    setenv("MINI_SLURM_DIR", directory, 1);
    snprintf(command, sizeof command,
             "MINI_SLURM_CPUS=4 MINI_SLURM_TIMEOUT=60 tests/support/mini_slurm.sh start %d "
             ">/dev/null 2>%s/start",
             nodes, directory);
    if (system(command) != 0) {
        snprintf(command, sizeof command, "tail -n 1 %s/start", directory);
        char *reason = output_of(command);
        print_message("# skip: no Slurm comes up here: %s\n", reason);
        free(reason);
        cluster_stop();
        return false;
    }
    snprintf(command, sizeof command, "%s/slurm.conf", directory);
    setenv("SLURM_CONF", command, 1);
    return true;
}

void cluster_stop(void)
{
    if (getenv("MINI_SLURM_DIR") == NULL)
        return;
    (void)!system(
        "tests/support/mini_slurm.sh stop >/dev/null 2>&1; rm -rf \"$MINI_SLURM_DIR\"");
    unsetenv("MINI_SLURM_DIR");
    unsetenv("SLURM_CONF");
}

char *cluster_ask(const char *format, ...)
{
    char command[1000];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    return output_of(command);
}

bool cluster_wait_for(const char *command, const char *expected)
{
    for (int i = 0; i < 600; i++) {
        char *text = output_of(command);
        bool found = strcmp(text, expected) == 0;
        free(text);
        if (found)
            return true;
        place_sleep_ms(100);
    }
    return false;
}

void cluster_place(struct place *place, const char *spec)
{
    struct error err = { 0 };

    place_make(place);
    assert_int_equal(file_write_atomic(place->spec, spec, strlen(spec), &err), 0);
}
