namespace Distributed.Benchmarks.Simulation;

/// <summary>What happens to a worker at a moment.</summary>
internal enum Happening
{
    /// <summary>The first bit of its next frame reaches another worker.</summary>
    Arrival,

    /// <summary>The last bit of a frame has reached it.</summary>
    Reception,

    /// <summary>Its compute thread is through with something.</summary>
    Completion,

    /// <summary>Its compute thread has something to do, if it waits.</summary>
    Wake,
}

/// <summary>What is going to happen, in the order of time; at one moment in an order that is the same in every run.</summary>
internal sealed class Agenda
{
    private const int Happenings = 4;

    private readonly PriorityQueue<int, double> _queue = new();

    public void Add(int worker, Happening happening, double time) => _queue.Enqueue((worker * Happenings) + (int)happening, time);

    public bool TryNext(out int worker, out Happening happening, out double time)
    {
        var any = _queue.TryDequeue(out var entry, out time);
        (worker, happening) = (entry / Happenings, (Happening)(entry % Happenings));
        return any;
    }
}
