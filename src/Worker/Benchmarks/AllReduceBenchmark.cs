using System.Diagnostics;
using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Model;
using Distributed.Protocol;

namespace Distributed.Worker.Benchmarks;

/// <summary>
/// Times the all-reduce of a vector that lies in ordinary memory and whose sum is to lie in ordinary memory, with one microbatch to each
/// worker: what training does, and in addition a copy in and a copy out, which it does not need. In place, it is what training does: the
/// vector lies in the exchange's memory, as a gradient does, and the sum is read where the exchange leaves it, as an update does.
/// </summary>
internal sealed class AllReduceBenchmark : IGradientConsumer
{
    /// <summary>
    /// Steps before those that count, at least; and elements to exchange in them, so that short steps run as optimized code, as in
    /// training, when they count.
    /// </summary>
    private const int WarmUpSteps = 10;

    private const long WarmUpElements = 256L * 1024 * 1024;

    private const int MostWarmUpSteps = 300;

    // The sums of so small whole numbers are exact.
    private const int Values = 1024;

    private readonly ExchangeView _view;
    private readonly int _rank;
    private readonly int _workers;
    private readonly bool _isInPlace;
    private readonly AlignedBuffer _input;
    private readonly AlignedBuffer _output;

    /// <summary>Prepares the vectors.</summary>
    /// <param name="view">The view, entered with the settings of <see cref="Settings"/>.</param>
    /// <param name="length">The vector's length in elements.</param>
    /// <param name="rank">This worker's rank.</param>
    /// <param name="workers">The number of workers.</param>
    /// <param name="inPlace">Whether vector and sum stay in the exchange's memory.</param>
    public AllReduceBenchmark(ExchangeView view, int length, int rank, int workers, bool inPlace)
    {
        (_view, _rank, _workers, _isInPlace) = (view, rank, workers, inPlace);
        _input = new AlignedBuffer(length);
        _output = new AlignedBuffer(length);
        for (var i = 0; i < length; i++)
            _input.Span[i] = (i + rank) % Values;
        if (inPlace)
            _input.Span.CopyTo(view.Memory.Node(0).Span);
    }

    /// <summary>The settings of a view that exchanges one vector.</summary>
    /// <param name="length">Its length in elements.</param>
    /// <param name="workers">The number of workers, each of which computes with one thread.</param>
    /// <param name="transport">How gradients are to travel.</param>
    /// <param name="usesLocalSockets">Whether raw streams inside a host are Unix domain sockets.</param>
    public static ExchangeSettings Settings(int length, int workers, TransportMode transport, bool usesLocalSockets = true)
    {
        var buckets = Buckets.Of(ParameterLayout.Of([("vector", (IReadOnlyList<int>)[length])]), workers);
        return new ExchangeSettings(
            new ReductionPlans(Shares.Equal(workers), buckets),
            length,
            Microbatches: workers,
            Threads: 1,
            transport,
            usesLocalSockets
        );
    }

    /// <summary>Takes the steps; all workers together.</summary>
    /// <param name="steps">How many count.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidDataException">A sum is not right.</exception>
    public AllReduceTimings Run(int steps, CancellationToken cancellationToken)
    {
        var (seconds, copySeconds) = (new List<double>(steps), new List<double>(steps));
        ReductionPlan? plan = null;
        var warmUp = (int)Math.Max(WarmUpSteps, Math.Min(WarmUpElements / _input.Length, MostWarmUpSteps));
        for (var step = 1; step <= warmUp + steps; step++)
        {
            var reducing = Time(() => plan = Step(step, cancellationToken));
            if (!_isInPlace)
                Check();
            var copying = Time(() => _input.Span.CopyTo(_output.Span));
            if (step <= warmUp)
                continue;
            seconds.Add(reducing);
            copySeconds.Add(copying);
        }

        return new AllReduceTimings(Transport, plan!.BytesSentBy(_rank), seconds, copySeconds);
    }

    /// <inheritdoc />
    public void Take(int offset, ReadOnlySpan<float> values)
    {
        if (!_isInPlace)
        {
            values.CopyTo(_output.Span[offset..]);
            return;
        }

        Check(offset, values[0]);
        Check(offset + values.Length - 1, values[^1]);
    }

    private string Transport =>
        _view.Ways switch
        {
            { Streams: 0, Calls: 0 } => "shm",
            { Memory: 0, Calls: 0 } => "tcp",
            { Memory: 0, Streams: 0 } => "grpc",
            _ => "mixed",
        };

    private ReductionPlan Step(long step, CancellationToken cancellationToken)
    {
        var plan = _view.Exchange.Begin(step, _workers, this, stop: cancellationToken);
        foreach (var bucket in plan.Buckets)
        {
            if (!_isInPlace)
                _input.Span[bucket.Start..bucket.End].CopyTo(_view.Memory.Node(0).Span[bucket.Start..]);
            _view.Exchange.CompletedFrom(bucket.Start);
        }

        _view.Exchange.PublishRecord();
        _view.Exchange.Complete();
        return plan;
    }

    private void Check()
    {
        for (var i = 0; i < _output.Length; i += (_output.Length / Values) + 1)
            Check(i, _output.Span[i]);
    }

    private void Check(int element, float value)
    {
        var sum = 0;
        for (var rank = 0; rank < _workers; rank++)
            sum += (element + rank) % Values;
        if (value != sum)
            throw new InvalidDataException($"element {element} is {value} instead of {sum}");
    }

    private static double Time(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
