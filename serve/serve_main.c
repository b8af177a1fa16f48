/*
 * serve_main.c - hrmlab-serve: shows a workspace in a browser. `hrmlab serve` starts
 * it.
 *
 * It opens the database, listens, and gives up every other right before the first
 * request is read.
 */
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "gate.h"
#include "listener.h"
#include "log.h"
#include "sandbox.h"
#include "server.h"
#include "site.h"
#include "store.h"
#include "workspace.h"

#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Others, the workers first of all, go before it. */
enum { NICENESS = 5 };

struct choice {
    const char *workspace, *socket; /* socket NULL: a port */
    int port;                       /* 0: a free one */
};

static int read_port(int *out, const char *text, struct error *err)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (end == text || *end != '\0' || value < 1 || value > 65535)
        return error_set(err, ERROR_FORMAT, "--port %.60s: expected a number from 1 to 65535",
                         text);
    *out = (int)value;
    return 0;
}

static int read_words(struct choice *out, int argc, char **argv, struct error *err)
{
    static const struct option OPTIONS[] = { { "workspace", required_argument, NULL, 'w' },
                                             { "port", required_argument, NULL, 'p' },
                                             { "socket", required_argument, NULL, 's' },
                                             { "quiet", no_argument, NULL, 'q' },
                                             { 0 } };
    int letter, rc = 0;

    *out = (struct choice){ .workspace = "hrmlab-workspace" };
    while (rc == 0 && (letter = getopt_long(argc, argv, "w:q", OPTIONS, NULL)) != -1) {
        if (letter == 'w')
            out->workspace = optarg;
        else if (letter == 'p')
            rc = read_port(&out->port, optarg, err);
        else if (letter == 's')
            out->socket = optarg;
        else if (letter == 'q')
            log_setup("hrmlab-serve", LOG_WARNING);
        else
            rc = error_set(err, ERROR_FORMAT,
                           "usage: hrmlab-serve [--workspace DIR] [--port N | --socket PATH] "
                           "[--quiet]");
    }
    if (rc == 0 && optind < argc)
        rc = error_set(err, ERROR_FORMAT, "hrmlab-serve %.60s: no argument is expected",
                       argv[optind]);
    if (rc == 0 && out->socket != NULL && out->port != 0)
        rc = error_set(err, ERROR_FORMAT, "--port and --socket: choose one of them");
    return rc;
}

/* Prints the address, the only place where the token stands. */
static void print_address(const struct choice *choice, int port, const struct gate *gate)
{
    if (choice->socket != NULL)
        printf("http://localhost/?token=%s\n", gate->token);
    else
        printf("http://127.0.0.1:%d/?token=%s\n", port, gate->token);
    fflush(stdout);
    log_info("open the address above in a browser%s%s%s; Ctrl-C ends it",
             choice->socket != NULL ? ", with a port that ssh -L PORT:" : "",
             choice->socket != NULL ? choice->socket : "",
             choice->socket != NULL ? " HOST forwards" : "");
}

static void enter_sandbox(const char *workspace)
{
    struct sandbox sandbox;
    char words[SANDBOX_WORDS];

    sandbox_enter_reading(&sandbox, workspace);
    sandbox_describe(words, sizeof words, &sandbox);
    if (!sandbox_is_whole(&sandbox))
        log_warning("the sandbox is incomplete: %s", words);
}

/* Opens everything, gives up all rights, answers. */
static int serve(const struct choice *choice, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct listener listener = { .fds = { -1, -1 } };
    struct store *store = NULL;
    struct site *site = NULL;
    struct server *server = NULL;
    struct gate gate;
    char name[16] = "socket";
    int rc = workspace_find(&workspace, choice->workspace, err);

    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_READ, err);
    if (rc == 0)
        rc = choice->socket != NULL ? listener_open_socket(&listener, choice->socket, err)
                                    : listener_open_port(&listener, choice->port, err);
    if (rc == 0 && listener.port != 0)
        snprintf(name, sizeof name, "%d", listener.port);
    if (rc == 0)
        rc = gate_init(&gate, name, err);
    if (rc == 0)
        rc = site_create(&site, store, &workspace, err);
    if (rc == 0)
        rc = server_create(&server, &listener, site, &gate, err);
    if (rc == 0) {
        enter_sandbox(workspace.path);
        print_address(choice, listener.port, &gate);
        server_run(server);
    }
    server_destroy(server);
    site_destroy(site);
    listener_close(&listener);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int main(int argc, char **argv)
{
    struct choice choice;
    struct error err = { 0 };

    setlocale(LC_CTYPE, "C.UTF-8"); /* numbers keep the C format */
    signal(SIGPIPE, SIG_IGN);
    log_setup("hrmlab-serve", LOG_INFO);
    setpriority(PRIO_PROCESS, 0, NICENESS);
    int rc = file_require_descriptors(&err);

    if (rc == 0)
        rc = read_words(&choice, argc, argv, &err);
    if (rc == 0)
        rc = serve(&choice, &err);
    if (rc < 0) {
        log_error("%s", err.message);
        return error_exit_code((enum error_code)rc);
    }
    return EXIT_STOPPED;
}
