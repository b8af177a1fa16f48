/* test_command.c - the table of commands: what is refused, what is suggested, help, man page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "commands.h"
#include "error.h"
#include "file.h"
#include "options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 10 };

/* Checks a command line of words separated by spaces; *command as commands_check() gives it. */
static int check(const struct command **command, const char *line, struct error *err)
{
    char copy[200], *argv[MOST_WORDS + 1], *rest = NULL;
    struct options options;
    int argc = 0;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        assert_true(argc < MOST_WORDS);
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    int rc = options_read(&options, argc, argv, err);
    if (rc == 0) {
        rc = commands_check(command, &options, err);
        options_release(&options);
    }
    return rc;
}

static void what_a_command_does_not_take_is_refused_with_advice(void **state)
{
    static const char *const cases[][2] = {
        { "hrmlab status --matrix", "hrmlab status: --matrix is for compare" },
        { "hrmlab cancel long --where train.lr=0.003",
          "hrmlab cancel: --where is for results, compare, tasks, importance, curves, plot, "
          "report and export" },
        { "hrmlab results t --set train.lr=1",
          "--set is for run, queue, plan, retry, revote and data" },
        { "hrmlab queue s.json --dry-run", "--dry-run is for run and gc" },
        { "hrmlab results --frmat csv", "unknown option --frmat; did you mean --format?" },
        { "hrmlab compare --qqqqqqq", "unknown option --qqqqqqq; see hrmlab compare --help" },
        { "hrmlab logs abcd -x", "unknown option -x; see hrmlab logs --help" },
        { "hrmlab compare --matrix=3", "--matrix takes no value" },
        { "hrmlab run --set", "--set needs a value: KEY=VALUE" },
        { "hrmlab staus", "unknown command \"staus\"; did you mean \"status\"?" },
        { "hrmlab run", "usage: hrmlab run SPEC" },
        { "hrmlab work now", "usage: hrmlab work [options]" },
        { "hrmlab results --format xml",
          "--format xml: expected table, csv, json, jsonl, markdown or latex" },
        { "hrmlab export d --format xml", "--format xml: expected csv, jsonl or tensorboard" },
        { "hrmlab report --format xml", "--format xml: expected markdown (without it HTML)" },
        { "hrmlab logs 1234 --format xml", "axes and doctor; see hrmlab logs --help" },
        { "hrmlab results --format tensorboard", "the format tensorboard is for export" },
        { "hrmlab compare t --axis a --axis b",
          "--axis b: the option is given twice, and takes one value" },
        { "hrmlab -w a status -w b", "--workspace b: the option is given twice" },
        { "hrmlab results t --metric oracle --value q", "--metric and --value are the same" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct command *command;
        struct error err = { 0 };

        assert_int_equal(check(&command, cases[i][0], &err), ERROR_FORMAT);
        if (strstr(err.message, cases[i][1]) == NULL)
            fail_msg("%s: %s", cases[i][0], err.message);
    }
}

static void options_stand_before_and_behind_the_command(void **state)
{
    const struct command *command;
    struct error err;

    (void)state;
    assert_int_equal(
        check(&command, "hrmlab --quiet -w w results t --where arch.name=hrm", &err), 0);
    assert_string_equal(command->name, "results");
    assert_int_equal(check(&command, "hrmlab -q results -q --where a=1 --where b=2", &err), 0);
    assert_int_equal(check(&command, "hrmlab logs -f abcd", &err), 0);
    assert_string_equal(command->name, "logs");
    assert_int_equal(check(&command, "hrmlab run --help", &err), 0); /* SPEC is not needed */
    assert_string_equal(command->name, "run");
    assert_int_equal(check(&command, "hrmlab", &err), 0);
    assert_null(command);
}

/* The help of a command, or of all; fresh. */
static char *help_of(const struct command *command)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    commands_print_help(command, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void expect_80_columns(const char *text)
{
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (length > 80)
            fail_msg("wider than 80 columns: %.*s", (int)length, line);
        line += length + (line[length] != '\0');
    }
}

static void help_shows_the_options_of_the_command_and_no_others(void **state)
{
    char *all = help_of(NULL);

    (void)state;
    expect_80_columns(all);
    for (const struct command *command = COMMANDS; command->name != NULL; command++) {
        char *text = help_of(command);

        expect_80_columns(text);
        if (strcmp(command->name, "data") == 0)
            assert_non_null(strstr(text, "SOURCE [TASK...] [options]"));
        assert_non_null(strstr(all, command->meaning));
        for (int i = 0; i < OPTION_COUNT; i++) {
            bool taken = ((command->options | COMMAND_COMMON) & OPTION_BIT(i)) != 0;
            char word[40];

            snprintf(word, sizeof word, " --%s ", OPTIONS[i].name);
            if ((strstr(text, word) != NULL) != taken)
                fail_msg("hrmlab %s --help: %s", command->name, word);
        }
        free(text);
    }
    free(all);
}

/* Whether text names the word, written as in roff, with no letter or dash going on behind it. */
static bool names(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        char behind = at[strlen(word)];

        if (!isalnum((unsigned char)behind) && strncmp(at + strlen(word), "\\-", 2) != 0)
            return true;
    }
    return false;
}

static void the_man_page_has_every_command_and_option(void **state)
{
    struct error err;
    char *page = NULL;
    size_t size;

    (void)state;
    assert_int_equal(file_read(&page, &size, "docs/hrmlab.1", 1 << 20, &err), 0);
    for (const struct command *command = COMMANDS; command->name != NULL; command++) {
        char entry[3][40];

        snprintf(entry[0], sizeof entry[0], ".B %s\n", command->name);
        snprintf(entry[1], sizeof entry[1], ".BI %s \"", command->name);
        snprintf(entry[2], sizeof entry[2], ".BR %s \"", command->name);
        if (strstr(page, entry[0]) == NULL && strstr(page, entry[1]) == NULL &&
            strstr(page, entry[2]) == NULL)
            fail_msg("docs/hrmlab.1 has no entry for the command %s", command->name);
    }
    for (int i = 0; i < OPTION_COUNT; i++) {
        char word[60] = "\\-\\-";

        for (const char *c = OPTIONS[i].name; *c != '\0'; c++)
            snprintf(word + strlen(word), sizeof word - strlen(word), "%s%c",
                     *c == '-' ? "\\" : "", *c);
        if (!names(page, word))
            fail_msg("docs/hrmlab.1 does not name --%s", OPTIONS[i].name);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_command_does_not_take_is_refused_with_advice),
        cmocka_unit_test(options_stand_before_and_behind_the_command),
        cmocka_unit_test(help_shows_the_options_of_the_command_and_no_others),
        cmocka_unit_test(the_man_page_has_every_command_and_option),
    };

    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
