/* fuzz_exit.c - exit.json, into a database as the end of an attempt. */
#include "fuzz.h"

#include "error.h"
#include "json.h"
#include "record.h"
#include "store.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store *store;
    struct error err = { 0 };
    cJSON *json = NULL;

    if (store == NULL) {
        if (store_open(&store, fuzz_directory("none", NULL, 0), STORE_WRITE, &err) < 0 ||
            sqlite3_exec(store_connection(store), "PRAGMA synchronous = OFF", NULL, NULL,
                         NULL) != 0)
            abort();
    }
    int rc = json_read_file(&json, fuzz_file(data, size), 1 << 16, &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0) {
        struct record_end end = { ATTEMPT_ENDED, OUTCOME_CRASH, NULL, json };
        if (store_begin(store, &err) < 0)
            abort();
        rc = record_attempt_end(store, 1, &end, &err);
        fuzz_expect_message(rc, &err);
        store_rollback(store);
    }
    cJSON_Delete(json);
    return 0;
}
