/* fuzz_arc.c - ARC JSON: the directory layout, and combined challenges. */
#include "fuzz.h"

#include "arc_load.h"
#include "arc_task.h"
#include "error.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void load_from(const char *directory)
{
    struct error err = { 0 };
    struct arc_tasks tasks;
    int rc = arc_load(&tasks, directory, &err);

    fuzz_expect_message(rc, &err);
    if (rc == 0)
        arc_tasks_release(&tasks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char tree[100], combined[100];

    if (tree[0] == '\0') { /* DIR/tree/{training,evaluation}, DIR/combined */
        const char *directory = fuzz_directory("none", NULL, 0);
        char path[200];
        snprintf(tree, sizeof tree, "%s/tree", directory);
        snprintf(combined, sizeof combined, "%s/combined", directory);
        mkdir(tree, 0700);
        mkdir(combined, 0700);
        snprintf(path, sizeof path, "%s/training", tree);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/evaluation", tree);
        mkdir(path, 0700);
    }
    fuzz_directory("tree/training/task.json", data, size);
    load_from(tree);
    fuzz_directory("combined/arc-agi_evaluation_challenges.json", data, size);
    fuzz_directory("combined/arc-agi_training_challenges.json", data, size);
    load_from(combined);
    return 0;
}
