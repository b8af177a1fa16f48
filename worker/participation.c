/* participation.c - sums of vectors and of their products, in double. */
#include "participation.h"

#include "error.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* The sums of one set. The first vector is taken off all of them, so that the sums of
 * products lose no digits where the vectors are far from zero and near each other. */
struct sums {
    float *first;     /* owned: (width) */
    double *single;   /* owned: (width) */
    double *products; /* owned: the triangle j <= i, row by row */
    int64_t count;
};

struct participation {
    int sets, width;
    struct sums *sums; /* owned: (sets) */
    double *centred;   /* owned: (width) the vector being added */
};

int participation_create(struct participation **out, int sets, int width, struct error *err)
{
    struct participation *p = calloc(1, sizeof *p);
    size_t D = (size_t)width;
    bool complete = p != NULL;

    *out = NULL;
    if (complete) {
        p->sets = sets;
        p->width = width;
        p->sums = calloc((size_t)sets + 1, sizeof *p->sums);
        p->centred = calloc(D + 1, sizeof *p->centred);
        complete = p->sums != NULL && p->centred != NULL;
    }
    for (int i = 0; i < sets && complete; i++) {
        struct sums *sums = &p->sums[i];

        sums->first = calloc(D + 1, sizeof *sums->first);
        sums->single = calloc(D + 1, sizeof *sums->single);
        sums->products = calloc(D * (D + 1) / 2 + 1, sizeof *sums->products);
        complete = sums->first != NULL && sums->single != NULL && sums->products != NULL;
    }
    if (!complete) {
        participation_destroy(p);
        return error_no_memory(err, "the participation ratio");
    }
    *out = p;
    return 0;
}

void participation_destroy(struct participation *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->sets && p->sums != NULL; i++) {
        free(p->sums[i].first);
        free(p->sums[i].single);
        free(p->sums[i].products);
    }
    free(p->sums);
    free(p->centred);
    free(p);
}

void participation_add(struct participation *p, int set, const float *vector)
{
    struct sums *sums = &p->sums[set];
    double *row = sums->products;

    for (int i = 0; i < p->width; i++) {
        if (sums->count == 0)
            sums->first[i] = vector[i];
        p->centred[i] = (double)vector[i] - (double)sums->first[i];
        sums->single[i] += p->centred[i];
    }
    for (int i = 0; i < p->width; row += ++i)
        for (int j = 0; j <= i; j++)
            row[j] += p->centred[i] * p->centred[j];
    sums->count++;
}

double participation_ratio(const struct participation *p, int set)
{
    const struct sums *sums = &p->sums[set];
    const double *row = sums->products;
    double trace = 0.0, squares = 0.0, count = (double)sums->count;

    if (sums->count == 0)
        return (double)NAN;
    /* the covariance times the number of vectors, which the ratio does not depend on */
    for (int i = 0; i < p->width; row += ++i)
        for (int j = 0; j <= i; j++) {
            double c = row[j] - sums->single[i] * sums->single[j] / count;

            trace += i == j ? c : 0.0;
            squares += i == j ? c * c : 2.0 * c * c;
        }
    return squares > 0.0 && isfinite(squares) ? trace * trace / squares : (double)NAN;
}
