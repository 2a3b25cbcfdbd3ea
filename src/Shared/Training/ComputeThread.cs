using System.Collections.Concurrent;

namespace Distributed.Training;

/// <summary>
/// The one thread that computes, and the one place where it meets the asynchronous rest: work is posted and awaited, so that
/// no pool thread is ever held by a kernel or by waiting for gradients.
/// </summary>
internal sealed class ComputeThread : IDisposable
{
    private readonly BlockingCollection<(Action Work, TaskCompletionSource Done)> _queue = new(boundedCapacity: 16);
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    public ComputeThread()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "compute 0" };
        _thread.Start();
    }

    /// <summary>Runs work on the thread; its exception comes out here.</summary>
    /// <param name="work">The work.</param>
    public Task RunAsync(Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Add((work, done));
        return done.Task;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _queue.CompleteAdding();
        _thread.Join();
        _queue.Dispose();
    }

    private void Run()
    {
        foreach (var (work, done) in _queue.GetConsumingEnumerable())
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }
    }
}
