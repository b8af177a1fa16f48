/* data_room.c - data files of tests. */
#include "data_room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char room[64];

int make_room(void **state)
{
    (void)state;
    snprintf(room, sizeof room, "/tmp/hrmlab-layouts-XXXXXX");
    return mkdtemp(room) == NULL;
}

int remove_room(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(room, &err);
}

void put(const char *name, const char *content)
{
    struct error err = { 0 };
    char *path = file_join(room, name), *folder = strdup(path);

    *strrchr(folder, '/') = '\0';
    assert_int_equal(file_make_directories(folder, &err), 0);
    assert_int_equal(file_write_atomic(path, content, strlen(content), &err), 0);
    free(folder);
    free(path);
}

const char *open_with(struct data_set **set, const char *path, const char *const *pairs)
{
    static struct error err;
    struct config config;

    err = (struct error){ 0 };
    *set = NULL;
    assert_int_equal(config_init(&config, &err), 0);
    int rc = config_set_text(&config, "data.path", path, "test", &err);
    for (; rc == 0 && pairs != NULL && pairs[0] != NULL; pairs += 2)
        rc = config_set_text(&config, pairs[0], pairs[1], "test", &err);
    if (rc == 0)
        rc = config_resolve(&config, "test", &err);
    if (rc == 0)
        rc = data_set_open(set, &config, true, &err);
    config_release(&config);
    return rc < 0 ? err.message : NULL;
}

void expect_tasks(const char *path, const char *const *pairs, int groups, int tested)
{
    struct data_set *set;
    const char *fault = open_with(&set, path, pairs);

    if (fault != NULL)
        fail_msg("%s", fault);
    assert_int_equal(data_set_info(set)->groups, groups);
    assert_int_equal(data_set_info(set)->tasks_evaluation, tested);
    data_set_close(set);
}

void expect_words(const char *path, const char *const *pairs, const char *words)
{
    struct data_set *set;
    const char *fault = open_with(&set, path, pairs);

    if (fault != NULL)
        fail_msg("%s", fault);
    if (strstr(data_set_info(set)->counts, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", data_set_info(set)->counts, words);
    data_set_close(set);
}

void expect_refusal(const char *path, const char *const *pairs, const char *words)
{
    struct data_set *set;
    const char *fault = open_with(&set, path, pairs);

    data_set_close(set);
    if (fault == NULL)
        fail_msg("accepted; expected \"%s\"", words);
    if (strstr(fault, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault, words);
}

const char *shared_folder(void)
{
    const char *named = getenv("HRMLAB_SHARED");

    return named != NULL ? named : "../shared";
}

char *shared_data(const char *name)
{
    char path[500];

    snprintf(path, sizeof path, "%s/data/%s", shared_folder(), name);
    char *place = realpath(path, NULL);
    if (place == NULL) {
        print_message("skip: %s is absent\n", path);
        skip();
    }
    return place;
}
