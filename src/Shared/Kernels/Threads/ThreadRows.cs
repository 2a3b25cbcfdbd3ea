namespace Distributed.Kernels.Threads;

/// <summary>
/// Whole microbatches of a pass that one thread takes through some layers by itself; no rows where all threads share the work.
/// </summary>
/// <param name="Index">Which of the lanes.</param>
/// <param name="FirstRow">Its first sample in the pass.</param>
/// <param name="Rows">Its samples.</param>
internal readonly record struct ThreadRows(int Index, int FirstRow, int Rows);
