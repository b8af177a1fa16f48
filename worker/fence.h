/*
 * fence.h - notices that a newer attempt of the same run has taken this one's place.
 *
 * On a cluster a worker may live on although its node was given up, and another attempt
 * have begun. The attempt that counts is the newest: of the directories attempts/N of a
 * run, that of the highest N.
 */
#ifndef WORKER_FENCE_H
#define WORKER_FENCE_H

/* The number of the newest attempt beside directory (.../attempts/N) if it is newer
 * than N. 0: there is none, or the directory has another name. -1: no memory. */
int fence_newer_attempt(const char *directory);

#endif
