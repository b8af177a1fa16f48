/* human.c - quantities in units that people read. */
#include "human.h"

#include <stdio.h>

static const double MINUTE = 60.0, HOUR = 3600.0, DAY = 86400.0, YEAR = 365.25 * 86400.0;

char *human_duration(char out[HUMAN_SIZE], double seconds)
{
    double s = seconds > 0.0 ? seconds : 0.0;
    /* Below the limit of days, so that the number of seconds is an int. */
    int whole = s < 2.0 * DAY ? (int)(s + 0.5) : 0;

    if (s >= 2.0 * YEAR)
        snprintf(out, HUMAN_SIZE, "%.3g years", s / YEAR);
    else if (s >= 9.95 * DAY)
        snprintf(out, HUMAN_SIZE, "%.0f days", s / DAY);
    else if (s >= 2.0 * DAY)
        snprintf(out, HUMAN_SIZE, "%.1f days", s / DAY);
    else if (whole >= HOUR)
        snprintf(out, HUMAN_SIZE, "%dh%02dm", whole / 3600, whole / 60 % 60);
    else if (whole >= MINUTE)
        snprintf(out, HUMAN_SIZE, "%dm%02ds", whole / 60, whole % 60);
    else
        snprintf(out, HUMAN_SIZE, "%ds", whole);
    return out;
}

/* Three digits and the largest unit of which there is at least one. */
static void with_unit(char out[HUMAN_SIZE], double value, double step, const char *const *units,
                      int count)
{
    int unit = 0;

    while (unit + 1 < count && value >= 0.9995 * step) {
        value /= step;
        unit++;
    }
    int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

    snprintf(out, HUMAN_SIZE, "%.*f %s", digits, value, units[unit]);
}

char *human_flops(char out[HUMAN_SIZE], double flops)
{
    static const char *const UNITS[] = { "FLOP",  "kFLOP", "MFLOP", "GFLOP", "TFLOP",
                                         "PFLOP", "EFLOP", "ZFLOP", "YFLOP" };

    with_unit(out, flops > 0.0 ? flops : 0.0, 1000.0, UNITS, sizeof UNITS / sizeof *UNITS);
    return out;
}

char *human_bytes(char out[HUMAN_SIZE], int64_t bytes)
{
    static const char *const UNITS[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };

    if (bytes < 1024)
        snprintf(out, HUMAN_SIZE, "%lld byte%s", (long long)bytes, bytes == 1 ? "" : "s");
    else
        with_unit(out, (double)bytes / 1024.0, 1024.0, UNITS, sizeof UNITS / sizeof *UNITS);
    return out;
}
