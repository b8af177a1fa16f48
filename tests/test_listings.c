/* test_listings.c - a directory that there is no memory to list is not an empty one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "fence.h"
#include "file.h"
#include "job.h"
#include "pool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static bool no_memory;

/* Instead of that of the C library. */
DIR *opendir(const char *path)
{
    if (no_memory) {
        errno = ENOMEM;
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 ? fdopendir(fd) : NULL;
}

/* A directory that has attempts/1 and attempts/2; the first one's path, fresh. */
static char *make_attempts(char root[])
{
    struct error err = { 0 };

    assert_non_null(mkdtemp(root));
    for (int i = 1; i <= 2; i++) {
        char *attempt = format_string("%s/attempts/%d", root, i);

        assert_int_equal(file_make_directories(attempt, &err), 0);
        free(attempt);
    }
    return format_string("%s/attempts/1", root);
}

/* A stale worker that could not see the newer attempt would go on. */
static void attempts_that_cannot_be_listed_are_not_none(void **state)
{
    char root[] = "/tmp/hrmlab-listings-XXXXXX";
    char *first = make_attempts(root);
    struct error err = { 0 };

    (void)state;
    no_memory = true;
    int unseen = fence_newer_attempt(first);
    no_memory = false;
    assert_int_equal(unseen, -1);
    assert_int_equal(fence_newer_attempt(first), 2);
    assert_int_equal(file_remove_tree(root, &err), 0);
    free(first);
}

/* A pool without them would have fewer answers. */
static void answers_that_cannot_be_listed_are_not_none(void **state)
{
    char root[] = "/tmp/hrmlab-listings-XXXXXX";
    char *first = make_attempts(root);
    struct job_evaluation evaluation = { .pool = 2 };
    struct job job = {
        .directory = first, .attempt = 1, .evaluations = &evaluation, .evaluation_count = 1
    };
    struct pool pool;
    struct error err = { 0 };

    (void)state;
    no_memory = true;
    int rc = pool_open(&pool, &job, 10, &err);
    no_memory = false;
    assert_int_equal(rc, ERROR_NOMEM);
    assert_int_equal(pool_open(&pool, &job, 10, &err), 0);
    pool_close(&pool);
    assert_int_equal(file_remove_tree(root, &err), 0);
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_that_cannot_be_listed_are_not_none),
        cmocka_unit_test(answers_that_cannot_be_listed_are_not_none),
    };

    return cmocka_run_group_tests_name("listings", tests, NULL, NULL);
}
