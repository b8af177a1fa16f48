/* recorded_demo.c - queues the demo and fills in its results by SQL. */
#include "recorded_demo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "error.h"
#include "file.h"

void recorded_demo_make(struct place *place)
{
    const char *const queue[] = { "--quiet", "queue", "experiments/demo.json", NULL };
    char *sql, *out, *errors;
    struct error err;
    size_t size;

    setenv("HRMLAB_PAGER", "", 1);
    setenv("TZ", "UTC", 1);
    place_make(place);
    int code = place_run(place, queue, &out, &errors);

    if (code != 0)
        fail_msg("queue: %d, %s", code, errors);
    free(out);
    free(errors);
    assert_int_equal(file_read(&sql, &size, "tests/data/screens.sql", 1 << 20, &err), 0);
    place_change(place, sql);
    free(sql);
}
