using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>What a run trains on, loaded and checked as a whole before anything is written or any worker is started.</summary>
/// <param name="Configuration">What decides the result.</param>
/// <param name="Dataset">The data.</param>
/// <param name="Network">The model, resolved against the data.</param>
/// <param name="InitialWeights">The weights of <c>--init-weights</c>; null if they are drawn from the seed.</param>
internal sealed record RunPreparation(RunConfiguration Configuration, Dataset Dataset, Network Network, float[]? InitialWeights)
{
    /// <summary>Where everything was found; the configuration has the places at which the run began.</summary>
    public required Places Places { get; init; }

    /// <summary>Loads everything that options name.</summary>
    /// <param name="options">Options without errors.</param>
    /// <param name="begun">
    /// The configuration of the run that is resumed, whose initial weights may be gone by now; null for a new run.
    /// </param>
    /// <exception cref="InputException">Data, model or weights are not right.</exception>
    public static RunPreparation Load(TrainingOptions options, RunConfiguration? begun = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (begun is null) // what a run says of columns is of no consequence for data that has been packed since
            DatasetLoader.RequireUndecided(options.Data);
        var model = ParseModel(options.Model); // before data that may have to be downloaded
        return Of(options, model, DatasetLoader.Load(options.Data), begun);
    }

    /// <summary>Prepares training on a loaded dataset.</summary>
    /// <param name="options">Options without errors; their data is not read.</param>
    /// <param name="dataset">The data.</param>
    /// <param name="begun">The configuration of the run that is resumed; null for a new run.</param>
    /// <exception cref="InputException">Model or weights are not right, or do not go with the data.</exception>
    internal static RunPreparation Of(TrainingOptions options, Dataset dataset, RunConfiguration? begun = null) =>
        Of(options, ParseModel(options.Model), dataset, begun);

    private static RunPreparation Of(TrainingOptions options, ModelSpec model, Dataset dataset, RunConfiguration? begun)
    {
        model = model.Fitted(dataset.Inputs, new TrainingColumns(dataset.Train));
        var network = new Network(model, dataset.Inputs, Objective.Create(options.ObjectiveOf(dataset)).OutputWidth);
        var unneeded = options.InitWeights is null || (begun?.InitWeightsSha256 is not null && !File.Exists(options.InitWeights));
        var weights = unneeded ? null : Checkpoints.InitialWeights.Load(options.InitWeights!, network.Layout);
        var weightsHash = weights is null ? begun?.InitWeightsSha256 : WeightsHash.Compute(weights);
        var configuration = RunConfiguration.Resolve(options, dataset, model.ToJson(), weightsHash);
        var places = Places.Of(configuration.Options);
        if (begun is not null)
            configuration = configuration with { Options = Places.Of(begun.Options).In(configuration.Options) };
        return new RunPreparation(configuration, dataset, network, weights) { Places = places };
    }

    /// <summary>The model of a preset's name, a file, or JSON out of a configuration.</summary>
    /// <exception cref="InputException">It is none of them.</exception>
    public static ModelSpec ParseModel(string option) =>
        option.StartsWith('{') ? ModelSpec.FromJson(option, "the run's model") : ModelSpec.Parse(option);

    /// <summary>What a step computes from.</summary>
    public TrainingSettings Settings => TrainingSettings.Of(Configuration, Network, Configuration.CreateObjective(Dataset));

    /// <summary>The state before the first step.</summary>
    /// <exception cref="InputException">The file of the initial weights is gone.</exception>
    public Checkpoint InitialState() =>
        Configuration.Options.InitWeights is not null && InitialWeights is null
            ? throw new InputException($"{Configuration.Options.InitWeights}: is gone, and the run has no checkpoint to go on from")
            : Distributed.Training.InitialState.Of(Configuration, Network, InitialWeights);

    /// <summary>The model with trained weights.</summary>
    /// <param name="weights">The flat vector of parameters; copied.</param>
    public TrainedModel Trained(ReadOnlyMemory<float> weights) => new("the model", Network, weights.ToArray(), Describe());

    /// <summary>
    /// What takes all outputs of a part at once, and is therefore measured once, of the final model: the <c>auc</c> of two classes.
    /// </summary>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="part">The part.</param>
    public IReadOnlyList<Metric> FinalMetrics(ReadOnlyMemory<float> weights, DataPart part = DataPart.Test)
    {
        if (Dataset.ClassNames.Count != 2)
            return [];
        var scores = new ClassScores(Network.OutputWidth);
        scores.Add(Trained(weights), Dataset.Part(part));
        return [new Metric("auc", scores.Auc!.Value)];
    }

    /// <summary>What the trained model's file says about itself.</summary>
    public ModelDescription Describe() => Describe(Configuration, Dataset);

    /// <summary>What a file with a run's weights says about itself.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="dataset">Its data.</param>
    public static ModelDescription Describe(RunConfiguration configuration, Dataset dataset) =>
        new(configuration.Options.Model, dataset.Shape, dataset.Preprocessing.ToJson(), dataset.ClassNames)
        {
            Columns = dataset.Columns,
            DatasetSha256 = configuration.DatasetSha256,
            // Weights count in training alone.
            Objective = dataset.Targets is null ? null : (configuration.Options.ObjectiveOf(dataset) with { HasWeights = false }).ToJson(),
        };
}
