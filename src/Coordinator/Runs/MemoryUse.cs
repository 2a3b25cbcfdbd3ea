using System.Globalization;
using Distributed.Data;
using Distributed.Model;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>What takes the memory of a coordinator, for the message when there is too little of it.</summary>
/// <param name="DataBytes">The stored samples of all sets.</param>
/// <param name="ModelBytes">Weights, moments and what a step writes beside them.</param>
internal sealed record MemoryUse(long DataBytes, long ModelBytes)
{
    private const int MegaByte = 1_000_000;

    /// <summary>What is said when the data does not even fit.</summary>
    public const string WhileReading = "out of memory while the data was read: make --data smaller, or give this process more memory";

    /// <summary>Estimates the memory of a run.</summary>
    /// <param name="dataset">Its data.</param>
    /// <param name="network">Its model.</param>
    /// <param name="options">Its options.</param>
    public static MemoryUse Of(Dataset dataset, Network network, TrainingOptions options)
    {
        var samples = (long)dataset.Train.Count + dataset.Test.Count + (dataset.Holdout?.Count ?? 0);
        var vectors = (2 * (1 + options.Optimizer.CreateOptimizer().MomentNames.Count)) + 1; // state, spare state, gradient
        return new MemoryUse(samples * dataset.Train.BytesPerSample, (long)network.Layout.Length * sizeof(float) * vectors);
    }

    /// <summary>One line that says what to make smaller: what takes most.</summary>
    public string Exhausted() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"out of memory: the data takes {DataBytes / MegaByte:N0} MB, the model with its optimizer {ModelBytes / MegaByte:N0} MB, batches and what the system needs the rest; make {Largest} smaller, or give this process more memory"
        );

    // What is small beside the memory of any machine cannot be what took it.
    private string Largest =>
        Math.Max(DataBytes, ModelBytes) < 256L * MegaByte ? "--batch-size or --microbatch"
        : DataBytes > ModelBytes ? "--data"
        : "--model";
}
