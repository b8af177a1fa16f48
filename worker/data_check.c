/* data_check.c - reads and checks all data, and prints counts and repeated tasks. */
#include <stdio.h>

#include "data_command.h"
#include "data_source.h"
#include "kinds.h"

int data_check(const struct data_request *request, struct error *err)
{
    const struct data_kind *kind;
    struct data_source source = { 0 };
    int evaluation = 0, pairs = 0;
    int rc = data_kind_find(&kind, config_text(&request->config, DATA_PATH), err);

    /* first: a fault in the chosen tasks would end the command before it */
    if (rc == 0 && kind->check != NULL)
        rc = kind->check(stdout, &request->config, err);
    if (rc == 0)
        rc = data_source_read(&source, &request->config, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < source.task_count; i++) {
        struct data_task task;
        source.kind->task(source.content, i, &task);
        evaluation += task.evaluation;
        pairs += task.demonstrations + task.tests;
    }
    printf("%s: %d training and %d evaluation tasks, %d pairs, %d left out\n%s\ncontent %s\n",
           source.text, source.task_count - evaluation, evaluation, pairs, source.left_out,
           source.counts, source.hash);
    data_source_release(&source);
    return 0;
}
