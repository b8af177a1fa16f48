/* fuzz_support.c - files for the targets, and what is expected of every error. */
#include "fuzz.h"

#include "error.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static void remove_directory(void)
{
    char command[100];

    snprintf(command, sizeof command, "rm -rf %s", directory);
    if (system(command) != 0)
        perror(directory);
}

const char *fuzz_directory(const char *name, const uint8_t *data, size_t size)
{
    char path[200];

    if (directory[0] == '\0') {
        const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(directory, sizeof directory, "%s/hrmlab-fuzz-XXXXXX", memory);
        if (mkdtemp(directory) == NULL)
            abort();
        atexit(remove_directory);
    }
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    close(fd);
    return directory;
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[200];

    snprintf(path, sizeof path, "%s/input.json", fuzz_directory("input.json", data, size));
    return path;
}

void fuzz_expect_message(int rc, const struct error *err)
{
    if (rc < 0 && (err->message[0] == '\0' || strchr(err->message, '\n') != NULL)) {
        fprintf(stderr, "an error without one line of message: %d \"%s\"\n", rc, err->message);
        abort();
    }
}
