/* task_names.c - reads names of tasks from a list or a file and sorts them for look-
 * up. */
#include "task_names.h"

#include "error.h"
#include "file.h"
#include "text.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)16 << 20; /* bytes */

void task_names_release(struct task_names *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->names[i].text);
    free(names->names);
    free(names->path);
    *names = (struct task_names){ 0 };
}

static int add_name(struct task_names *names, const char *text, size_t length, int line,
                    struct error *err)
{
    if ((names->count & (names->count - 1)) == 0) { /* grows at powers of two */
        size_t room = names->count == 0 ? 1 : 2 * (size_t)names->count;
        struct task_name *larger = realloc(names->names, room * sizeof *larger);
        if (larger == NULL)
            return error_no_memory(err, "the names of tasks");
        names->names = larger;
    }
    char *copy = strndup(text, length);
    if (copy == NULL)
        return error_no_memory(err, "the names of tasks");
    names->names[names->count++] = (struct task_name){ .text = copy, .line = line };
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct task_name *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order != 0 ? order : x->line - y->line;
}

static int read_list(struct task_names *out, const char *list, struct error *err)
{
    struct word word = { .next = list };
    int rc = 0;

    while (rc == 0 && word_next(&word))
        rc = add_name(out, word.text, (size_t)word.length, 0, err);
    return rc;
}

/* Reads a line of a file, without its line end. */
static int read_line(struct task_names *out, const char *line, size_t length, int number,
                     struct error *err)
{
    const char *comment = memchr(line, '#', length);

    if (comment != NULL)
        length = (size_t)(comment - line);
    while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL && line[length - 1] != '\0')
        length--;
    for (; length > 0 && (*line == ' ' || *line == '\t'); length--)
        line++;
    if (length == 0)
        return 0;
    int rc = add_name(out, line, length, number, err);
    if (rc == 0 && (memchr(line, '\0', length) != NULL ||
                    !text_is_printable(out->names[out->count - 1].text)))
        rc = error_set(err, ERROR_FORMAT,
                       "%s:%d: expected the name of a task in UTF-8, one a line", out->path,
                       number);
    return rc;
}

static int read_names_file(struct task_names *out, struct data_files *files, const char *path,
                           struct error *err)
{
    static const char MARK[] = "\xEF\xBB\xBF";
    char *text = NULL;
    size_t size = 0;

    if (path[0] == '\0')
        return error_set(err, ERROR_FORMAT,
                         "data.tasks: expected the path of a file of names behind the @");
    int rc = data_files_add(files, path, err);
    if (rc == 0)
        rc = file_read(&text, &size, path, FILE_LIMIT, err);
    if (rc < 0)
        return error_prefix(err, "data.tasks");
    out->path = strdup(path);
    if (out->path == NULL)
        rc = error_no_memory(err, "the names of tasks");
    size_t at = size >= 3 && memcmp(text, MARK, 3) == 0 ? 3 : 0;
    for (int number = 1; at < size && rc == 0; number++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - text) - at : size - at;
        rc = read_line(out, text + at, length, number, err);
        at += length + 1;
    }
    if (rc == 0 && out->count == 0)
        rc = error_set(err, ERROR_FORMAT, "%s: no names of tasks; expected one a line", path);
    free(text);
    return rc;
}

int task_names_read(struct task_names *out, struct data_files *files, const char *said,
                    struct error *err)
{
    *out = (struct task_names){ 0 };
    int rc =
        said[0] == '@' ? read_names_file(out, files, said + 1, err) : read_list(out, said, err);

    if (rc < 0)
        task_names_release(out);
    else if (out->count > 0)
        qsort(out->names, (size_t)out->count, sizeof *out->names, compare_names);
    return rc;
}

static int compare_with(const void *key, const void *element)
{
    return strcmp(key, ((const struct task_name *)element)->text);
}

bool task_names_have(const struct task_names *names, const char *name)
{
    return names->count > 0 && bsearch(name, names->names, (size_t)names->count,
                                       sizeof *names->names, compare_with) != NULL;
}
