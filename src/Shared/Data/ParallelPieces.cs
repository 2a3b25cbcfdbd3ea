using System.Runtime.ExceptionServices;

namespace Distributed.Data;

/// <summary>Work on data in pieces that do not depend on each other, by as many threads as there are processors.</summary>
internal static class ParallelPieces
{
    /// <summary>
    /// Does all pieces. Where some are refused, those before the first of them are done nevertheless, so that it is always the same one that
    /// is told.
    /// </summary>
    /// <param name="count">How many there are.</param>
    /// <param name="piece">Does one.</param>
    /// <exception cref="InputException">A piece was refused.</exception>
    public static void Run(int count, Action<int> piece)
    {
        var refusals = new InputException?[count];
        try
        {
            _ = Parallel.For(0, count, (index, loop) =>
            {
                try
                {
                    piece(index);
                }
                catch (InputException refusal)
                {
                    refusals[index] = refusal;
                    loop.Break();
                }
            });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        if (Array.Find(refusals, refusal => refusal is not null) is { } first)
            throw first;
    }
}
