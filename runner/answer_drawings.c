/* answer_drawings.c - calls `hrmlab-worker answers` and reads what it has drawn. */
#include "answer_drawings.h"

#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "worker_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t MOST_BYTES = (size_t)4 << 20; /* of a drawing */

/* Reads the drawings; one that is not there stays NULL. */
static int read_drawings(char **drawings, bool text, const char *folder, int count,
                         struct error *err)
{
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        char *path = format_string("%s/%d.%s", folder, i, text ? "txt" : "svg");
        size_t size;

        rc = path == NULL ? error_no_memory(err, "a path")
                          : file_read(&drawings[i], &size, path, MOST_BYTES, err);
        rc = rc == ERROR_ABSENT ? 0 : rc;
        free(path);
    }
    return rc;
}

/* Has the worker draw into the folder. *exit_code: as it would be hrmlab's. */
static int draw(int *exit_code, const char *folder, const char *program, const char *attempt,
                const char *const *tasks, int count, struct error *err)
{
    enum { BEFORE = 4 };
    char **words = calloc((size_t)count + BEFORE + 1, sizeof *words);
    bool whole = words != NULL;
    int rc;

    for (int i = 0; whole && i < count + BEFORE; i++) {
        const char *const first[BEFORE] = { program, "answers", attempt, folder };

        words[i] = strdup(i < BEFORE ? first[i] : tasks[i - BEFORE]);
        whole = words[i] != NULL;
    }
    rc = whole ? worker_call(words, exit_code, err) : error_no_memory(err, "a command line");
    for (int i = 0; words != NULL && i < count + BEFORE; i++)
        free(words[i]);
    free(words);
    return rc;
}

int answer_drawings(char **drawings, bool *whole, bool text, void *context,
                    const char *directory, const char *const *tasks, int count,
                    struct error *err)
{
    struct answer_drawings *own = context;
    const char *place = getenv("TMPDIR");
    char *attempt = file_join(own->options->workspace, directory);
    char *job = attempt != NULL ? file_join(attempt, "job.json") : NULL;
    char *folder = format_string("%s/hrmlab-answers-XXXXXX",
                                 place != NULL && place[0] != '\0' ? place : "/tmp");
    int exit_code = EXIT_DONE;
    int rc = job == NULL || folder == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && file_exists(job)) {
        if (mkdtemp(folder) == NULL) {
            log_error("no answers are drawn: cannot make %s: %s; TMPDIR names a place for it",
                      folder, strerror(errno));
            exit_code = EXIT_ENVIRONMENT;
        } else {
            rc = draw(&exit_code, folder, own->options->worker_program, attempt, tasks, count,
                      err);
            if (rc == ERROR_SPAWN || rc == ERROR_ENVIRONMENT) {
                log_error("no answers are drawn: %s", err->message);
                exit_code = EXIT_ENVIRONMENT;
                rc = 0;
            }
            if (rc == 0)
                rc = read_drawings(drawings, text, folder, count, err);
            error_ignore(file_remove_tree(folder, NULL));
        }
    }
    *whole = exit_code == EXIT_DONE;
    if (!*whole)
        own->exit_code = exit_code;
    free(attempt);
    free(job);
    free(folder);
    return rc;
}
