namespace Distributed.Kernels.Threads;

/// <summary>
/// Samples of a pass that go through some layers in lanes, of a power of two of microbatches each, or shared by all threads.
/// </summary>
/// <param name="FirstRow">The first sample in the pass; a multiple of <paramref name="LaneRows"/> where there are lanes.</param>
/// <param name="EndRow">The sample after the last.</param>
/// <param name="Lanes">Threads that take a lane each, or one where all of them share every part.</param>
/// <param name="LaneRows">Samples of a lane; the last lane may have fewer.</param>
internal readonly record struct PassSegment(int FirstRow, int EndRow, int Lanes, int LaneRows)
{
    /// <summary>The samples of one lane.</summary>
    internal ThreadRows ThreadRows(int index)
    {
        var first = FirstRow + (index * LaneRows);
        return new ThreadRows(index, first, Math.Min(LaneRows, EndRow - first));
    }
}
