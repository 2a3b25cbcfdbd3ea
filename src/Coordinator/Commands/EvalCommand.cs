using System.Globalization;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary><c>eval</c>: loss and accuracy of a trained model, and the accuracy of each class.</summary>
/// <param name="console">Where to write.</param>
internal sealed class EvalCommand(CommandConsole console)
{
    /// <summary>Evaluates.</summary>
    /// <param name="path">A model file or a run folder.</param>
    /// <param name="settings">Settings without errors.</param>
    /// <param name="namesData">Whether the command names the data.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">Model or data are not right, or do not go together.</exception>
    internal int Run(string path, EvalSettings settings, bool namesData)
    {
        var (model, trainedOn) = SavedModel.Load(path);
        if (trainedOn is null && !namesData)
            throw new InputException($"--data: name the data to evaluate {path} on, such as --data digits");
        // Other data is read as the run's own was, but has its own test set.
        var known = trainedOn ?? new DataOptions();
        var options = settings.Data(namesData ? known with { Test = null } : known);
        var dataset = DatasetLoader.Load(options);
        RequireFit(model, dataset);
        var inputs = InputsOf(model, ref dataset, options);
        var scores = new ClassScores(model.Network.OutputWidth);
        foreach (var samples in Parts(dataset, settings.Part))
            scores.Add(model, samples, inputs);
        Write(dataset, scores, settings);
        return ExitCodes.Done;
    }

    private static void RequireFit(TrainedModel model, Dataset dataset)
    {
        if (dataset.Shape.Length != model.Network.InputLength)
        {
            throw new InputException(
                $"{dataset.Name}: a sample has {dataset.Shape.Length} values, {model.Name} takes {model.Network.InputLength}"
            );
        }

        if (!dataset.ClassNames.SequenceEqual(model.ClassNames))
        {
            throw new InputException(
                $"{dataset.Name}: its classes are {Listed(dataset.ClassNames)}, {model.Name} was trained on {Listed(model.ClassNames)}"
            );
        }
    }

    /// <summary>
    /// Data that is standardised by its own columns is loaded again as it is in the file, and standardised as the model's training data
    /// was.
    /// </summary>
    private static Action<Span<float>> InputsOf(TrainedModel model, ref Dataset dataset, DataOptions options)
    {
        if (dataset.Preprocessing.ToJson() == model.Preprocessing.ToJson())
            return static _ => { };
        if (dataset.Preprocessing.ByteDivisor is not null || model.Preprocessing.ByteDivisor is not null)
        {
            throw new InputException(
                $"{dataset.Name}: its values are scaled in another way ({dataset.Preprocessing.ToJson()}) "
                    + $"than {model.Name} expects ({model.Preprocessing.ToJson()})"
            );
        }

        dataset = DatasetLoader.Load(options with { Standardize = false });
        return values => Standardize(values, model.Preprocessing);
    }

    private static void Standardize(Span<float> values, Preprocessing preprocessing)
    {
        var columns = preprocessing.Means.Count;
        for (var index = 0; columns > 0 && index < values.Length; index++)
            values[index] = (float)((values[index] - preprocessing.Means[index % columns]) / preprocessing.Deviations[index % columns]);
    }

    private static IEnumerable<SampleSet> Parts(Dataset dataset, DatasetPart part) =>
        part switch
        {
            DatasetPart.Test => [dataset.Test],
            DatasetPart.Train => [dataset.Train],
            _ => [dataset.Train, dataset.Test],
        };

    private void Write(Dataset dataset, ClassScores scores, EvalSettings settings)
    {
        var classes = dataset
            .ClassNames.Select(
                (name, index) =>
                    new ClassResult(
                        name,
                        scores.Samples[index],
                        scores.Samples[index] == 0 ? null : (double)scores.Correct[index] / scores.Samples[index]
                    )
            )
            .ToList();
        if (settings.Json)
        {
            var result = new
            {
                data = dataset.Name,
                part = OptionText.Name(settings.Part),
                samples = scores.Count,
                loss = scores.Loss,
                accuracy = scores.Accuracy,
                classes,
            };
            console.Output.WriteLine(StrictJson.Serialize(result));
            return;
        }
        WriteLine(
            $"{dataset.Name}, {OptionText.Name(settings.Part)} part: {scores.Count} samples, loss {scores.Loss:0.0000}, accuracy {scores.Accuracy:0.0000}"
        );
        foreach (var result in classes)
            WriteLine($"  {result.Name}: {result.Accuracy?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-"} of {result.Samples}");
    }

    private void WriteLine(FormattableString text) => console.Output.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static string Listed(IReadOnlyList<string> names) =>
        names.Count <= 5 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))}, .. ({names.Count})";

    private sealed record ClassResult(string Name, int Samples, double? Accuracy);
}
