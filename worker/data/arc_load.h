/*
 * arc_load.h - ARC tasks from every public layout of their files.
 */
#ifndef WORKER_ARC_LOAD_H
#define WORKER_ARC_LOAD_H

#include "arc_task.h"
#include "data_files.h"

/* Tasks that were published together: a folder, or a file of challenges with its
 * solutions. */
struct arc_set {
    char name[ARC_NAME_SIZE]; /* "training", "evaluation2", "concept" */
    /* the last part of the source's path, truncated; sets of the same name are
     * distinguished as SOURCE/NAME */
    char source[ARC_NAME_SIZE];
    char *path; /* owned; the folder or the file of challenges */
    bool lists; /* of lists of pairs without tests, which are trained on alone */
    /* Filled by arc_choose(): */
    bool trained, tested, named; /* named: in data.test_sets */
    /* tasks read; of these, left out because another set has them */
    int tasks, repeated;
};

struct arc_tasks {
    struct arc_task *tasks; /* owned */
    int count;
    struct arc_set *sets; /* owned; in the order in which they were read */
    int set_count;
    struct data_files files; /* what was read */
};

/*
 * Adds all sets of a source, path, to tasks, which is zero before the first one. path
 * is one of
 *   a folder with training/ and evaluation/ (also below data/) of one file per task;
 *   a folder with combined files, NAME_challenges.json beside NAME_solutions.json, or
 *     with a hyphen in place of the underscore; the set is called NAME without
 *     "arc-agi_";
 *   a folder of folders of task files, as ConceptARC's corpus/CONCEPT/: the set
 *     "concept". Where two folders have a file of one name, those tasks are called
 *     FOLDER-NAME;
 *   a folder of task files, or one such file: the set "evaluation";
 *   in place of a task file a list of pairs, as in re-arc's tasks/ beside
 *   metadata.json:
 *     the set "re-arc"; the tasks are called re-arc-NAME, because the files have the
 *     names of the tasks that they were made after;
 *   one file of challenges.
 * Any file may be packed with gzip and end with .json.gz. A solutions file has the
 * tasks of its challenges, all and no others; where there is none, the tests are
 * hidden: they get answers (the submission), no scores. ERROR_FORMAT names file and
 * place; whatever fails releases all tasks.
 */
int arc_load(struct arc_tasks *tasks, const char *path, struct error *err) MUST_CHECK;
void arc_tasks_release(struct arc_tasks *tasks);

/* The file, or the folder, that a task comes from. */
const char *arc_task_place(const struct arc_tasks *tasks, const struct arc_task *task);

/* Appends a set whose source is its own name until arc_load() sets it. Returns its
 * index, or an error. */
int arc_tasks_add_set(struct arc_tasks *tasks, const char *name, const char *path,
                      struct error *err) MUST_CHECK;
/* Appends a task to a set, taking it over. */
int arc_tasks_add(struct arc_tasks *tasks, int set, struct arc_task *task,
                  struct error *err) MUST_CHECK;

#endif
