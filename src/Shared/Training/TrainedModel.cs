using System.Data;
using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Data.Tables;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>A trained network with the way its inputs are made. Immutable, and safe for concurrent use.</summary>
public sealed class TrainedModel
{
    private readonly ModelDescription _description;
    private readonly float[] _weights;
    private readonly Predictor _predictor;
    private readonly ResultWriter<double> _writeNumbers;

    internal TrainedModel(string name, Network network, float[] weights, ModelDescription description)
    {
        Name = name;
        Network = network;
        Spec = SpecOf(description, name);
        Objective = Objective.Create(Spec);
        Preprocessing = Preprocessing.FromJson(description.Preprocessing, name);
        _weights = weights;
        _description = description;
        _predictor = new Predictor(network, Objective, Preprocessing, weights);
        _writeNumbers = (output, _, numbers) => Targets!.InOwnUnits(output, numbers);
    }

    /// <summary>Its file, or <c>the model</c> if it has none yet.</summary>
    public string Name { get; }

    /// <summary>The classes, in the order of <see cref="Prediction.Probabilities"/>; none if it predicts numbers.</summary>
    public IReadOnlyList<string> ClassNames => _description.ClassNames;

    /// <summary>The numbers that it predicts, in the order of <see cref="Prediction.Numbers"/>; null if it predicts classes.</summary>
    public NumericTargets? Targets => (Spec as RegressionSpec)?.Targets;

    /// <summary>The shape of a sample.</summary>
    public SampleShape InputShape => _description.Input;

    /// <summary>The SHA-256 of all parameters in layout order, little-endian.</summary>
    public string WeightsSha256 => WeightsHash.Compute(_weights);

    /// <summary>How raw values become inputs.</summary>
    internal Preprocessing Preprocessing { get; }

    /// <summary>The layers.</summary>
    internal Network Network { get; }

    /// <summary>What it was trained for.</summary>
    internal ObjectiveSpec Spec { get; }

    /// <summary>What it was trained for, without a set to judge it by.</summary>
    internal Objective Objective { get; }

    /// <summary>The flat vector of parameters.</summary>
    internal ReadOnlyMemory<float> Weights => _weights;

    /// <summary>What else is needed to use the weights.</summary>
    internal ModelDescription Description => _description;

    /// <summary>What data must look like to be predicted.</summary>
    internal ModelInputs Inputs => new(Name, InputShape, Preprocessing, _description.Columns) { Targets = Targets };

    /// <summary>Loads a model.</summary>
    /// <param name="path">A file that <see cref="Save"/> or <c>coordinator train</c> has written.</param>
    /// <exception cref="InputException">There is none, or it is not a model of this program.</exception>
    public static TrainedModel Load(string path) => Load(path, ModelFile.Describe(path));

    /// <summary>Loads weights that are described elsewhere, such as those of a checkpoint.</summary>
    /// <param name="path">A safetensors file with the weights.</param>
    /// <param name="description">What else is needed to use them.</param>
    internal static TrainedModel Load(string path, ModelDescription description)
    {
        var outputs = Objective.Create(SpecOf(description, path)).OutputWidth;
        var preprocessing = Preprocessing.FromJson(description.Preprocessing, path);
        var features = preprocessing.ColumnCount(description.Input.Length);
        if (description.Columns is { } names && names.Features.Count != features)
            throw new InputException($"{path}: metadata 'features' has {names.Features.Count} names for {features} features");
        var columns = preprocessing.Inputs(description.Input, description.Columns);
        var network = new Network(ModelSpec.FromJson(description.Model, path), columns, outputs);
        return new TrainedModel(path, network, InitialWeights.Load(path, network.Layout), description);
    }

    /// <summary>Writes the model as a safetensors file; what was at the path is replaced as a whole or not at all.</summary>
    /// <param name="path">The file; its folder exists.</param>
    public void Save(string path) => ModelFile.Save(path, Network.Layout, _weights, _description);

    /// <summary>Predicts one sample.</summary>
    /// <param name="sample">Its values, in the units of the data that the model was trained on.</param>
    /// <exception cref="ArgumentException">It has another number of values than the model takes.</exception>
    public Prediction Predict(params float[] sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        RequireLength(sample.Length, nameof(sample));
        var output = new float[Network.OutputWidth];
        _predictor.Predict<float>(sample, output, static (raw, _, result) => raw.CopyTo(result));
        return Objective.Predict(output, ClassNames);
    }

    /// <summary>
    /// Predicts the probabilities of the classes, of one sample or of several that lie one behind the other, on the calling thread. Once
    /// warm, it allocates nothing. The bits are those of <see cref="Predict"/>.
    /// </summary>
    /// <param name="samples">[n, values of a sample], in the units of the data that the model was trained on.</param>
    /// <param name="probabilities">[n, classes], in the order of <see cref="ClassNames"/>; overwritten.</param>
    /// <exception cref="InvalidOperationException">The model predicts numbers.</exception>
    /// <exception cref="ArgumentException">The lengths are not those of the same whole number of samples.</exception>
    public void PredictProbabilities(ReadOnlySpan<float> samples, Span<float> probabilities)
    {
        RequireClasses();
        RequireLengths(samples.Length, probabilities.Length, nameof(samples));
        _predictor.Predict(samples, probabilities, Classification.Softmax);
    }

    /// <summary>As <see cref="PredictProbabilities(ReadOnlySpan{float}, Span{float})"/>, of samples of bytes, such as images.</summary>
    /// <inheritdoc cref="PredictProbabilities(ReadOnlySpan{float}, Span{float})"/>
    public void PredictProbabilities(ReadOnlySpan<byte> samples, Span<float> probabilities)
    {
        RequireClasses();
        if (Preprocessing.ByteDivisor is null)
            throw new InvalidOperationException($"{Name} was not trained on bytes; give it floats");
        RequireLengths(samples.Length, probabilities.Length, nameof(samples));
        _predictor.Predict(samples, probabilities, Classification.Softmax);
    }

    /// <summary>As <see cref="PredictProbabilities(ReadOnlySpan{float}, Span{float})"/>, of a model that predicts numbers.</summary>
    /// <param name="samples">[n, values of a sample], in the units of the data that the model was trained on.</param>
    /// <param name="numbers">[n, targets], in their own units, in the order of <see cref="Targets"/>; overwritten.</param>
    /// <exception cref="InvalidOperationException">The model predicts classes.</exception>
    /// <exception cref="ArgumentException">The lengths are not those of the same whole number of samples.</exception>
    public void PredictNumbers(ReadOnlySpan<float> samples, Span<double> numbers)
    {
        if (Targets is null)
            throw new InvalidOperationException($"{Name} predicts classes; ask for their probabilities");
        RequireLengths(samples.Length, numbers.Length, nameof(samples));
        _predictor.Predict(samples, numbers, _writeNumbers);
    }

    /// <summary>Predicts samples: each as it would be predicted alone, in the same bits.</summary>
    /// <param name="samples">The values of each, in the units of the data that the model was trained on.</param>
    /// <exception cref="ArgumentException">One has another number of values than the model takes.</exception>
    public IReadOnlyList<Prediction> PredictAll(IReadOnlyList<float[]> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        foreach (var sample in samples)
            RequireLength(sample.Length, nameof(samples));

        return [.. Predictions(samples.Count, (first, inputs) =>
            {
                for (var start = 0; start < inputs.Length; start += Network.InputLength, first++)
                    Preprocessing.Apply(samples[first], Network.InputLength, inputs.Slice(start, Network.InputLength));
            })];
    }

    /// <summary>
    /// Predicts rows of a table: objects, whose public properties are the columns, found by their names, as <see cref="Dataset.FromRows{T}"/> takes them; words and gaps
    /// are what they were in training. A property of the target may be there or not.
    /// </summary>
    /// <param name="rows">The rows.</param>
    /// <param name="options">What is said of the columns, such as which the model does not take.</param>
    /// <exception cref="InputException">The columns are not those that the model takes, or a value is bad.</exception>
    public IReadOnlyList<Prediction> PredictRows<T>(IEnumerable<T> rows, DataOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return PredictTable(CodeRows.Of(rows), options);
    }

    /// <summary>Predicts the rows that a reader still has, as <see cref="PredictRows{T}"/> does; it is left open.</summary>
    /// <param name="reader">The rows.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <exception cref="InputException">The columns are not those that the model takes, or a value is bad.</exception>
    public IReadOnlyList<Prediction> PredictReader(IDataReader reader, DataOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PredictTable(CodeRows.Of(reader), options);
    }

    /// <summary>Predicts samples whose inputs are made on the way.</summary>
    /// <param name="count">Number of samples.</param>
    /// <param name="write">Writes the inputs of some of them.</param>
    internal IEnumerable<Prediction> Predictions(int count, InputWriter write)
    {
        foreach (var outputs in _predictor.Outputs(count, write))
        {
            for (var start = 0; start < outputs.Length; start += Network.OutputWidth)
                yield return Objective.Predict(outputs.Span.Slice(start, Network.OutputWidth), ClassNames);
        }
    }

    private Prediction[] PredictTable(RowsSource rows, DataOptions? options)
    {
        var samples = TableReader.ReadInputs(rows, Inputs, options ?? new DataOptions());
        return [.. Predictions(samples.Count, (first, inputs) => samples.CopyInputs(first, Preprocessing, inputs))];
    }

    private void RequireClasses()
    {
        if (Targets is not null)
            throw new InvalidOperationException($"{Name} predicts numbers; ask for these");
    }

    private void RequireLength(int values, string name)
    {
        if (values != Network.InputLength)
            throw new ArgumentException($"a sample has {values} values, {Name} takes {Network.InputLength}", name);
    }

    private void RequireLengths(int values, int results, string name)
    {
        var (count, rest) = int.DivRem(values, Network.InputLength);
        if (rest != 0 || results != (long)count * Network.OutputWidth)
        {
            throw new ArgumentException(
                $"{values} values and {results} results are not those of samples of {Network.InputLength} and {Network.OutputWidth}",
                name
            );
        }
    }

    private static ObjectiveSpec SpecOf(ModelDescription description, string name) =>
        description.Objective is { } objective
            ? ObjectiveSpec.FromJson(objective, name)
            : new ClassificationSpec(description.ClassNames.Count);
}
