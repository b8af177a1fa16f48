/* power_cut.h - the disk as it could be found after a power cut. */
#ifndef TESTS_FAULTS_POWER_CUT_H
#define TESTS_FAULTS_POWER_CUT_H

#include "random.h"

/*
 * Undoes a random part of what the logs in log_directory say was changed and not synced: writes by
 * sectors of 512 bytes, files shortened, new names, renames and removals. All processes that
 * wrote must be dead. Returns how many changes were lost.
 */
int power_cut(const char *log_directory, struct random_stream *stream);

#endif
