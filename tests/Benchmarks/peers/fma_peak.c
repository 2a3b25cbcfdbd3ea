/*
 * The rate of fused multiply-adds in registers that one core reaches: the bound of every kernel that is made of them.
 * Each line on standard input is answered by the seconds of one thousand million multiply-adds.
 */
#include <stdio.h>
#include <time.h>

#if defined(__AVX512F__)
typedef float vector __attribute__((vector_size(64)));
#elif defined(__AVX2__)
typedef float vector __attribute__((vector_size(32)));
#else
typedef float vector __attribute__((vector_size(16)));
#endif
#define LANES ((long)(sizeof(vector) / sizeof(float)))
#define CHAINS 12 /* two units with a latency of four or five cycles need ten */
#define MULTIPLY_ADDS 1000000000L

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static double peak_seconds(void) {
    vector chains[CHAINS], factor, addend;
    for (int i = 0; i < LANES; i++) factor[i] = 0.999f, addend[i] = 0.001f;
    for (int i = 0; i < CHAINS; i++) chains[i] = addend * (float)i;
    double start = now();
    for (long round = 0; round < MULTIPLY_ADDS / (CHAINS * LANES); round++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) chains[i] = chains[i] * factor + addend; /* contracted to one instruction */
    }
    double seconds = now() - start;
    volatile float sink = 0;
    for (int i = 0; i < CHAINS; i++) sink += chains[i][0];
    return seconds;
}

int main(void) {
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        printf("%.9f\n", peak_seconds());
        fflush(stdout);
    }
}
