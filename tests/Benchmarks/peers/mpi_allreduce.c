// Sums a vector over the processes of an MPI job: from ordinary memory to ordinary memory, as MPI chooses.
// For each size in MiB among the arguments, the first process prints the median seconds of a call.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { WARM_UP = 10, STEPS = 50 };

static int ascending(const void *left, const void *right)
{
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static double median_seconds(int length)
{
    float *input = malloc(sizeof(float) * length), *sum = malloc(sizeof(float) * length);
    double seconds[STEPS];
    for (int i = 0; i < length; i++)
        input[i] = (float)(i % 1024);
    for (int step = -WARM_UP; step < STEPS; step++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        MPI_Allreduce(input, sum, length, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        if (step >= 0)
            seconds[step] = MPI_Wtime() - start;
    }
    free(input);
    free(sum);
    qsort(seconds, STEPS, sizeof(double), ascending);
    return seconds[STEPS / 2];
}

int main(int count, char **arguments)
{
    int rank;
    MPI_Init(&count, &arguments);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 1; i < count; i++) {
        double seconds = median_seconds((int)(atof(arguments[i]) * (1 << 20) / sizeof(float)));
        if (rank == 0)
            printf("%.9f\n", seconds);
    }
    return MPI_Finalize();
}
