/*
 * kernels_body.h - the table of kernels of one instruction set.
 *
 * The kernels have one source, compiled once per instruction set: set_base.c,
 * set_avx2.c and so on each define KERNEL_SUFFIX and include this file, the Makefile
 * gives each its own -m flags, and dispatch.c picks one set at start. Everything in the
 * headers below is static; this table is the only symbol of the object file. There is
 * no include guard, because each set includes the file once.
 */
#include "kernels.h"
#include "kernels_attention.h"
#include "kernels_elementwise.h"
#if defined(__FMA__)
#include "kernels_gemm.h"
#endif
#if defined(__AVX512BF16__)
#include "kernels_attention_bf16.h"
#include "kernels_gemm_bf16.h"
#endif

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define KERNEL_NAME_(a) #a
#define KERNEL_NAME(a) KERNEL_NAME_(a)

const struct kernels PASTE(kernels, KERNEL_SUFFIX) = {
    .name = KERNEL_NAME(KERNEL_SUFFIX),
    .inject = inject,
    .add = add,
    .scale = scale_copy,
    .add_scaled = add_scaled,
    .add_position = add_position,
    .rmsnorm_forward = rmsnorm_forward,
    .rmsnorm_backward = rmsnorm_backward,
    .swiglu_forward = swiglu_forward,
    .swiglu_backward = swiglu_backward,
    .rope = rope,
    .attention_scratch = attention_scratch,
    .attention_forward = attention_forward,
    .attention_backward = attention_backward,
    .attention_forward_bf16 = attention_forward_bf16,
    .attention_backward_bf16 = attention_backward_bf16,
    .round_bf16 = round_bf16,
#if defined(__FMA__)
    .gemm_float32 = &GEMM_FLOAT32,
#endif
#if defined(__AVX512BF16__)
    .gemm_bfloat16 = &GEMM_BFLOAT16,
#endif
    .adam_atan2 = adam_atan2,
    .adamw = adamw,
    .sign_sgd = sign_sgd,
};
