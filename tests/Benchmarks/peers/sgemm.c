/*
 * The peer of the sgemm benchmark: OpenBLAS, and the core's peak rate of fused multiply-adds.
 * Build: gcc -O3 -march=native sgemm.c -lopenblas; run with OPENBLAS_NUM_THREADS=1.
 * Each line on standard input is a request, each line on standard output its answer in seconds:
 *   product M N K      C[M,N] = A[M,K] . B[K,N]
 *   transposed M N K   C[M,N] = A[K,M]^T . B[K,N]
 *   peak               one thousand million floating point operations in registers
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE_SECONDS 0.05 /* length of one measurement */

#if defined(__AVX512F__)
typedef float vector __attribute__((vector_size(64)));
#elif defined(__AVX2__)
typedef float vector __attribute__((vector_size(32)));
#else
typedef float vector __attribute__((vector_size(16)));
#endif
#define LANES ((long)(sizeof(vector) / sizeof(float)))
#define CHAINS 12

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static float *random_matrix(long length) {
    float *values = aligned_alloc(64, (length * sizeof(float) + 63) / 64 * 64);
    for (long i = 0; i < length; i++) values[i] = (float)drand48() - 0.5f;
    return values;
}

/* Seconds of one product: the mean over as many as fill a slice, after one to warm up. */
static double product_seconds(int transposed, int m, int n, int k) {
    float *a = random_matrix((long)m * k), *b = random_matrix((long)k * n), *c = random_matrix((long)m * n);
    double start = 0;
    int count = -1;
    do {
        if (count++ < 0) start = now();
        cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, m, n, k, 1, a, transposed ? m : k, b, n, 0, c, n);
        if (count == 0) start = now();
    } while (count < 1 || now() - start < SLICE_SECONDS);
    double seconds = (now() - start) / count;
    free(a), free(b), free(c);
    return seconds;
}

static double peak_seconds(void) {
    vector chains[CHAINS], factor, addend;
    for (int i = 0; i < LANES; i++) factor[i] = 0.999f, addend[i] = 0.001f;
    for (int i = 0; i < CHAINS; i++) chains[i] = addend * (float)i;
    long rounds = 1000000000L / (CHAINS * LANES * 2);
    double start = now();
    for (long round = 0; round < rounds; round++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) chains[i] = chains[i] * factor + addend; /* contracted to one instruction */
    }
    double seconds = now() - start;
    volatile float sink = 0;
    for (int i = 0; i < CHAINS; i++) sink += chains[i][0];
    return seconds;
}

int main(void) {
    char line[128], kind[32];
    int m, n, k;
    while (fgets(line, sizeof line, stdin)) {
        int fields = sscanf(line, "%31s %d %d %d", kind, &m, &n, &k);
        printf("%.9f\n", fields == 4 ? product_seconds(!strcmp(kind, "transposed"), m, n, k) : peak_seconds());
        fflush(stdout);
    }
}
