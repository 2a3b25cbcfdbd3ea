using System.Text.Json;
using Distributed.Model;

namespace Distributed.Checkpoints;

/// <summary>What a trained model needs besides its weights to be used again; travels in the header of <c>model.safetensors</c>.</summary>
/// <param name="Model">The layer graph as JSON.</param>
/// <param name="Input">The shape of a sample.</param>
/// <param name="Preprocessing">How raw samples become inputs, as JSON.</param>
/// <param name="ClassNames">The classes in the order of the outputs; none if it predicts numbers.</param>
internal sealed record ModelDescription(string Model, SampleShape Input, string Preprocessing, IReadOnlyList<string> ClassNames)
{
    /// <summary>The names of the columns of the training data, or null if they have none.</summary>
    public ColumnNames? Columns { get; init; }

    /// <summary>What it was trained for, as JSON; null for the classes alone.</summary>
    public string? Objective { get; init; }

    /// <summary>The SHA-256 of the data that it was trained on; null in files of earlier versions.</summary>
    public string? DatasetSha256 { get; init; }
}

/// <summary>A trained model as a safetensors file, whose tensors PyTorch and others can load by name.</summary>
internal static class ModelFile
{
    private const string ModelKey = "model";
    private const string InputKey = "input";
    private const string PreprocessingKey = "preprocessing";
    private const string ClassesKey = "classes";
    private const string ObjectiveKey = "objective"; // instead of classes: earlier versions refuse the file
    private const string FeaturesKey = "features";
    private const string TargetKey = "target";
    private const string TargetsKey = "targets"; // where there are several
    private const string IgnoredKey = "ignored";
    private const string DatasetKey = "datasetSha256";

    /// <summary>Writes a model; what was at the path is replaced as a whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layout">The parameters' names and shapes.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="description">What else is needed to use the model.</param>
    public static void Save(string path, ParameterLayout layout, ReadOnlyMemory<float> weights, ModelDescription description)
    {
        var metadata = new Dictionary<string, string>
        {
            ["numericsVersion"] = NumericsVersion.Current.ToString(System.Globalization.CultureInfo.InvariantCulture),
            [ModelKey] = description.Model,
            [InputKey] = JsonSerializer.Serialize(new[] { description.Input.Channels, description.Input.Height, description.Input.Width }),
            [PreprocessingKey] = description.Preprocessing,
        };
        if (description.Objective is { } objective)
            metadata[ObjectiveKey] = objective;
        else
            metadata[ClassesKey] = JsonSerializer.Serialize(description.ClassNames);
        if (description.DatasetSha256 is { } dataset)
            metadata[DatasetKey] = dataset;
        if (description.Columns is { } columns)
        {
            metadata[FeaturesKey] = JsonSerializer.Serialize(columns.Features);
            metadata[TargetKey] = columns.Target;
            if (columns.Targets.Count > 1)
                metadata[TargetsKey] = JsonSerializer.Serialize(columns.Targets);
            if (columns.Ignored.Count > 0)
                metadata[IgnoredKey] = JsonSerializer.Serialize(columns.Ignored);
        }

        AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, [.. layout.Tensors(weights)], metadata));
    }

    /// <summary>Reads what a model file says about itself; <see cref="InitialWeights.Load"/> reads its weights.</summary>
    /// <exception cref="InputException">Not a model file of this program.</exception>
    public static ModelDescription Describe(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        var shape = List<int>(file, InputKey);
        if (shape.Length != 3 || shape.Any(dimension => dimension < 1))
            throw new InputException($"{path}: metadata '{InputKey}' must be three sizes of at least 1, not [{string.Join(", ", shape)}]");
        return new ModelDescription(
            Text(file, ModelKey),
            new SampleShape(shape[0], shape[1], shape[2]),
            Text(file, PreprocessingKey),
            file.Metadata.ContainsKey(ObjectiveKey) ? [] : Names(file, ClassesKey, areDifferent: true)
        )
        {
            Objective = file.Metadata.GetValueOrDefault(ObjectiveKey),
            DatasetSha256 = file.Metadata.GetValueOrDefault(DatasetKey),
            Columns = file.Metadata.ContainsKey(FeaturesKey) ? Columns(file) : null,
        };
    }

    private static ColumnNames Columns(SafeTensorsFile file)
    {
        var target = Text(file, TargetKey);
        return new(Names(file, FeaturesKey, areDifferent: false), target)
        {
            Targets = file.Metadata.ContainsKey(TargetsKey) ? Names(file, TargetsKey, areDifferent: true) : [target],
            Ignored = file.Metadata.ContainsKey(IgnoredKey) ? Names(file, IgnoredKey, areDifferent: false) : [],
        };
    }

    private static string[] Names(SafeTensorsFile file, string key, bool areDifferent)
    {
        var names = List<string?>(file, key);
        if (names.Contains(null) || (areDifferent && names.Distinct().Count() < names.Length))
            throw new InputException($"{file.Path}: metadata '{key}' must be a list of {(areDifferent ? "different " : "")}names");
        return [.. names.OfType<string>()];
    }

    private static string Text(SafeTensorsFile file, string key) =>
        file.Metadata.TryGetValue(key, out var text)
            ? text
            : throw new InputException($"{file.Path}: metadata '{key}' is missing: not a model that was written by train");

    private static T[] List<T>(SafeTensorsFile file, string key)
    {
        try
        {
            return JsonSerializer.Deserialize<T[]>(Text(file, key)) ?? [];
        }
        catch (JsonException exception)
        {
            throw new InputException($"{file.Path}: metadata '{key}' is not valid ({exception.Message.TrimEnd('.')})", exception);
        }
    }
}
