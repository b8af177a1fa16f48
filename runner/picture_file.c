/* picture_file.c - writes SVG as it is, PNG and PDF through rsvg-convert. */
#include "picture_file.h"

#include "error.h"
#include "file.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MOST_BYTES = 256 << 20 };

static const char CONVERTER[] = "rsvg-convert";

static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);

    return length > end && strcmp(name + length - end, ending) == 0;
}

static bool is_standard_output(const char *name)
{
    return name == NULL || strcmp(name, "-") == 0;
}

int picture_check_name(const char *name, struct error *err)
{
    if (is_standard_output(name))
        return 0;
    if (ends_in(name, ".svg") || ends_in(name, ".png") || ends_in(name, ".pdf"))
        return file_check_output("-o", name, err);
    return error_set(err, ERROR_FORMAT,
                     "-o %.200s: expected a name that ends in .svg, .png or .pdf", name);
}

static int make_memory_file(int *out, struct error *err)
{
    *out = memfd_create("hrmlab picture", MFD_CLOEXEC);
    return *out >= 0 ? 0
                     : error_set(err, ERROR_IO, "a file in memory (memfd_create): %s",
                                 strerror(errno));
}

/* Runs the converter from one open file to the other and waits for it. */
static int convert(int input, int output, const char *format, struct error *err)
{
    char *argv[] = { (char *)(uintptr_t)CONVERTER,
                     (char *)(uintptr_t) "--format",
                     (char *)(uintptr_t)format,
                     (char *)(uintptr_t) "--zoom",
                     (char *)(uintptr_t)(strcmp(format, "png") == 0 ? "2" : "1"),
                     NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return error_no_memory(err, "a picture");
    int number = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (number == 0)
        number = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (number == 0)
        number = posix_spawnp(&pid, CONVERTER, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (number == ENOENT)
        return error_set(err, ERROR_ENVIRONMENT,
                         "%s is needed for .%s and not installed (Debian: librsvg2-bin); "
                         ".svg needs nothing",
                         CONVERTER, format);
    if (number != 0)
        return error_set(err, ERROR_SPAWN, "%s: %s", CONVERTER, strerror(number));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, ERROR_SPAWN, "%s: %s", CONVERTER, strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, ERROR_ENVIRONMENT, "%s could not convert the picture to .%s",
                         CONVERTER, format);
    return 0;
}

/* Writes the whole content of an open in-memory file to the file of this name. */
static int save(int memory, const char *name, struct error *err)
{
    off_t size = lseek(memory, 0, SEEK_END);
    int rc = 0;

    if (size <= 0 || size > MOST_BYTES)
        return error_set(err, ERROR_ENVIRONMENT, "%s gave no picture", CONVERTER);
    void *data = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, memory, 0);

    if (data == MAP_FAILED)
        return error_set(err, ERROR_NOMEM, "no memory for a picture: %s", strerror(errno));
    rc = file_write_output(name, data, (size_t)size, err);
    munmap(data, (size_t)size);
    return rc;
}

static int write_converted(const char *svg, const char *name, const char *format,
                           struct error *err)
{
    int input = -1, output = -1;
    int rc = make_memory_file(&input, err);

    if (rc == 0)
        rc = make_memory_file(&output, err);
    if (rc == 0)
        rc = file_write_all(input, svg, strlen(svg), "a picture", err);
    if (rc == 0 && lseek(input, 0, SEEK_SET) != 0)
        rc = error_set(err, ERROR_IO, "a file in memory: %s", strerror(errno));
    if (rc == 0)
        rc = convert(input, output, format, err);
    if (rc == 0)
        rc = save(output, name, err);
    if (input >= 0)
        close(input);
    if (output >= 0)
        close(output);
    return rc;
}

int picture_write(const char *svg, const char *name, struct error *err)
{
    if (is_standard_output(name))
        return file_write_all(STDOUT_FILENO, svg, strlen(svg), "standard output", err);
    if (ends_in(name, ".svg"))
        return file_write_output(name, svg, strlen(svg), err);
    return write_converted(svg, name, ends_in(name, ".png") ? "png" : "pdf", err);
}
