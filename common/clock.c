/* clock.c - wall, monotonic and processor time. */
#include "clock.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static double seconds_of(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double clock_monotonic_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double clock_thread_s(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double clock_wall_s(void)
{
    return seconds_of(CLOCK_REALTIME);
}

void clock_iso(char out[CLOCK_ISO_SIZE], double wall_s)
{
    double whole = floor(wall_s);
    int milliseconds = (int)((wall_s - whole) * 1000.0);
    time_t seconds = (time_t)whole;
    struct tm utc;
    char date[CLOCK_ISO_SIZE - 8];

    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        date[0] = '\0';
    snprintf(out, CLOCK_ISO_SIZE, "%s.%03dZ", date, milliseconds);
}

void clock_iso_now(char out[CLOCK_ISO_SIZE])
{
    clock_iso(out, clock_wall_s());
}
