using System.Globalization;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary>
/// <c>eval</c>: loss and accuracy of a trained model, and the accuracy of each class; or the errors of one that predicts numbers.
/// </summary>
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
        var options = settings.Data(namesData ? known with { Test = null, Holdout = null } : known);
        var (name, parts) = DatasetLoader.LoadLabelled(options, model.Inputs, model.ClassNames, data =>
            (data.Name, Parts(data, settings.Part).ToList())
        );
        if (parts.Sum(samples => samples.Count) == 0)
        {
            throw new InputException(
                $"--part {OptionText.Name(settings.Part)}: all of the few samples of {Printable.Of(name)} are its test part"
            );
        }

        if (model.Targets is null)
            WriteClasses(name, model, parts, settings);
        else
            WriteNumbers(name, model, parts, settings);
        return ExitCodes.Done;
    }

    private static IEnumerable<SampleSet> Parts(LabelledData data, DatasetPart part) =>
        part switch
        {
            DatasetPart.Test => [data.Test],
            DatasetPart.Train => [data.Train],
            DatasetPart.Holdout =>
            [
                data.Holdout
                    ?? throw new InputException(
                        $"--part holdout: nothing of {Printable.Of(data.Name)} is held out; say --holdout FRACTION|PATH"
                    ),
            ],
            _ => [data.Train, .. data.Holdout is { } holdout ? [holdout] : Array.Empty<SampleSet>(), data.Test],
        };

    private void WriteNumbers(string data, TrainedModel model, IReadOnlyList<SampleSet> parts, EvalSettings settings)
    {
        var (samples, score) = (parts.Sum(set => set.Count), ModelScore.Of(model, parts));
        var targets = model.Targets!.Count > 1 ? TargetScores.Of(model, [.. parts.Where(set => set.Count > 0)]) : [];
        if (settings.Json)
        {
            var result = Result(data, samples, score.Loss, score.Metrics, settings);
            if (targets.Count > 0)
                result.Add("targets", targets.Select(Fields));
            console.Output.WriteLine(StrictJson.Serialize(result));
            return;
        }

        WriteLine(data, samples, score.Loss, score.Metrics, settings);
        foreach (var (name, metrics) in targets)
            WriteLine($"  {Printable.Of(name)}: {Figures(metrics)}");
    }

    private static Dictionary<string, object> Fields((string Name, IReadOnlyList<Metric> Metrics) target)
    {
        var fields = new Dictionary<string, object> { ["name"] = target.Name };
        foreach (var metric in target.Metrics)
            fields.Add(metric.Name, metric.Value);
        return fields;
    }

    private static string Figures(IReadOnlyList<Metric> metrics) =>
        string.Join(", ", metrics.Select(metric => $"{metric.Name} {RunText.Figure(metric.Value)}"));

    private static Dictionary<string, object> Result(
        string data,
        int samples,
        double loss,
        IReadOnlyList<Metric> metrics,
        EvalSettings settings
    )
    {
        var result = new Dictionary<string, object>
        {
            ["data"] = data,
            ["part"] = OptionText.Name(settings.Part),
            ["samples"] = samples,
            ["loss"] = loss,
        };
        foreach (var metric in metrics)
            result.Add(metric.Name, metric.Value);
        return result;
    }

    private void WriteLine(string data, int samples, double loss, IReadOnlyList<Metric> metrics, EvalSettings settings)
    {
        WriteLine(
            $"{Printable.Of(data)}, {OptionText.Name(settings.Part)} part: {samples} samples, loss {RunText.Figure(loss)}, {Figures(metrics)}"
        );
    }

    private void WriteClasses(string data, TrainedModel model, IReadOnlyList<SampleSet> parts, EvalSettings settings)
    {
        var scores = new ClassScores(model.Network.OutputWidth);
        foreach (var samples in parts.Where(samples => samples.Count > 0))
            scores.Add(model, samples);
        List<Metric> metrics = [new("accuracy", scores.Accuracy)];
        if (scores.Auc is { } auc)
            metrics.Add(new("auc", auc));
        var classes = model
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
            var result = Result(data, scores.Count, scores.Loss, metrics, settings);
            result.Add("classes", classes);
            console.Output.WriteLine(StrictJson.Serialize(result));
            return;
        }
        WriteLine(data, scores.Count, scores.Loss, metrics, settings);
        foreach (var result in classes)
        {
            var accuracy = result.Accuracy?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-";
            WriteLine($"  {Printable.Of(result.Name)}: {accuracy} of {result.Samples}");
        }
    }

    private void WriteLine(FormattableString text) => console.Output.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private sealed record ClassResult(string Name, int Samples, double? Accuracy);
}
