namespace Distributed.Benchmarks.Simulation;

/// <summary>A worker's receiving side: frames take the line in the order in which their first bits arrive, and then a processor.</summary>
internal sealed class Incoming(Costs costs, Processor processor)
{
    private readonly Queue<Flight> _queue = new();
    private double _lineFree;

    /// <summary>When the last bit of the first frame in the queue is there; infinite if there is none.</summary>
    public double NextReception =>
        _queue.TryPeek(out var flight) ? Math.Max(_lineFree, flight.FirstBit) + (flight.Bytes * costs.LineByte) : double.PositiveInfinity;

    /// <summary>Takes a frame's first bit.</summary>
    /// <returns>Whether <see cref="NextReception"/> is new.</returns>
    public bool Arrive(Flight flight)
    {
        _queue.Enqueue(flight);
        return _queue.Count == 1;
    }

    /// <summary>Takes the last bit of the first frame in the queue.</summary>
    /// <param name="now">The moment.</param>
    /// <returns>The frame, and when a processor is through with it.</returns>
    public (Flight Flight, double Available) Receive(double now)
    {
        var flight = _queue.Dequeue();
        _lineFree = now;
        return (flight, processor.Do(now, costs.End(flight.Bytes)));
    }
}
