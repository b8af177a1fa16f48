/*
 * slurm_place.h - where an attempt stands among Slurm's jobs, and the files in the
 * attempt's directory by which the runner and the job agree whose turn it is.
 *
 * Attempts that are alike are submitted together, as a batch of one name. Each has a
 * number in it; a job works through per_job of them, one after the other, so that job
 * number index / per_job has the attempt. A batch is submitted as one array, or in
 * parts: the job name of a part is "NAME.FIRST", with the number of its first job.
 *
 * The file slurm.place is written before the submission and has the place. It is
 * renamed, which only one can do: by the job that begins the attempt, or by the runner
 * that does not want it any more.
 */
#ifndef RUNNER_SLURM_PLACE_H
#define RUNNER_SLURM_PLACE_H

#include "error.h"
#include "executor.h"

enum { SLURM_NAME_SIZE = 100, SLURM_ID_SIZE = 32 };

struct slurm_place {
    char name[SLURM_NAME_SIZE]; /* of the batch; "": not submitted */
    int index;                  /* of the attempt in the batch, from 0 on */
    int per_job;                /* attempts that a job works through */
    char job[SLURM_ID_SIZE];    /* id of the job, "12" or "12_3"; "": not known */
};

/* name NAME index I per N[ job ID] */
void slurm_place_write(char out[EXECUTOR_PLACE_SIZE], const struct slurm_place *place);
/* The reverse; text of another form gives a place without a name. */
void slurm_place_read(struct slurm_place *out, const char *text);

/* What a file of the attempt's directory says. */
enum slurm_mark {
    SLURM_MARK_PLACE,  /* not begun */
    SLURM_MARK_BEGUN,  /* by its job */
    SLURM_MARK_OVER,   /* it has ended, and its job goes on with the next one */
    SLURM_MARK_LEFT,   /* its job ended before its turn came */
    SLURM_MARK_VOID,   /* the runner does not want it begun any more */
    SLURM_MARK_STOP,   /* the job shall end this attempt, and go on with the next one */
    SLURM_MARK_KILL,   /* likewise, at once */
    SLURM_MARK_WARNED, /* the job neared its time limit while it ran */
    SLURM_MARK_COUNT
};
/* The name of the file. */
const char *slurm_mark_name(enum slurm_mark mark);

bool slurm_mark_is_set(const char *directory, enum slurm_mark mark);
/* Slurm's own number of the job that has begun the attempt, which of an element of an
 * array is not its id: the job has added it to its file. 0: not known. */
long slurm_begun_by(const char *directory);
/* Seconds since the file got its name; 0: there is none, or the clocks of this machine
 * and of the file system do not agree. */
double slurm_mark_age_s(const char *directory, enum slurm_mark mark);
/* Creates the file, empty. */
int slurm_mark_set(const char *directory, enum slurm_mark mark, struct error *err) MUST_CHECK;
/* Whether the script of the attempt's job has begun: that makes the logs of all its
 * attempts before anything else. */
bool slurm_script_has_begun(const char *directory);
/* Whether the attempt's worker has ended, and said so. */
bool slurm_worker_has_ended(const char *directory);
/* Sees to it that no job begins the attempt. False: one has begun it, or has ended
 * before its turn came, or it is void already. */
bool slurm_mark_void(const char *directory);

/* Writes the file with the place. */
int slurm_place_save(const char *directory, const struct slurm_place *place,
                     struct error *err) MUST_CHECK;
/* Reads it under whichever name it has. False: there is none. */
bool slurm_place_load(struct slurm_place *out, const char *directory);

#endif
