using System.Globalization;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary>
/// <c>eval</c>: loss and accuracy of a trained model, class by class and, if asked for, which are taken for which; or the errors of one that
/// predicts numbers; and how much it depends on each column.
/// </summary>
/// <param name="console">Where to write.</param>
internal sealed class EvalCommand(CommandConsole console)
{
    private const ulong Seed = 0; // of the orders in which columns are dealt out: figures of two models are comparable

    /// <summary>Evaluates.</summary>
    /// <param name="path">A model file or a run folder.</param>
    /// <param name="settings">Settings without errors.</param>
    /// <param name="namesData">Whether the command names the data.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">Model or data are not right, or do not go together.</exception>
    internal int Run(string path, EvalSettings settings, bool namesData)
    {
        var (model, trainedOn) = SavedModel.Load(path);
        if (settings.Importance > 0 && model.Preprocessing.ByteDivisor is not null)
            throw new InputException($"--importance: {path} takes images, which have no columns to be judged; leave the option out");
        if (trainedOn is null && !namesData)
            throw new InputException($"--data: name the data to evaluate {path} on, such as --data digits");
        // Other data is read as the run's own was, but has its own test set.
        var known = trainedOn ?? new DataOptions();
        // What the run says of columns is of no consequence for data that is packed; what the command says would be passed over.
        DatasetLoader.RequireUndecided(settings.Data(new DataOptions { Data = known.Data, DataDir = known.DataDir }));
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

        Write(name, model, [.. parts.Where(samples => samples.Count > 0)], settings);
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

    private void Write(string data, TrainedModel model, IReadOnlyList<SampleSet> parts, EvalSettings settings)
    {
        var (score, sections) = model.Targets is null ? OfClasses(model, parts, settings) : OfNumbers(model, parts, settings);
        if (settings.Importance > 0)
            sections.Add(EvalReport.Importance(PermutationImportance.Of(model, parts, settings.Importance, Seed), settings.Importance));
        var (part, samples) = (OptionText.Name(settings.Part), parts.Sum(set => set.Count));
        if (settings.Json)
        {
            Dictionary<string, object> result = new()
            {
                ["data"] = data,
                ["part"] = part,
                ["samples"] = samples,
                ["loss"] = score.Loss,
            };
            foreach (var metric in score.Metrics)
                result.Add(metric.Name, metric.Value);
            foreach (var section in sections)
                result.Add(section.Name, section.Fields);
            console.Output.WriteLine(StrictJson.Serialize(result));
            return;
        }

        var figures = $"loss {RunText.Figure(score.Loss)}, {RunText.Figures(score.Metrics)}";
        console.Output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{Printable.Of(data)}, {part} part: {samples} samples, {figures}")
        );
        foreach (var line in sections.SelectMany(section => section.Lines))
            console.Output.WriteLine(line);
    }

    private static (TestScore Score, List<EvalSection> Sections) OfNumbers(
        TrainedModel model,
        IReadOnlyList<SampleSet> parts,
        EvalSettings settings
    )
    {
        if (settings.Confusion)
            throw new InputException($"--confusion: {model.Name} predicts numbers, which have no classes to confuse; leave the option out");
        var targets = model.Targets!.Count > 1 ? [EvalReport.Targets(TargetScores.Of(model, parts))] : new List<EvalSection>();
        return (ModelScore.Of(model, parts), targets);
    }

    private static (TestScore Score, List<EvalSection> Sections) OfClasses(
        TrainedModel model,
        IReadOnlyList<SampleSet> parts,
        EvalSettings settings
    )
    {
        var scores = new ClassScores(model.Network.OutputWidth);
        foreach (var samples in parts)
            scores.Add(model, samples);
        List<Metric> metrics = [new("accuracy", scores.Accuracy)];
        if (scores.Auc is { } auc)
            metrics.Add(new("auc", auc));
        List<EvalSection> sections = [EvalReport.Classes(model.ClassNames, scores)];
        if (settings.Confusion)
            sections.Add(EvalReport.Confusion(model.ClassNames, scores));
        return (new TestScore(scores.Loss, metrics), sections);
    }
}
