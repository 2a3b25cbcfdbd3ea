namespace Distributed.Kernels.Threads;

/// <summary>
/// Whole microbatches of a pass that one thread takes through the blocked layers alone; no rows where all threads share the work.
/// </summary>
/// <param name="Thread">Which of the segment's threads.</param>
/// <param name="FirstRow">Its first sample in the pass.</param>
/// <param name="Rows">Its samples.</param>
internal readonly record struct ThreadRows(int Thread, int FirstRow, int Rows);
