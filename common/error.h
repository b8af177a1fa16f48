/*
 * error.h - how every layer reports what went wrong: a code and one message.
 *
 * A function that can fail at run time returns 0 or a negative error_code and
 * writes the message once, where the fault is seen. Callers pass it on, adding
 * at most the outer object (error_prefix).
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

enum error_code {
    ERROR_NOMEM = -1,       /* an allocation failed */
    ERROR_IO = -2,          /* a file or directory could not be read or written */
    ERROR_FORMAT = -3,      /* input from outside is wrong: spec, data, command line */
    ERROR_DATABASE = -4,    /* SQLite reported an error */
    ERROR_BUSY = -5,        /* somebody else holds the workspace or the database */
    ERROR_SPAWN = -6,       /* a process could not be started */
    ERROR_ENVIRONMENT = -7, /* a library, binary or kernel feature is missing */
    ERROR_NOSPACE = -8,     /* disk full or over quota */
    ERROR_DAMAGED = -9,     /* a file of ours fails its checksum */
    ERROR_ABSENT = -10,     /* what was asked for does not exist */
    ERROR_STOPPED = -11     /* asked to stop; state is safe */
};

enum { ERROR_MESSAGE_SIZE = 1024 };

struct error {
    enum error_code code;
    char message[ERROR_MESSAGE_SIZE]; /* one line, no final newline or period */
};

/* Ends the declaration of a function that returns an error: the compiler warns where a
 * caller does not look at the result. error_ignore() is for calls whose failure does no
 * harm. */
#define MUST_CHECK __attribute__((warn_unused_result))

static inline void error_ignore(int rc)
{
    (void)rc;
}

/* Fills *err (which may be NULL) and has the value code, so that a caller can write
 * "return error_set(...)". It is a macro, so that compilers and checkers see that the
 * value is negative; code is evaluated twice. errno does not change. */
#define error_set(err, code, ...) (error_fill((err), (code), __VA_ARGS__), error_same(code))

/* The same for an allocation that failed; what: "a plan", "the list of tasks". */
#define error_no_memory(err, what) error_set((err), ERROR_NOMEM, "no memory for %s", (what))

static inline int error_same(enum error_code code)
{
    return (int)code;
}

__attribute__((format(printf, 3, 4))) void error_fill(struct error *err, enum error_code code,
                                                      const char *format, ...);

/* Puts "prefix: " in front of the message already in *err. Returns err->code. */
__attribute__((format(printf, 2, 3))) int error_prefix(struct error *err, const char *format,
                                                       ...);

/* ERROR_NOSPACE for ENOSPC and EDQUOT, ERROR_NOMEM for ENOMEM, ERROR_ABSENT for ENOENT,
 * else ERROR_IO. */
enum error_code error_code_from_errno(int error_number);

/* The process exit code (exit_code.h): EXIT_BAD_INPUT for ERROR_FORMAT and
 * ERROR_ABSENT, EXIT_STOPPED for ERROR_STOPPED, EXIT_ENVIRONMENT for everything else.
 * code < 0. */
int error_exit_code(enum error_code code);

#endif
