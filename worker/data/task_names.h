/*
 * task_names.h - the tasks that data.tasks names: in the setting, or in a file.
 */
#ifndef WORKER_TASK_NAMES_H
#define WORKER_TASK_NAMES_H

#include "data_files.h"

struct task_name {
    char *text; /* owned */
    int line;   /* of the file, from 1; 0: not from a file */
};

struct task_names {
    struct task_name *names; /* owned; by name */
    int count;               /* 0: every task */
    char *path;              /* owned; NULL: not from a file */
};

/*
 * Reads the value of the setting, said: "a, b ,c", or "@FILE", a file with one name
 * per line. In the file, comments from # on, blank lines, blanks around a name, CR LF
 * and a byte order mark are ignored. The file is added to files. ERROR_FORMAT: the
 * file has no names, or a name that is not text, with its line.
 */
int task_names_read(struct task_names *out, struct data_files *files, const char *said,
                    struct error *err) MUST_CHECK;
void task_names_release(struct task_names *names);

bool task_names_have(const struct task_names *names, const char *name);

#endif
