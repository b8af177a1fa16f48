/* command_serve.c - `hrmlab serve`: becomes hrmlab-serve, which has what this program
 * does without: HTTP. */
#include "error.h"
#include "options.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

int command_serve(const struct options *options, int *exit_code, struct error *err)
{
    const char *words[9] = { options->serve_program, "--workspace", options->workspace };
    int count = 3;

    (void)exit_code; /* of the other program */
    if (options->port != NULL) {
        words[count++] = "--port";
        words[count++] = options->port;
    }
    if (options->socket != NULL) {
        words[count++] = "--socket";
        words[count++] = options->socket;
    }
    if (options->quiet)
        words[count++] = "--quiet";
    execv(words[0], (char *const *)(uintptr_t)words);
    return error_set(err, ERROR_SPAWN,
                     "start %s: %s; it belongs beside hrmlab (make all builds both), and "
                     "HRMLAB_SERVE names another one",
                     words[0], strerror(errno));
}
