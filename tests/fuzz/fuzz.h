/*
 * fuzz.h - a fuzz target: one function that takes bytes from outside.
 *
 * With libFuzzer (make fuzz) FUZZ_TARGET is its entry; without it (make test) a main() replays
 * the committed inputs given as arguments. A finding is a crash, a sanitizer's report, a leak, or
 * an error without a message.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct error;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file of the process's own that holds the input; for readers that take a path. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* A directory of the process's own, and a file NAME in it with the input. */
const char *fuzz_directory(const char *name, const uint8_t *data, size_t size);
/* rc < 0: aborts unless there is a message of one line. */
void fuzz_expect_message(int rc, const struct error *err);

#endif
