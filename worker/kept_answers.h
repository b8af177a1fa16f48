/*
 * kept_answers.h - `hrmlab-worker answers`: draws what an evaluation kept of the
 * answers to some tasks, with their votes. Nothing is computed anew.
 */
#ifndef WORKER_KEPT_ANSWERS_H
#define WORKER_KEPT_ANSWERS_H

#include "error.h"

/*
 * argv: DIRECTORY FOLDER TASK... DIRECTORY is an attempt's; the drawing of the i-th
 * task, from 0, becomes FOLDER/i.svg, and in characters FOLDER/i.txt, in which a star
 * marks wrong cells: of every test input, solution and the answers with most votes, by
 * the attempt's last answers file with most answers (eval.keep_predictions). Without
 * such a file, or for a task that is not tested, none is written. Confines the process
 * first: it writes in FOLDER and nowhere else. ERROR_FORMAT: bad arguments, or the data
 * have changed; ERROR_ABSENT, ERROR_IO, ERROR_NOMEM.
 */
int kept_answers_command(int argc, char **argv, struct error *err) MUST_CHECK;

#endif
