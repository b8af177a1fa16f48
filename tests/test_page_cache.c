/* test_page_cache.c - how long a rendered page of hrmlab-serve is good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../serve/page_cache.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct page_cache *cache;

static int create(void **state)
{
    (void)state;
    cache = page_cache_create();
    assert_non_null(cache);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    page_cache_destroy(cache);
    return 0;
}

/* Stores a page of version 1 of the database, rendered by 100 s. */
static void store(const char *address, double cost_s)
{
    struct page_text text = { .status = 200, .text = strdup("words") };

    assert_non_null(text.text);
    text.size = strlen(text.text);
    assert_non_null(page_cache_store(cache, address, &text, 1, cost_s, 100.0));
}

static bool is_good(const char *address, int64_t version, double now)
{
    return page_cache_find(cache, address, version, now) != NULL;
}

static void an_unchanged_page_is_good_for_ever(void **state)
{
    (void)state;
    store("/", 0.01);
    assert_true(is_good("/", 1, 1e6));
    assert_false(is_good("/queue", 1, 100.0));
}

static void a_changed_page_is_rendered_again_after_fifty_times_its_cost(void **state)
{
    (void)state;
    store("/", 0.1);
    assert_true(is_good("/", 2, 105.9));
    assert_false(is_good("/", 2, 106.1));
}

static void no_page_that_has_changed_is_older_than_half_a_minute(void **state)
{
    (void)state;
    store("/", 3.0);
    assert_true(is_good("/", 2, 129.9));
    assert_false(is_good("/", 2, 130.1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unchanged_page_is_good_for_ever, create, destroy),
        cmocka_unit_test_setup_teardown(
            a_changed_page_is_rendered_again_after_fifty_times_its_cost, create, destroy),
        cmocka_unit_test_setup_teardown(no_page_that_has_changed_is_older_than_half_a_minute,
                                        create, destroy),
    };

    return cmocka_run_group_tests_name("page_cache", tests, NULL, NULL);
}
