/*
 * fuzz_arc.c - ARC JSON: the directory layout, and combined challenges with their solutions.
 *
 * The input is a task file or a challenges file; what follows its first NUL byte, which JSON
 * cannot hold, is the solutions file. Without a NUL there is none.
 */
#include "fuzz.h"

#include "arc_load.h"
#include "arc_task.h"
#include "error.h"
#include "json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOLUTIONS "combined/arc-agi_evaluation_solutions.json"

/* Solutions that were taken are all there: no test is without one. */
static void load_from(const char *directory, bool with_solutions)
{
    struct error err = { 0 };
    struct arc_tasks tasks = { 0 };
    int rc = arc_load(&tasks, directory, &err);

    fuzz_expect_message(rc, &err);
    if (rc < 0)
        return;
    for (int i = 0; i < tasks.count && with_solutions; i++)
        for (int t = 0; t < tasks.tasks[i].tests; t++)
            if (!tasks.tasks[i].pairs[tasks.tasks[i].demonstrations + t].has_output)
                abort();
    arc_tasks_release(&tasks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char tree[100], combined[100], solutions[200];
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t first = nul != NULL ? (size_t)(nul - data) : size;

    if (tree[0] == '\0') { /* DIR/tree/{training,evaluation}, DIR/combined */
        const char *directory = fuzz_directory("none", NULL, 0);
        char path[200];
        snprintf(tree, sizeof tree, "%s/tree", directory);
        snprintf(combined, sizeof combined, "%s/combined", directory);
        snprintf(solutions, sizeof solutions, "%s/" SOLUTIONS, directory);
        mkdir(tree, 0700);
        mkdir(combined, 0700);
        snprintf(path, sizeof path, "%s/training", tree);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/evaluation", tree);
        mkdir(path, 0700);
    }
    fuzz_directory("tree/training/task.json", data, first);
    load_from(tree, false);
    fuzz_directory("combined/arc-agi_evaluation_challenges.json", data, first);
    if (nul != NULL)
        fuzz_directory(SOLUTIONS, nul + 1, size - first - 1);
    else
        unlink(solutions);
    load_from(combined, nul != NULL);
    return 0;
}
