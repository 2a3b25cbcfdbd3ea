using Distributed.Data;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Sessions;

/// <summary>What a worker knows of the run that it has joined.</summary>
/// <param name="Worker">The number that the coordinator gave it.</param>
/// <param name="Run">The run's identity.</param>
/// <param name="Settings">What a step computes from.</param>
/// <param name="Microbatches">Microbatches of a whole batch.</param>
/// <param name="Exchange">Who owns the reduction.</param>
/// <param name="Transport">How gradients travel between workers.</param>
/// <param name="Decoder">Turns stored samples into numbers.</param>
/// <param name="Dataset">The run's dataset, if this worker holds it.</param>
/// <param name="Ahead">Reads samples of the dataset before their steps; or null.</param>
/// <param name="KeepsLedger">Whether the coordinator wants to know which samples were decoded.</param>
/// <param name="KeepsTrace">Whether it wants to know what is done in every step.</param>
internal sealed record RunContext(
    int Worker,
    ulong Run,
    TrainingSettings Settings,
    int Microbatches,
    ExchangeMode Exchange,
    TransportMode Transport,
    SampleDecoder Decoder,
    Dataset? Dataset,
    SamplesAhead? Ahead,
    bool KeepsLedger,
    bool KeepsTrace
)
{
    /// <summary>Reads the coordinator's welcome.</summary>
    /// <param name="message">The message that carries it.</param>
    /// <param name="data">The worker's own data options; null if it has no data.</param>
    /// <exception cref="InputException">The run is one that this version cannot take part in.</exception>
    public static RunContext Of(CoordinatorMessage message, DataOptions? data)
    {
        const string source = "the coordinator's settings";
        var settings = message.Welcome.Settings;
        var columns = ColumnsOf(settings);
        var configuration = RunConfigurationJson.Read(settings.ConfigurationJson, source);
        var network = new Network(ModelSpec.FromJson(configuration.Options.Model, source), columns, settings.Outputs);
        var decoder = new SampleDecoder(Preprocessing.FromJson(settings.PreprocessingJson, source), columns.Shape);
        var own = data is null ? null : data with { Holdout = data.Holdout ?? configuration.Options.Data.Holdout };
        var dataset = own is null ? null : LocalDataset.Find(own, settings.Dataset, configuration.DatasetSha256);
        return new RunContext(
            message.Welcome.Worker,
            message.Run,
            TrainingSettings.Of(configuration, network, Objective.Create(ObjectiveOf(settings, configuration))),
            (configuration.Options.BatchSize + configuration.Microbatch - 1) / configuration.Microbatch,
            settings.Exchange,
            settings.Transport,
            decoder,
            dataset,
            dataset is null ? null : SamplesAhead.Of(configuration.Batches(dataset.Train.Count), dataset.Train),
            settings.Ledger,
            settings.Trace
        );
    }

    private static ObjectiveSpec ObjectiveOf(RunSettings settings, RunConfiguration configuration) =>
        settings.ObjectiveJson.Length > 0
            ? ObjectiveSpec.FromJson(settings.ObjectiveJson, "the coordinator's settings")
            : new ClassificationSpec(settings.Outputs, configuration.Options.LabelSmoothing);

    /// <summary>What a sample is made of.</summary>
    internal static InputColumns ColumnsOf(RunSettings settings) =>
        new(
            new SampleShape(settings.Shape.Channels, settings.Shape.Height, settings.Shape.Width),
            [.. settings.Shape.Categories.Select(category => new CategoryColumn(category.Name, category.Size))]
        );
}
