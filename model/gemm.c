/* gemm.c - GEMM of linear layers: a kernel set's own kernels, or OpenBLAS. */
#include "gemm.h"

#include "engine.h"
#include "kernels.h"

#include <cblas.h>
#include <stdint.h>
#include <stdlib.h>

int gemm_blas_threads(void)
{
    return openblas_get_num_threads();
}

bool gemm_packs(const struct gemm_kernels *kernels, int outputs, int inputs)
{
    return kernels != NULL && outputs % GEMM_PANEL == 0 && inputs % GEMM_PANEL == 0;
}

size_t gemm_scratch(const struct gemm_kernels *kernels)
{
    return kernels != NULL ? kernels->scratch : 0;
}

void gemm_pack(const struct gemm_kernels *kernels, void *panels, void *panels_back,
               const float *weight, int outputs, int inputs, bool halves)
{
    if (panels != NULL)
        kernels->pack(panels, weight, inputs, outputs, true, halves);
    if (panels_back != NULL)
        kernels->pack(panels_back, weight, outputs, inputs, false, false);
}

void gemm_forward(float *y, int ldy, const float *x, int ldx, struct gemm_weight w, int rows,
                  int accumulate)
{
    if (w.panels != NULL)
        w.kernels->multiply(y, ldy, x, ldx, w.panels, rows, w.inputs, w.outputs, accumulate,
                            w.scratch);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, w.outputs, w.inputs, 1.0f, x,
                    ldx, w.data, w.inputs, accumulate ? 1.0f : 0.0f, y, ldy);
}

void gemm_forward_swiglu(float *act, int ld_act, float *keep, int ld_keep, const float *x,
                         int ldx, struct gemm_weight w, int rows)
{
    w.kernels->multiply_swiglu(act, ld_act, keep, ld_keep, x, ldx, w.panels, rows, w.inputs,
                               w.outputs / 2, w.scratch);
}

void gemm_backward_input(float *dx, int ldx, const float *dy, int ldy, struct gemm_weight w,
                         int rows, int accumulate)
{
    if (w.panels_back != NULL)
        w.kernels->multiply(dx, ldx, dy, ldy, w.panels_back, rows, w.outputs, w.inputs,
                            accumulate, w.scratch);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, w.inputs, w.outputs, 1.0f,
                    dy, ldy, w.data, w.inputs, accumulate ? 1.0f : 0.0f, dx, ldx);
}

void gemm_backward_weight(const struct gemm_kernels *kernels, float *scratch, float *dw,
                          const float *dy, int ldy, const float *x, int ldx, int outputs,
                          int inputs, int rows)
{
    if (gemm_packs(kernels, outputs, inputs))
        kernels->multiply_transposed(dw, inputs, dy, ldy, x, ldx, outputs, rows, inputs,
                                     scratch);
    else
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, outputs, inputs, rows, 1.0f, dy,
                    ldy, x, ldx, 1.0f, dw, inputs);
}

const char *engine_blas_config(void)
{
    return openblas_get_config();
}

const char *engine_blas_core(void)
{
    return openblas_get_corename();
}

/* OpenBLAS's own: what is given back serves the next GEMM, of whichever thread. */
extern void *blas_memory_alloc(int position) __attribute__((weak));
extern void blas_memory_free(void *buffer) __attribute__((weak));

void engine_warm_up_blas(int threads)
{
    /* OpenBLAS needs no buffer below 100; larger ones touch more of it */
    enum { SIZE = 128, MOST = 1024 };
    static float matrices[3][SIZE * SIZE];
    void *buffers[MOST];
    int count = 0;

    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, SIZE, SIZE, SIZE, 1.0f, matrices[0],
                SIZE, matrices[1], SIZE, 0.0f, matrices[2], SIZE);
    if (blas_memory_alloc == NULL || blas_memory_free == NULL)
        return;
    while (count < threads && count < MOST && (buffers[count] = blas_memory_alloc(0)) != NULL)
        count++;
    while (count > 0)
        blas_memory_free(buffers[--count]);
}

double engine_measure_sgemm(int n, int repeats, double (*seconds)(void))
{
    size_t count = (size_t)n * (size_t)n;
    float *a = malloc(3 * count * sizeof *a);
    double best = 0.0;

    if (a == NULL)
        return 0.0;
    float *b = a + count, *c = b + count;
    for (size_t i = 0; i < 3 * count;
         i++) /* c too: its pages are touched before the clock runs */
        a[i] = (float)(i % 251) * 0.01f - 1.0f;
    for (int r = 0; r < repeats; r++) {
        double start = seconds();

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0f, a, n, b, n, 0.0f, c,
                    n);
        double rate = 2e-9 * (double)n * (double)n * (double)n / (seconds() - start);
        best = rate > best ? rate : best;
    }
    free(a);
    return best;
}
