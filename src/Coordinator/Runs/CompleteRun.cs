using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>A run that has ended, with everything needed to repeat it.</summary>
/// <param name="Prepared">Its configuration, data and model.</param>
/// <param name="Summary">How it went.</param>
/// <param name="WeightsSha256">The hash of the weights in its model file.</param>
internal sealed record CompleteRun(RunPreparation Prepared, RunSummary Summary, string WeightsSha256)
{
    /// <summary>Loads a run.</summary>
    /// <param name="path">The run folder.</param>
    /// <param name="initWeights">Where the initial weights lie; null for where they were found last.</param>
    /// <param name="data">Says where the data lies, from where it was found last.</param>
    /// <exception cref="InputException">There is none, it is not complete, or its files or its data have changed.</exception>
    internal static CompleteRun Load(string path, Func<DataOptions, DataOptions> data, string? initWeights)
    {
        var configuration = RunFolder.ReadConfiguration(path);
        var summary = RunFolder.ReadSummary(path)
            ?? throw new InputException(
                $"{path}: the run is not complete; go on with it first: train --resume --run {Commands.Invocation.Argument(path)}"
            );
        var options = RunFolder.ReadOptions(path);
        var prepared = RunPreparation.Load(
            options with
            {
                Data = data(options.Data),
                InitWeights = initWeights ?? options.InitWeights,
            },
            configuration
        );
        var differences = ResumeRule.Errors(configuration, prepared.Configuration);
        if (differences.Count > 0)
            throw new InputException(string.Join('\n', differences.Select(difference => $"{path}: {difference}")));
        var hash = WeightsHash.Compute(InitialWeights.Load(RunFolder.ModelPathOf(path), prepared.Network.Layout));
        return hash == summary.WeightsSha256
            ? new CompleteRun(prepared, summary, hash)
            : throw new InputException(
                $"{RunFolder.ModelPathOf(path)}: its weights hash to {hash}, the summary says {summary.WeightsSha256}: "
                    + "one of the files was changed"
            );
    }
}
