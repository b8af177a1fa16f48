/*
 * pager.h - what a command prints for people, through a pager where it goes to a
 * terminal.
 */
#ifndef RUNNER_PAGER_H
#define RUNNER_PAGER_H

#include <sys/types.h>

#include "options.h"

struct pager {
    pid_t pid; /* 0: there is none */
};

/*
 * If standard output is a terminal and the format is for people, starts HRMLAB_PAGER,
 * or PAGER, or less -FRX (which ends at once if the text fits the screen), and directs
 * standard output to it; colours and the terminal's width stay as they were. A value of
 * "" or "cat" means no pager. A pager that cannot be started is not used.
 */
void pager_start(struct pager *pager, struct options *options);
/* Closes standard output and waits until the pager has been left. */
void pager_finish(struct pager *pager);

#endif
