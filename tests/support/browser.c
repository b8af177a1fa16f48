/* browser.c - the few commands and events of the DevTools protocol that the tests
 * need. Messages are JSON, each ended by a NUL; answers have the command's id,
 * events have none. */
#include "support/browser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "support/place.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptors on which the browser reads and writes, and the time it has for an
 * answer. */
enum { ITS_INPUT = 3, ITS_OUTPUT = 4, ANSWER_S = 60, WAIT_S = 60 };

const char *browser_program(void)
{
    static const char *const PROGRAMS[] = { "/usr/bin/chromium",
                                            "/usr/bin/chromium-headless-shell" };

    for (size_t i = 0; i < sizeof PROGRAMS / sizeof *PROGRAMS; i++)
        if (access(PROGRAMS[i], X_OK) == 0)
            return PROGRAMS[i];
    return NULL;
}

/* ---- events ---- */

static void add_line(char **lines, const char *text)
{
    char *longer = format_string("%s%s\n", *lines, text);

    assert_non_null(longer);
    free(*lines);
    *lines = longer;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(json_member(object, key));

    return text != NULL ? text : "";
}

/* Whether the address is within the origin, or part of the page itself. */
static bool is_own(const struct browser *browser, const char *address)
{
    size_t length = strlen(browser->origin);

    return strncmp(address, "data:", 5) == 0 ||
           (length > 0 && strncmp(address, browser->origin, length) == 0 &&
            strchr("/?#", address[length]) != NULL);
}

static void note_event(struct browser *browser, const char *method, const cJSON *params)
{
    const cJSON *entry = json_member(params, "entry");
    const char *level = text_of(entry, "level"), *type = text_of(params, "type");

    if (strcmp(method, "Page.loadEventFired") == 0) {
        browser->loads++;
    } else if (strcmp(method, "Runtime.exceptionThrown") == 0) {
        const cJSON *details = json_member(params, "exceptionDetails");

        add_line(&browser->faults, text_of(json_member(details, "exception"), "description"));
    } else if (strcmp(method, "Log.entryAdded") == 0 &&
               (strcmp(level, "error") == 0 || strcmp(level, "warning") == 0)) {
        add_line(&browser->faults, text_of(entry, "text"));
    } else if (strcmp(method, "Runtime.consoleAPICalled") == 0 &&
               (strcmp(type, "error") == 0 || strcmp(type, "warning") == 0)) {
        add_line(&browser->faults, type);
    } else if (strcmp(method, "Network.requestWillBeSent") == 0) {
        const char *address = text_of(json_member(params, "request"), "url");

        if (!is_own(browser, address))
            add_line(&browser->strays, address);
    } else if (strcmp(method, "Network.responseReceived") == 0) {
        double status = json_real_or(json_member(params, "response"), "status", 0);

        browser->full += status == 200;
        browser->same += status == 304;
    }
}

/* ---- messages ---- */

/* Reads more of what the browser says; false: nothing within that time. */
static bool read_more(struct browser *browser, double seconds)
{
    struct pollfd ready = { .fd = browser->from, .events = POLLIN };

    if (poll(&ready, 1, (int)(seconds * 1e3)) <= 0)
        return false;
    if (browser->room - browser->size < 4096) {
        browser->room = 2 * browser->room + (1 << 16);
        browser->buffer = realloc(browser->buffer, browser->room);
        assert_non_null(browser->buffer);
    }
    ssize_t count =
        read(browser->from, browser->buffer + browser->size, browser->room - browser->size);
    if (count <= 0)
        fail_msg("the browser has ended");
    browser->size += (size_t)count;
    return true;
}

/* Takes the next message, at most so many seconds; the caller's to cJSON_Delete,
 * NULL: none. */
static cJSON *next_message(struct browser *browser, double seconds)
{
    double until = clock_monotonic_s() + seconds;
    char *end;

    while ((end = browser->size > 0 ? memchr(browser->buffer, '\0', browser->size) : NULL) ==
           NULL) {
        double left = until - clock_monotonic_s();

        if (!read_more(browser, left > 0 ? left : 0))
            return NULL;
    }
    cJSON *message = cJSON_Parse(browser->buffer);
    size_t used = (size_t)(end - browser->buffer) + 1;

    assert_non_null(message);
    browser->size -= used;
    memmove(browser->buffer, browser->buffer + used, browser->size);
    return message;
}

/* Takes events that come within so many seconds, at least those that are there. */
static void take_events(struct browser *browser, double seconds)
{
    double until = clock_monotonic_s() + seconds, left = seconds;
    cJSON *message;

    while ((message = next_message(browser, left)) != NULL) {
        note_event(browser, text_of(message, "method"), json_member(message, "params"));
        cJSON_Delete(message);
        left = until - clock_monotonic_s();
        left = left > 0 ? left : 0;
    }
}

static void write_message(struct browser *browser, cJSON *message)
{
    char *text = cJSON_PrintUnformatted(message);
    size_t left;
    ssize_t count;

    assert_non_null(text);
    left = strlen(text) + 1;
    for (const char *at = text; left > 0; at += count, left -= (size_t)count) {
        count = write(browser->to, at, left);
        if (count <= 0)
            fail_msg("the browser does not listen");
    }
    cJSON_free(text);
}

/* Sends a command with its parameters, JSON text of printf's form; its result, the
 * caller's to cJSON_Delete. */
__attribute__((format(printf, 3, 4))) static cJSON *
send_command(struct browser *browser, const char *method, const char *form, ...)
{
    cJSON *message = cJSON_CreateObject(), *answer, *result = NULL;
    char *text = NULL;
    va_list arguments;

    va_start(arguments, form);
    assert_true(vasprintf(&text, form, arguments) >= 0);
    va_end(arguments);
    cJSON_AddNumberToObject(message, "id", ++browser->last_id);
    cJSON_AddStringToObject(message, "method", method);
    cJSON_AddItemToObject(message, "params", cJSON_Parse(text));
    if (browser->session[0] != '\0')
        cJSON_AddStringToObject(message, "sessionId", browser->session);
    write_message(browser, message);
    cJSON_Delete(message);
    while (result == NULL) {
        answer = next_message(browser, ANSWER_S);
        if (answer == NULL)
            fail_msg("%s %s: the browser does not answer", method, text);
        if (json_integer_or(answer, "id", 0) == browser->last_id) {
            result = cJSON_DetachItemFromObjectCaseSensitive(answer, "result");
            if (result == NULL)
                fail_msg("%s %s: %s", method, text, cJSON_PrintUnformatted(answer));
        } else {
            note_event(browser, text_of(answer, "method"), json_member(answer, "params"));
        }
        cJSON_Delete(answer);
    }
    free(text);
    return result;
}

/* ---- the browser ---- */

/* Becomes the browser. */
static void execute(const char *directory, int input, int output)
{
    char *profile = format_string("--user-data-dir=%s/browser", directory);
    char *log = format_string("%s/browser.log", directory);
    const char *argv[] = {
        browser_program(),
        "--headless",
        "--no-sandbox", /* tests may run as root; only own pages are opened */
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--remote-debugging-pipe",
        profile,
        "about:blank",
        NULL
    };
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    /* first away from the numbers that they shall have */
    input = fcntl(input, F_DUPFD, 10);
    output = fcntl(output, F_DUPFD, 10);
    dup2(input, ITS_INPUT);
    dup2(output, ITS_OUTPUT);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    setpgid(0, 0);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void attach(struct browser *browser)
{
    static const char *const DOMAINS[] = { "Page.enable", "Runtime.enable", "Log.enable",
                                           "Network.enable" };
    cJSON *made = send_command(browser, "Target.createTarget", "{\"url\": \"about:blank\"}");
    cJSON *attached =
        send_command(browser, "Target.attachToTarget",
                     "{\"targetId\": \"%s\", \"flatten\": true}", text_of(made, "targetId"));

    snprintf(browser->session, sizeof browser->session, "%s", text_of(attached, "sessionId"));
    cJSON_Delete(made);
    cJSON_Delete(attached);
    for (size_t i = 0; i < sizeof DOMAINS / sizeof *DOMAINS; i++)
        cJSON_Delete(send_command(browser, DOMAINS[i], "{}"));
}

void browser_start(struct browser *out, const char *directory)
{
    int input[2], output[2];

    *out = (struct browser){ .faults = strdup(""), .strays = strdup("") };
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    signal(SIGPIPE, SIG_IGN);
    out->pid = fork();
    assert_true(out->pid >= 0);
    if (out->pid == 0)
        execute(directory, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    out->to = input[1];
    out->from = output[0];
    attach(out);
}

void browser_stop(struct browser *browser)
{
    close(browser->to); /* at the end of its pipe it ends */
    close(browser->from);
    for (int i = 0; i < 100 && waitpid(browser->pid, NULL, WNOHANG) == 0; i++)
        place_sleep_ms(100);
    kill(-browser->pid, SIGKILL); /* processes of its own that are left */
    waitpid(browser->pid, NULL, 0);
    free(browser->buffer);
    free(browser->faults);
    free(browser->strays);
    *browser = (struct browser){ 0 };
}

/* ---- the page ---- */

void browser_open(struct browser *browser, const char *address)
{
    const char *host = strstr(address, "://");
    int before = browser->loads;
    double until = clock_monotonic_s() + WAIT_S;

    assert_non_null(host);
    snprintf(browser->origin, sizeof browser->origin, "%.*s",
             (int)(host + 3 - address + (ptrdiff_t)strcspn(host + 3, "/?#")), address);
    cJSON_Delete(send_command(browser, "Page.navigate", "{\"url\": \"%s\"}", address));
    while (browser->loads == before && clock_monotonic_s() < until)
        take_events(browser, 0.05);
    if (browser->loads == before)
        fail_msg("%s is not loaded", address);
}

char *browser_ask(struct browser *browser, const char *expression)
{
    cJSON *words = cJSON_CreateString(expression);
    char *quoted = cJSON_PrintUnformatted(words);
    cJSON *result = send_command(browser, "Runtime.evaluate",
                                 "{\"expression\": %s, \"awaitPromise\": true,"
                                 " \"returnByValue\": true}",
                                 quoted);
    const cJSON *details = json_member(result, "exceptionDetails");
    const cJSON *value = json_member(json_member(result, "result"), "value");

    if (details != NULL)
        fail_msg("%s: %s", expression,
                 text_of(json_member(details, "exception"), "description"));
    char *text = cJSON_IsString(value) ? strdup(cJSON_GetStringValue(value))
                 : value != NULL       ? cJSON_PrintUnformatted(value)
                                       : strdup("");

    cJSON_Delete(result);
    cJSON_Delete(words);
    cJSON_free(quoted);
    assert_non_null(text);
    return text;
}

void browser_expect(struct browser *browser, const char *expression, const char *expected)
{
    char *text = browser_ask(browser, expression);

    if (strcmp(text, expected) != 0)
        fail_msg("%s is \"%s\", expected \"%s\"", expression, text, expected);
    free(text);
}

void browser_wait_for(struct browser *browser, const char *expression, const char *expected)
{
    double until = clock_monotonic_s() + WAIT_S;
    bool found = false;

    while (!found && clock_monotonic_s() < until) {
        char *text = browser_ask(browser, expression);

        found = strcmp(text, expected) == 0;
        free(text);
        if (!found)
            take_events(browser, 0.1);
    }
    if (!found)
        browser_expect(browser, expression, expected);
}

void browser_wait_for_answers(struct browser *browser, const int *count, int more)
{
    double until = clock_monotonic_s() + WAIT_S;
    int wanted = *count + more;

    while (*count < wanted && clock_monotonic_s() < until)
        take_events(browser, 0.1);
    if (*count < wanted)
        fail_msg("%d answers are missing", wanted - *count);
    free(browser_ask(browser, "0")); /* the page has had its turn */
}

/* ---- keys and mouse ---- */

void browser_press(struct browser *browser, const char *key)
{
    static const struct {
        const char *code, *key, *text;
        int number;
    } KEYS[] = { { "Enter", "Enter", "\\r", 13 },
                 { "Space", " ", " ", 32 },
                 { "Tab", "Tab", "", 9 } };
    size_t k = 0;

    while (k < sizeof KEYS / sizeof *KEYS && strcmp(KEYS[k].code, key) != 0)
        k++;
    assert_true(k < sizeof KEYS / sizeof *KEYS);
    for (int down = 1; down >= 0; down--)
        cJSON_Delete(send_command(browser, "Input.dispatchKeyEvent",
                                  "{\"type\": \"%s\", \"code\": \"%s\", \"key\": \"%s\","
                                  " \"text\": \"%s\", \"windowsVirtualKeyCode\": %d}",
                                  down ? "keyDown" : "keyUp", KEYS[k].code, KEYS[k].key,
                                  down ? KEYS[k].text : "", KEYS[k].number));
}

void browser_type(struct browser *browser, const char *text)
{
    cJSON_Delete(send_command(browser, "Input.insertText", "{\"text\": \"%s\"}", text));
}

/* Scrolls the element into view; the middle of it. */
static void find_middle(struct browser *browser, double middle[2], const char *element)
{
    char *expression = format_string("(e => { e.scrollIntoView({ block: 'center', behavior:"
                                     " 'instant' }); const r = e.getBoundingClientRect();"
                                     " return (r.left + r.width / 2) + ' ' + (r.top + r.height"
                                     " / 2); })(%s)",
                                     element);
    char *text = browser_ask(browser, expression), *rest;

    middle[0] = strtod(text, &rest);
    middle[1] = strtod(rest, NULL);
    free(text);
    free(expression);
}

static void send_mouse(struct browser *browser, const char *type, const double at[2])
{
    bool button = strcmp(type, "mouseMoved") != 0;

    cJSON_Delete(send_command(browser, "Input.dispatchMouseEvent",
                              "{\"type\": \"%s\", \"x\": %.1f, \"y\": %.1f, \"button\": \"%s\","
                              " \"clickCount\": %d}",
                              type, at[0], at[1], button ? "left" : "none", (int)button));
}

void browser_point(struct browser *browser, const char *element)
{
    double middle[2];

    find_middle(browser, middle, element);
    send_mouse(browser, "mouseMoved", middle);
}

void browser_click(struct browser *browser, const char *element)
{
    double middle[2];

    find_middle(browser, middle, element);
    send_mouse(browser, "mouseMoved", middle);
    send_mouse(browser, "mousePressed", middle);
    send_mouse(browser, "mouseReleased", middle);
}
