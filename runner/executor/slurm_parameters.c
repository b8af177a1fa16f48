/* slurm_parameters.c - splits what the user gives into options of sbatch. */
#include "slurm_parameters.h"

#include "settings.h"

#include <stdbool.h>
#include <string.h>

static const char BLANKS[] = " \t";

/* The letters that sbatch takes in a script. */
static const struct letter {
    char letter;
    bool alone; /* it takes no value: another letter may follow */
    const char *name;
} LETTERS[] = {
    { 'A', false, "account" },  { 'a', false, "array" },      { 'B', false, "extra-node-info" },
    { 'b', false, "begin" },    { 'C', false, "constraint" }, { 'c', false, "cpus-per-task" },
    { 'D', false, "chdir" },    { 'd', false, "dependency" }, { 'e', false, "error" },
    { 'F', false, "nodefile" }, { 'G', false, "gpus" },       { 'H', true, "hold" },
    { 'i', false, "input" },    { 'J', false, "job-name" },   { 'k', true, "no-kill" },
    { 'L', false, "licenses" }, { 'M', false, "clusters" },   { 'm', false, "distribution" },
    { 'N', false, "nodes" },    { 'n', false, "ntasks" },     { 'O', true, "overcommit" },
    { 'o', false, "output" },   { 'p', false, "partition" },  { 'Q', true, "quiet" },
    { 'q', false, "qos" },      { 'S', false, "core-spec" },  { 's', true, "oversubscribe" },
    { 't', false, "time" },     { 'v', true, "verbose" },     { 'W', true, "wait" },
    { 'w', false, "nodelist" }, { 'x', false, "exclude" },
};

static const struct letter *find_letter(char letter)
{
    for (size_t i = 0; i < sizeof LETTERS / sizeof *LETTERS; i++)
        if (LETTERS[i].letter == letter)
            return &LETTERS[i];
    return NULL;
}

/* Whether it is an option with which other jobs are submitted than those that are
 * followed, or none, or with which sbatch does not return. sbatch takes a name that is
 * cut short as well. */
static bool is_unfit(const char *name, size_t length)
{
    static const char *const names[] = { "array", "clusters", "test-only", "wait", NULL };
    size_t i = 0;

    while (names[i] != NULL && (length < 2 || strncmp(names[i], name, length) != 0))
        i++;
    return names[i] != NULL;
}

/* The length of the word at the beginning, which may have blanks within quotes. */
static size_t word_length(const char *text)
{
    size_t length = 0;
    char quote = '\0';

    for (; text[length] != '\0' && (quote != '\0' || strchr(BLANKS, text[length]) == NULL);
         length++)
        if (quote == text[length])
            quote = '\0';
        else if (quote == '\0' && (text[length] == '"' || text[length] == '\''))
            quote = text[length];
    return length;
}

/* Writes a name and what follows it in the same word. False: the option is unfit. */
static bool put_option(FILE *out, const char *name, size_t length, const char *rest,
                       size_t rest_length)
{
    fprintf(out, "#SBATCH --%.*s%.*s", (int)length, name, (int)rest_length, rest);
    return !is_unfit(name, length);
}

/* Writes the letters of a word, the last of which may have its value there. False: one
 * is unfit. */
static bool put_letters(FILE *out, const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const struct letter *found = find_letter(word[i]);

        if (i > 0)
            fputc('\n', out);
        if (found == NULL) { /* what it is sbatch may say */
            fprintf(out, "#SBATCH -%.*s", (int)(length - i), word + i);
            return true;
        }
        if (!put_option(out, found->name, strlen(found->name), "", 0))
            return false;
        if (!found->alone) {
            if (i + 1 < length)
                fprintf(out, "=%.*s", (int)(length - i - 1), word + i + 1);
            return true;
        }
    }
    return true;
}

/* Writes the options of a text, the first of which may lack its dashes. False: one is
 * unfit. */
static bool put_text(FILE *out, const char *text)
{
    bool first = true, fit = true;

    for (text += strspn(text, BLANKS); *text != '\0' && fit; text += strspn(text, BLANKS)) {
        size_t length = word_length(text), dashes = strspn(text, "-");

        if (dashes > 0 && !first)
            fputc('\n', out);
        if (dashes == 1) {
            fit = put_letters(out, text + 1, length - 1);
        } else if (dashes > 1 || first) {
            size_t end = dashes + strcspn(text + dashes, "= \t");

            fit = put_option(out, text + dashes, end - dashes, text + end, length - end);
        } else {
            fprintf(out, " %.*s", (int)length, text);
        }
        first = false;
        text += length;
    }
    if (!first)
        fputc('\n', out);
    return fit;
}

int slurm_parameters_put(FILE *out, const struct config *config, struct error *err)
{
    const char *key = settings_table[SLURM_ADDITIONAL_PARAMETERS].key;
    cJSON *texts = config_get_texts(config, SLURM_ADDITIONAL_PARAMETERS);
    int rc = texts == NULL ? error_no_memory(err, key) : 0;

    for (const cJSON *item = texts != NULL ? texts->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        const char *text = item->valuestring;

        if (strpbrk(text, "\n\r") != NULL)
            rc = error_set(err, ERROR_FORMAT, "%s: %.60s: a text must be one line", key, text);
        else if (!put_text(out, text))
            rc = error_set(err, ERROR_FORMAT,
                           "%s: %.60s: the jobs of sbatch would not be those that hrmlab "
                           "follows; leave it out",
                           key, text);
    }
    cJSON_Delete(texts);
    return rc;
}
