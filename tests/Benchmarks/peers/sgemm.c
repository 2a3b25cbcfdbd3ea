/*
 * The peer of the sgemm benchmark: OpenBLAS. Build: gcc -O3 sgemm.c -lopenblas; run with OPENBLAS_NUM_THREADS=1.
 * Each line on standard input is a request, each line on standard output its answer in seconds:
 *   forward M N K   C[M,N] = A[M,K] . B[N,K]^T
 *   input M N K     C[M,N] = A[M,K] . B[K,N]
 *   weight M N K    C[M,N] = A[K,M]^T . B[K,N]
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLICE_SECONDS 0.02 /* length of one measurement */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static float *matrix(long length) {
    float *values = aligned_alloc(64, (length * sizeof(float) + 63) / 64 * 64);
    for (long i = 0; i < length; i++) values[i] = (float)(i * 7919 % 1009) / 1009 - 0.5f;
    return values;
}

/* Seconds of one product: the mean over as many as fill a slice, after one to warm up. */
static double product_seconds(char form, int m, int n, int k) {
    CBLAS_TRANSPOSE left = form == 'w' ? CblasTrans : CblasNoTrans, right = form == 'f' ? CblasTrans : CblasNoTrans;
    float *a = matrix((long)m * k), *b = matrix((long)k * n), *c = matrix((long)m * n);
    double start = 0;
    int count = -1; /* the one to warm up does not count */
    do {
        cblas_sgemm(CblasRowMajor, left, right, m, n, k, 1, a, form == 'w' ? m : k, b, form == 'f' ? k : n, 0, c, n);
        if (count++ < 0) start = now();
    } while (count < 1 || now() - start < SLICE_SECONDS);
    double seconds = (now() - start) / count;
    free(a), free(b), free(c);
    return seconds;
}

int main(void) {
    char line[128], form[32];
    int m, n, k;
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%31s %d %d %d", form, &m, &n, &k) == 4) {
        printf("%.9f\n", product_seconds(form[0], m, n, k));
        fflush(stdout);
    }
}
