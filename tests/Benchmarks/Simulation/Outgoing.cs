using Distributed.Protocol;

namespace Distributed.Benchmarks.Simulation;

/// <summary>A frame on its way.</summary>
/// <param name="To">Who gets it.</param>
/// <param name="Round">The round of the exchange that it belongs to.</param>
/// <param name="Bucket">The bucket, or the first one if the frame is empty and stands for all.</param>
/// <param name="Elements">The values in it.</param>
/// <param name="FirstBit">When its first bit arrives.</param>
internal readonly record struct Flight(int To, int Round, int Bucket, int Elements, double FirstBit)
{
    public double Bytes => (double)Elements * sizeof(float);
}

/// <summary>A worker's sending side: vectors are cut into frames, each of which takes a processor first and then the line.</summary>
internal sealed class Outgoing(Costs costs, Processor processor)
{
    private readonly Queue<(Round Round, int Number, int Bucket, double Start)> _bursts = new();
    private int _vector;
    private int _sent; // elements of the vector
    private double _prepared; // when the processor is through with the burst's frames so far
    private double _lineFree;

    /// <summary>Whether nothing is on its way.</summary>
    public bool IsIdle => _bursts.Count == 0;

    /// <summary>The frame whose first bit arrives next.</summary>
    public Flight Next { get; private set; }

    /// <summary>The values that have been sent.</summary>
    public long Bytes { get; private set; }

    /// <summary>The frames that have been sent.</summary>
    public long Messages { get; private set; }

    /// <summary>Sends what a worker sends for a bucket in a round.</summary>
    /// <param name="now">The moment.</param>
    /// <param name="round">The round, seen by the worker.</param>
    /// <param name="number">The round's number.</param>
    /// <param name="bucket">The bucket.</param>
    /// <returns>Whether <see cref="Next"/> is new.</returns>
    public bool Send(double now, Round round, int number, int bucket)
    {
        var (frames, bytes) = Volume(round, bucket);
        if (frames == 0)
            return false;
        var seconds = (frames * costs.Message) + (bytes * costs.Byte);
        (Messages, Bytes) = (Messages + frames, Bytes + bytes);
        var wasIdle = IsIdle;
        _bursts.Enqueue((round, number, bucket, processor.Do(now, seconds) - seconds));
        if (wasIdle)
            Begin();
        return wasIdle;
    }

    /// <summary>Goes on to the frame after <see cref="Next"/>, if there is one.</summary>
    public bool MoveNext()
    {
        (var round, var number, var bucket, _) = _bursts.Peek();
        for (; _vector < round.Vectors(bucket); _vector++, _sent = 0)
        {
            var (to, elements) = round.Vector(bucket, _vector);
            if (_sent < elements || (round.SendsEmpty && _sent == 0))
            {
                Frame(to, number, bucket, Math.Min(WireLimits.FrameElements, elements - _sent));
                return true;
            }
        }

        _bursts.Dequeue();
        return !IsIdle && Begin();
    }

    private bool Begin()
    {
        (_vector, _sent, _prepared) = (0, 0, _bursts.Peek().Start);
        return MoveNext();
    }

    private void Frame(int to, int round, int bucket, int elements)
    {
        var bytes = (double)elements * sizeof(float);
        _prepared += costs.End(bytes);
        var departure = Math.Max(_prepared, _lineFree);
        _lineFree = departure + (bytes * costs.LineByte);
        _sent += Math.Max(1, elements); // an empty frame is sent once
        Next = new Flight(to, round, bucket, elements, departure + costs.Latency);
    }

    private static (long Frames, long Bytes) Volume(Round round, int bucket)
    {
        (long frames, long bytes) = (0, 0);
        for (var i = 0; i < round.Vectors(bucket); i++)
        {
            var elements = round.Vector(bucket, i).Elements;
            frames += round.SendsEmpty ? 1 : (elements + WireLimits.FrameElements - 1) / WireLimits.FrameElements;
            bytes += (long)elements * sizeof(float);
        }

        return (frames, bytes);
    }
}
