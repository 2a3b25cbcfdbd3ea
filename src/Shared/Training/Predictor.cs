using System.Numerics;
using Distributed.Data;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>Makes of what a network puts out for a sample what a caller wants of it.</summary>
/// <param name="output">[output width].</param>
/// <param name="exponentials">[output width], scratch.</param>
/// <param name="result">[output width]; to be overwritten.</param>
internal delegate void ResultWriter<TResult>(ReadOnlySpan<float> output, Span<double> exponentials, Span<TResult> result);

/// <summary>
/// Predicts on the calling thread, for any number of threads at once. Memory is kept between calls, as much as was ever in use at once, so
/// that a warmed call allocates nothing.
/// </summary>
/// <param name="network">The layers.</param>
/// <param name="objective">What it was trained for.</param>
/// <param name="preprocessing">How raw values become inputs.</param>
/// <param name="weights">The flat vector of parameters.</param>
internal sealed class Predictor(Network network, Objective objective, Preprocessing preprocessing, ReadOnlyMemory<float> weights)
{
    /// <summary>
    /// Floats of the widest activation of a pass: 224 KiB, of which a residual block has several at a time, in a second-level cache of 1 MiB.
    /// In passes of 16 images and more, resnet8 took up to a fifth longer for each; mlp and cnn do not care.
    /// </summary>
    private const int PassLength = 56 * 1024;

    private readonly SampleDecoder _decoder = new(preprocessing, network.Input.Shape);
    private readonly PackedWeights _packed = new();
    private readonly int _mostRows = Math.Min(
        NetworkExecutor.RowsInOnePass(network, microbatch: 1),
        1 << BitOperations.Log2((uint)Math.Max(1, PassLength / Math.Max(1, network.WidestInPass)))
    );

    // By the binary logarithm of their rows: a single sample wants little, and what a whole batch needs stays with batches.
    private readonly Stack<PassMemory>[] _free = [.. Enumerable.Range(0, sizeof(int) * 8).Select(_ => new Stack<PassMemory>())];

    /// <summary>Predicts samples whose values are in the units of the data.</summary>
    /// <param name="samples">[n, input length].</param>
    /// <param name="results">[n, output width]; overwritten.</param>
    /// <param name="write">Writes the result of a sample.</param>
    public void Predict<TResult>(ReadOnlySpan<float> samples, Span<TResult> results, ResultWriter<TResult> write)
    {
        var count = samples.Length / network.InputLength;
        var memory = Rent(count);
        for (var first = 0; first < count; first += memory.MostRows)
        {
            var inputs = memory.Inputs(Math.Min(memory.MostRows, count - first));
            preprocessing.Apply(samples.Slice(first * network.InputLength, inputs.Length), network.InputLength, inputs);
            Run(memory, first, inputs.Length / network.InputLength, results, write);
        }

        Return(memory);
    }

    /// <summary>Predicts samples as they are stored, where these are bytes.</summary>
    /// <inheritdoc cref="Predict{TResult}(ReadOnlySpan{float}, Span{TResult}, ResultWriter{TResult})"/>
    public void Predict<TResult>(ReadOnlySpan<byte> samples, Span<TResult> results, ResultWriter<TResult> write)
    {
        var count = samples.Length / network.InputLength;
        var memory = Rent(count);
        for (var first = 0; first < count; first += memory.MostRows)
        {
            var inputs = memory.Inputs(Math.Min(memory.MostRows, count - first));
            _decoder.Decode(samples.Slice(first * network.InputLength, inputs.Length), inputs);
            Run(memory, first, inputs.Length / network.InputLength, results, write);
        }

        Return(memory);
    }

    /// <summary>
    /// The outputs of samples, a pass at a time: on all processors where there are enough of them, else with memory that is kept.
    /// </summary>
    /// <param name="count">Number of samples.</param>
    /// <param name="write">Writes the inputs of a pass.</param>
    /// <returns>[rows, output width] of each pass, in order; overwritten by the next.</returns>
    public IEnumerable<ReadOnlyMemory<float>> Outputs(int count, InputWriter write)
    {
        if (ModelPass.IsWorthThreads(count, weights.Length))
        {
            foreach (var outputs in ModelPass.Outputs(network, objective, weights, count, write))
                yield return outputs;
            yield break;
        }

        var memory = Rent(count);
        foreach (var outputs in ModelPass.Outputs(memory, count, write))
            yield return outputs;
        Return(memory);
    }

    private static void Run<TResult>(PassMemory memory, int first, int rows, Span<TResult> results, ResultWriter<TResult> write)
    {
        var outputs = memory.Run(rows).Span;
        var width = outputs.Length / rows;
        results = results.Slice(first * width, outputs.Length);
        for (var start = 0; start < outputs.Length; start += width)
            write(outputs.Slice(start, width), memory.Exponentials, results.Slice(start, width));
    }

    // What a failure keeps from coming back is left to the collector.
    private PassMemory Rent(int count)
    {
        var rows = Math.Min(_mostRows, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, count)));
        var free = _free[BitOperations.Log2((uint)rows)];
        lock (free)
        {
            if (free.TryPop(out var memory))
                return memory;
        }

        return new PassMemory(network, objective, weights, rows, new ComputeTeam(1), _packed); // without threads that would have to be ended
    }

    private void Return(PassMemory memory)
    {
        var free = _free[BitOperations.Log2((uint)memory.MostRows)];
        lock (free)
            free.Push(memory);
    }
}
