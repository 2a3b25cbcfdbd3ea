using Distributed.Data.Formats;

namespace Distributed.Data;

/// <summary>
/// Samples with their labels, to measure a model by: in the order and scaling of its inputs, their targets its classes. Each part is read
/// when it is asked for.
/// </summary>
internal sealed class LabelledData
{
    private readonly Lazy<SampleSet> _train;
    private readonly Lazy<SampleSet> _test;

    private LabelledData(string name, Func<SampleSet> train, Func<SampleSet> test)
    {
        Name = name;
        _train = new Lazy<SampleSet>(train);
        _test = new Lazy<SampleSet>(test);
    }

    /// <summary>The data's name.</summary>
    public string Name { get; }

    /// <summary>What a training would train on; it may be empty.</summary>
    /// <exception cref="InputException">It is bad, or not what the model takes.</exception>
    public SampleSet Train => _train.Value;

    /// <summary>What a training would hold back, or all of what is too little to be split.</summary>
    /// <exception cref="InputException">It is bad, or not what the model takes.</exception>
    public SampleSet Test => _test.Value;

    /// <summary>Data that is in memory.</summary>
    /// <exception cref="InputException">The model does not take it.</exception>
    public static LabelledData Of(Dataset dataset, ModelInputs inputs, IReadOnlyList<string> classNames)
    {
        DatasetSamples.RequireFit(dataset, inputs);
        if (inputs.Targets is not null)
        {
            RequireTargets(dataset, inputs.Targets, inputs.Model);
            return new LabelledData(dataset.Name, () => dataset.Train, () => dataset.Test);
        }

        if (dataset.Targets is not null)
            throw FileErrors.In(dataset.Name, $"its samples have numbers, but {inputs.Model} predicts classes");
        return new LabelledData(dataset.Name, () => InModelClasses(dataset.Train), () => InModelClasses(dataset.Test));

        SampleSet InModelClasses(SampleSet samples) =>
            samples.WithTargets(ModelClasses.Of(samples.FirstTargets(), dataset.ClassNames, classNames, dataset.Name, inputs.Model));
    }

    /// <summary>Data in files.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="files">The training set, or both sets.</param>
    /// <param name="test">The test set, perhaps of another format; null to hold back every fifth sample.</param>
    /// <param name="read">Reads the samples of files.</param>
    public static LabelledData Of(string name, Func<DataFiles> files, DataFiles? test, Func<DataFiles, SampleSet> read)
    {
        var all = new Lazy<SampleSet>(() => read(files()));
        return test is null
            ? new LabelledData(name, () => Split(all.Value).Train, () => Split(all.Value).Test)
            : new LabelledData(name, () => all.Value, () => read(test));
    }

    private static void RequireTargets(Dataset dataset, NumericTargets targets, string model)
    {
        if (dataset.Targets is not { } own)
            throw FileErrors.In(dataset.Name, $"its samples have classes, but {model} predicts numbers");
        if (!own.Means.SequenceEqual(targets.Means) || !own.Deviations.SequenceEqual(targets.Deviations))
            throw FileErrors.In(dataset.Name, $"its targets were standardised over other rows than those that {model} was trained on");
    }

    private static (SampleSet Train, SampleSet Test) Split(SampleSet all) =>
        all.Count < TestSplit.Period ? (all.Select([]), all) : TestSplit.EveryFifth(all, "");
}
