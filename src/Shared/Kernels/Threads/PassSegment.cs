namespace Distributed.Kernels.Threads;

/// <summary>
/// Consecutive samples of a pass that go through the blocked layers together: either split over the threads, each of which takes a
/// power of two of microbatches alone, or shared by all threads.
/// </summary>
/// <param name="FirstRow">The first sample in the pass; a multiple of <paramref name="RowsPerThread"/> where the samples are split.</param>
/// <param name="EndRow">The sample after the last.</param>
/// <param name="Threads">Threads that the samples are split over, or one where all of them share every sample.</param>
/// <param name="RowsPerThread">Samples of a thread; the last may have fewer.</param>
internal readonly record struct PassSegment(int FirstRow, int EndRow, int Threads, int RowsPerThread)
{
    /// <summary>The samples of one thread.</summary>
    internal ThreadRows RowsOf(int thread)
    {
        var first = FirstRow + (thread * RowsPerThread);
        return new ThreadRows(thread, first, Math.Min(RowsPerThread, EndRow - first));
    }
}
