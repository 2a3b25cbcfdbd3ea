namespace Distributed.Worker.Computing;

/// <summary>Which processors the compute threads of one of several workers on a machine keep to.</summary>
internal static class ProcessorShare
{
    /// <summary>
    /// A run of neighbours, which share caches and memory, for this worker alone; together the workers have all processors. Empty, which
    /// leaves placement to the system, if there are fewer processors than threads, or only one worker.
    /// </summary>
    /// <param name="allowed">The processors that all the workers may use.</param>
    /// <param name="number">The worker, from 1.</param>
    /// <param name="workers">How many workers there are; 0 if that is not known.</param>
    /// <param name="threads">Threads of each.</param>
    public static IReadOnlyList<int> Of(IReadOnlyList<int> allowed, int number, int workers, int threads)
    {
        if (workers < 2 || (long)workers * threads > allowed.Count)
            return [];
        var start = (int)((long)allowed.Count * (number - 1) / workers);
        var end = (int)((long)allowed.Count * number / workers);
        return [.. allowed.Skip(start).Take(end - start)];
    }
}
