using Distributed.Data.Formats;

namespace Distributed.Data;

/// <summary>
/// Samples with their labels, to measure a model by: in the order and scaling of its inputs, their targets its classes. Each part is read
/// when it is asked for.
/// </summary>
internal sealed class LabelledData
{
    private readonly Lazy<SampleSet> _train;
    private readonly Lazy<SampleSet?> _holdout;
    private readonly Lazy<SampleSet> _test;

    private LabelledData(string name, Func<SampleSet> train, Func<SampleSet?> holdout, Func<SampleSet> test)
    {
        Name = name;
        _train = new Lazy<SampleSet>(train);
        _holdout = new Lazy<SampleSet?>(holdout);
        _test = new Lazy<SampleSet>(test);
    }

    /// <summary>The data's name.</summary>
    public string Name { get; }

    /// <summary>What a training would train on; it may be empty.</summary>
    /// <exception cref="InputException">It is bad, or not what the model takes.</exception>
    public SampleSet Train => _train.Value;

    /// <summary>What judges a training while it goes on; null for nothing.</summary>
    /// <exception cref="InputException">It is bad, or not what the model takes.</exception>
    public SampleSet? Holdout => _holdout.Value;

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
            return new LabelledData(dataset.Name, () => dataset.Train, () => dataset.Holdout, () => dataset.Test);
        }

        if (dataset.Targets is not null)
            throw FileErrors.In(dataset.Name, $"its samples have numbers, but {inputs.Model} predicts classes");
        return new LabelledData(
            dataset.Name,
            () => InModelClasses(dataset.Train),
            () => dataset.Holdout is { } holdout ? InModelClasses(holdout) : null,
            () => InModelClasses(dataset.Test)
        );

        SampleSet InModelClasses(SampleSet samples) =>
            samples.WithTargets(ModelClasses.Of(samples.FirstTargets(), dataset.ClassNames, classNames, dataset.Name, inputs.Model));
    }

    /// <summary>Data in files.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="files">The training set, or both sets.</param>
    /// <param name="test">The test set, perhaps of another format; null to hold back every fifth sample.</param>
    /// <param name="holdout">What is held out, where that is a set of its own; else null.</param>
    /// <param name="split">What is held back of the training set.</param>
    /// <param name="read">Reads the samples of files.</param>
    public static LabelledData Of(
        string name,
        Func<DataFiles> files,
        DataFiles? test,
        Func<DataFiles?> holdout,
        RowSplit split,
        Func<DataFiles, SampleSet> read
    )
    {
        var all = new Lazy<SampleSet>(() => read(files()));
        return new LabelledData(
            name,
            () => Part(DataPart.Train),
            () =>
                holdout() is { } held ? read(held)
                : split.Fraction > 0 ? Part(DataPart.Holdout)
                : null,
            () => test is null ? Part(DataPart.Test) : read(test)
        );

        SampleSet Part(DataPart part)
        {
            if (split.HoldsTest && all.Value.Count < TestSplit.Period)
                return part == DataPart.Test ? all.Value : all.Value.Select([]);
            return split == new RowSplit(HoldsTest: false) ? all.Value : all.Value.Select(split.Rows(part, all.Value.Count));
        }
    }

    private static void RequireTargets(Dataset dataset, NumericTargets targets, string model)
    {
        if (dataset.Targets is not { } own)
            throw FileErrors.In(dataset.Name, $"its samples have classes, but {model} predicts numbers");
        if (!own.Means.SequenceEqual(targets.Means) || !own.Deviations.SequenceEqual(targets.Deviations))
            throw FileErrors.In(dataset.Name, $"its targets were standardised over other rows than those that {model} was trained on");
    }
}
