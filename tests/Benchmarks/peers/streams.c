/*
 * The memory streams of an optimizer's step without its arithmetic. Build: gcc -O3 -march=native streams.c
 * Each line on standard input is a request, KIND MOMENTS LENGTH, each line on standard output its answer in seconds: a gradient, weights and
 * moments of LENGTH floats are read, the next weights and moments written. LENGTH is the same in all requests. KIND is "ordinary" or "streaming": whether stores go through the cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512 vector;
#define STREAM(p, v) _mm512_stream_ps((float *)(p), v)
#elif defined(__AVX__)
#include <immintrin.h>
typedef __m256 vector;
#define STREAM(p, v) _mm256_stream_ps((float *)(p), v)
#else
typedef float vector __attribute__((vector_size(16)));
#define STREAM(p, v) (*(p) = (v)) /* no such stores without intrinsics */
#endif
#define SLICE_SECONDS 0.02 /* length of one measurement */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline __attribute__((always_inline)) void store(vector *p, vector v, int streaming) {
    if (streaming) STREAM(p, v);
    else *p = v;
}

static inline __attribute__((always_inline)) void run(vector *const *v, int moments, long length, int streaming) {
    vector *g = v[0], *w = v[1], *m = v[2], *s = v[3], *w2 = v[4], *m2 = v[5], *s2 = v[6];
    for (long i = 0; i < length; i++) {
        store(w2 + i, w[i], streaming);
        store(m2 + i, g[i] + m[i], streaming);
        if (moments == 2) store(s2 + i, s[i], streaming);
        __asm__("" ::: "memory"); /* no calls of memcpy in place of the loop */
    }
}

static void call(vector *const *v, int moments, long length, int streaming) {
    if (moments == 2 && streaming) run(v, 2, length, 1);
    else if (moments == 2) run(v, 2, length, 0);
    else if (streaming) run(v, 1, length, 1);
    else run(v, 1, length, 0);
}

int main(void) {
    char line[128], kind[32];
    int moments;
    long length;
    vector *v[7] = {0};
    while (fgets(line, sizeof line, stdin) && sscanf(line, "%31s %d %ld", kind, &moments, &length) == 3) {
        for (int i = 0; i < 7; i++) {
            if (v[i]) continue;
            v[i] = aligned_alloc(64, (length * sizeof(float) + 63) / 64 * 64);
            memset(v[i], 0, length * sizeof(float));
        }
        long count = length * (long)sizeof(float) / (long)sizeof(vector);
        call(v, moments, count, kind[0] == 's');
        double start = now();
        int calls = 0;
        for (; calls == 0 || now() - start < SLICE_SECONDS; calls++) call(v, moments, count, kind[0] == 's');
        printf("%.9f\n", (now() - start) / calls);
        fflush(stdout);
    }
}
