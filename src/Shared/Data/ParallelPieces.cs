using System.Runtime.ExceptionServices;

namespace Distributed.Data;

/// <summary>Work on data in pieces that do not depend on each other, by as many threads as there are processors.</summary>
internal static class ParallelPieces
{
    /// <summary>
    /// Does all pieces, which are begun in their order. Where some are refused, those before the first of them are done nevertheless, so that it
    /// is always the same one that is told.
    /// </summary>
    /// <param name="count">How many there are.</param>
    /// <param name="piece">Does one.</param>
    /// <exception cref="InputException">A piece was refused.</exception>
    public static void Run(int count, Action<int> piece)
    {
        var refusals = new InputException?[count];
        var begun = -1;
        var isOver = false;
        try
        {
            _ = Parallel.For(0, Math.Min(count, Environment.ProcessorCount), _ =>
            {
                while (!Volatile.Read(ref isOver) && Interlocked.Increment(ref begun) is var index && index < count)
                    Do(index);
            });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        if (Array.Find(refusals, refusal => refusal is not null) is { } first)
            throw first;

        void Do(int index)
        {
            var isDone = false;
            try
            {
                piece(index);
                isDone = true;
            }
            catch (InputException refusal)
            {
                refusals[index] = refusal;
            }
            finally
            {
                if (!isDone)
                    Volatile.Write(ref isOver, true);
            }
        }
    }

    /// <summary>Does all pieces as <see cref="Run"/> does, and takes their results in their order, each as soon as those before it are taken.</summary>
    /// <param name="items">What the pieces are done with.</param>
    /// <param name="piece">Does one.</param>
    /// <param name="take">Takes its result; never two at a time.</param>
    /// <exception cref="InputException">A piece was refused.</exception>
    public static void InOrder<T, TResult>(IReadOnlyList<T> items, Func<T, TResult> piece, Action<T, TResult> take)
    {
        Dictionary<int, TResult> waiting = []; // for one before it
        var next = 0;
        Run(items.Count, index =>
        {
            var result = piece(items[index]);
            lock (waiting)
            {
                waiting.Add(index, result);
                for (; waiting.Remove(next, out var first); next++)
                    take(items[next], first);
            }
        });
    }
}
