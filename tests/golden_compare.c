/* golden_compare.c - our numbers against a recorded tensor, within a limit. */
#include "golden_compare.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { MOST_FAILURE_LINES = 20 };

double golden_value(const void *data, enum safetensors_dtype dtype, size_t i)
{
    switch (dtype) {
    case SAFETENSORS_F32:
        return (double)((const float *)data)[i];
    case SAFETENSORS_F64:
        return ((const double *)data)[i];
    case SAFETENSORS_I32:
        return ((const int32_t *)data)[i];
    case SAFETENSORS_I64:
        return (double)((const int64_t *)data)[i];
    case SAFETENSORS_U8:
        return ((const uint8_t *)data)[i];
    case SAFETENSORS_BF16: /* no golden file has it */
    case SAFETENSORS_DTYPE_COUNT:
        break;
    }
    return (double)NAN;
}

void golden_fail(struct golden_report *report, const char *name, const char *format, ...)
{
    va_list arguments;

    if (report->failures++ == 0)
        snprintf(report->first_failure, sizeof report->first_failure, "%s", name);
    if (report->out == NULL || (report->failures > MOST_FAILURE_LINES && !report->verbose))
        return;
    fprintf(report->out, "FAIL %s: ", name);
    va_start(arguments, format);
    vfprintf(report->out, format, arguments);
    va_end(arguments);
    fputc('\n', report->out);
}

static void report_ratio(struct golden_report *report, const char *name, double ratio,
                         double difference, double limit)
{
    if (report->verbose && report->out != NULL)
        fprintf(report->out, "     %-70s %.3g of the limit\n", name, ratio);
    if (!(ratio > report->worst_ratio) && report->worst[0] != '\0')
        return;
    report->worst_ratio = ratio;
    report->worst_difference = difference;
    report->worst_limit = limit;
    snprintf(report->worst, sizeof report->worst, "%s", name);
}

static double largest_recorded(const struct safetensors_tensor *recorded)
{
    double largest = 0.0;

    for (size_t i = 0; i < recorded->elements; i++)
        largest = fmax(largest, fabs(golden_value(recorded->data, recorded->dtype, i)));
    return largest;
}

/* What a pass over all elements found. */
struct scan {
    double ratio, difference, limit, got, want; /* of the worst element that counts */
    size_t worst;
    double squares, squares_recorded;
    int strays;
    bool nan;
};

static void scan_element(struct scan *scan, size_t i, double got, double want, double limit,
                         const uint8_t *noisy, double stray)
{
    double difference = fabs(got - want);
    double ratio = difference == 0.0 ? 0.0 : difference / limit;

    if (isnan(got) || isnan(want)) {
        if (!scan->nan)
            *scan = (struct scan){ .nan = true, .worst = i, .got = got, .want = want };
        return;
    }
    if (ratio > 1.0 && noisy != NULL && *noisy && difference < stray &&
        scan->strays < GOLDEN_STRAYS) {
        scan->strays++;
        return;
    }
    scan->squares += difference * difference;
    scan->squares_recorded += want * want;
    if (scan->nan || ratio <= scan->ratio)
        return;
    scan->ratio = ratio;
    scan->difference = difference;
    scan->limit = limit;
    scan->got = got;
    scan->want = want;
    scan->worst = i;
}

void golden_compare(struct golden_report *report, const struct safetensors_tensor *recorded,
                    const struct golden_values *ours, const struct golden_limit *limit)
{
    size_t stride = ours->stride > 1 ? ours->stride : 1;
    size_t expected = (ours->count + stride - 1) / stride;
    double largest =
        limit->of_largest > 0.0 ? fmax(ours->largest, largest_recorded(recorded)) : 0.0;
    struct scan scan = { 0 };

    report->tensors++;
    if (recorded->elements == 0) {
        golden_fail(report, recorded->name, "it is empty, so nothing was compared");
        return;
    }
    if (recorded->dtype != ours->dtype || recorded->elements != expected) {
        golden_fail(report, recorded->name, "has %zu %s, expected %zu %s", recorded->elements,
                    safetensors_dtype_name(recorded->dtype), expected,
                    safetensors_dtype_name(ours->dtype));
        return;
    }
    for (size_t i = 0; i < recorded->elements; i++) {
        double want = golden_value(recorded->data, recorded->dtype, i);

        scan_element(&scan, i, golden_value(ours->data, ours->dtype, i * stride), want,
                     limit->absolute + limit->relative * fabs(want) +
                         limit->of_largest * largest,
                     limit->noisy == NULL ? NULL : &limit->noisy[i * stride], limit->stray);
    }
    report->values += (int64_t)recorded->elements;
    report->strays += scan.strays;
    if (scan.nan) {
        golden_fail(report, recorded->name, "element %zu: got %g, want %g", scan.worst,
                    scan.got, scan.want);
        return;
    }
    report_ratio(report, recorded->name, scan.ratio, scan.difference, scan.limit);
    if (scan.ratio > 1.0) {
        golden_fail(report, recorded->name,
                    "element %zu: got %.9g, want %.9g, difference %.3g, limit %.3g", scan.worst,
                    scan.got, scan.want, scan.difference, scan.limit);
        return;
    }
    double l2 = sqrt(scan.squares), l2_limit = limit->l2 * sqrt(scan.squares_recorded);

    if (limit->l2 > 0.0 && l2 > 0.0) {
        report_ratio(report, recorded->name, l2 / l2_limit, l2, l2_limit);
        if (!(l2 <= l2_limit))
            golden_fail(report, recorded->name, "L2 of the difference is %.3g, limit %.3g", l2,
                        l2_limit);
    }
}

void golden_compare_stats(struct golden_report *report,
                          const struct safetensors_tensor *recorded, const float *ours,
                          size_t count, double tolerance)
{
    double got[3] = { 0.0 };
    static const char *const WHAT[3] = { "sum", "sum of absolute values", "L2 norm" };

    report->tensors++;
    if (recorded->dtype != SAFETENSORS_F64 || recorded->elements != 3) {
        golden_fail(report, recorded->name, "has %zu %s, expected 3 F64", recorded->elements,
                    safetensors_dtype_name(recorded->dtype));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        got[0] += (double)ours[i];
        got[1] += fabs((double)ours[i]);
        got[2] += (double)ours[i] * (double)ours[i];
    }
    got[2] = sqrt(got[2]);
    const double *want = recorded->data;

    for (int i = 0; i < 3; i++) {
        double scale = i < 2 ? fabs(want[1]) : fabs(want[2]);
        double difference = fabs(got[i] - want[i]), limit = tolerance * scale;

        report->values++;
        if (difference > 0.0)
            report_ratio(report, recorded->name, difference / limit, difference, limit);
        if (!(difference <= limit)) /* also when one is NaN */
            golden_fail(report, recorded->name, "%s: got %.9g, want %.9g, limit %.3g", WHAT[i],
                        got[i], want[i], limit);
    }
}
