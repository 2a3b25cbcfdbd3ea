using System.Globalization;
using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Objectives;

namespace Distributed.Coordinator.Observers;

/// <summary>The events of a run as people read them.</summary>
internal static class RunText
{
    private const int MostSuggestedWorkers = 4;

    /// <summary>A line for an event that is a line by itself; null for those that are not shown as one.</summary>
    internal static string? Line(RunEvent runEvent) =>
        runEvent switch
        {
            TaskChosen chosen => $"predicting {(chosen.Task == LearningTask.Regression ? "numbers" : "classes")}: {chosen.Reason}",
            RunStarted started => Started(started),
            Listening listening => Format($"waiting for {Workers(listening.Workers)} at {listening.Address}"),
            DashboardOpened opened => $"watch it in a browser at {opened.Address}",
            WorkerJoined joined => Format($"{joined.Worker} joined from {joined.Address} ({Workers(joined.Workers)})"),
            WorkerLeft left => Format($"{left.Worker} left: {left.Reason} ({Workers(left.Workers)})"),
            WorkerLost lost => Format($"{lost.Worker} was lost at step {lost.Step}: {lost.Reason} ({Workers(lost.Workers)})"),
            TrainingResumed resumed => Format(
                $"step {resumed.Step} done with {Workers(resumed.Workers)}, {resumed.Seconds:0.00} s after the {(resumed.AfterLoss ? "loss" : "step before")}"
            ),
            WentBack back => Format($"no worker has a later state left; going on after step {back.Step} as soon as one joins"),
            RolledBack back => Format($"{back.Reason}: what was trained after step {back.Step} is done again"),
            Waiting waiting => Format($"waiting for {waiting.For} for {waiting.Seconds:0} s: {Printable.Of(waiting.Details)}"),
            Evaluated evaluated => Evaluation(evaluated),
            Straggling slow => Format($"{slow.Worker} takes {slow.Slowness:0.0} times as long for a microbatch as the others"),
            RangesChanged changed => Ranges(changed),
            RunInterrupted interrupted => Format(
                $"interrupted after step {interrupted.Step}; to go on: {(Invocation.CanSuggest ? Invocation.Program + " " : "")}train --resume --run {Invocation.Argument(interrupted.Run)}"
            ),
            RunCompleted completed => Completed(completed),
            RunVerified { Same: true } verified => Verified(verified),
            _ => null,
        };

    /// <summary>Step, epoch and loss, and what is known of the pace.</summary>
    internal static string Step(StepCompleted step, RunStatus status)
    {
        var text = Format($"step {step.Step}/{status.Started?.TotalSteps}, epoch {step.Epoch}: loss {step.Loss:0.0000}");
        return status is { SamplesPerSecond: { } rate, Left: { } left }
            ? Format($"{text}, {rate:0} samples/s, {LiveView.Duration(left)} left")
            : text;
    }

    /// <summary>A warning.</summary>
    internal static string Warning(RunWarning warning) => $"warning: {Printable.Of(warning.Message)}";

    /// <summary>The test set's metrics and the hash in one line.</summary>
    internal static string Result(RunCompleted completed) =>
        $"{Metrics("test", completed.Summary.TestMetrics)}, weights {completed.Summary.WeightsSha256}";

    /// <summary>Whether two trainings ended in the same bits.</summary>
    internal static string Verified(RunVerified verified) =>
        verified.Same
            ? $"same bits: {Workers(verified.FirstWorkers)} = {Workers(verified.SecondWorkers)} = {verified.FirstSha256}"
            : $"other bits: {Workers(verified.FirstWorkers)} {verified.FirstSha256}, {Workers(verified.SecondWorkers)} {verified.SecondSha256}; {verified.FirstDifference}";

    /// <summary>How workers are counted: none is the coordinator itself.</summary>
    internal static string Workers(int workers) =>
        workers switch
        {
            0 => "no workers",
            1 => "1 worker",
            _ => Format($"{workers} workers"),
        };

    /// <summary>Another number of workers than a run had: what a newcomer tries next.</summary>
    internal static int OtherWorkers(int workers) => workers is >= 1 and <= MostSuggestedWorkers ? workers + 1 : MostSuggestedWorkers - 1;

    /// <summary>
    /// A figure of an evaluation: four decimals where that shows what it is, else five significant digits, since errors are in the units of
    /// what is predicted; a dash where it is not defined.
    /// </summary>
    internal static string Figure(double value) =>
        double.IsNaN(value) ? "-" : value.ToString(IsPlain(Math.Abs(value)) ? "0.0000" : "G5", CultureInfo.InvariantCulture);

    // An accuracy of 0.0098 is shown as ever.
    private static bool IsPlain(double magnitude) => magnitude is < 1000 and (0 or >= 0.001);

    private static string Evaluation(Evaluated evaluated)
    {
        var test = Format($"test loss {evaluated.TestLoss:0.0000}, {Metrics("test", evaluated.Metrics)}");
        return evaluated.HeldOut is { } heldOut
            ? Format($"step {evaluated.Step}: held-out loss {heldOut.Loss:0.0000}, {Metrics("held-out", heldOut.Metrics)}; {test}")
            : Format($"step {evaluated.Step}: {test}");
    }

    private static string Metrics(string part, IReadOnlyList<Metric> metrics) =>
        string.Join(", ", metrics.Select(metric => $"{part} {metric.Name} {Figure(metric.Value)}"));

    private static string Ranges(RangesChanged changed) =>
        Format(
            $"from step {changed.Step} on, of {changed.Microbatches} microbatches: {string.Join(", ", changed.Ranges.Select(range => $"{range.Worker} {range.Microbatches}"))}"
        );

    private static string Started(RunStarted started)
    {
        var who = started.Workers switch
        {
            0 => "in this process",
            1 => "with 1 worker",
            _ => $"with {Workers(started.Workers)} over {started.Transport}",
        };
        return Format($"training steps {started.FirstStep} to {started.TotalSteps} {who}");
    }

    private static string Completed(RunCompleted completed)
    {
        var summary = completed.Summary;
        string[] lines =
        [
            Format($"{summary.Steps} steps, {summary.Samples} samples in {summary.Seconds:0.0} s ({summary.SamplesPerSecond:0} samples/s)"),
            .. Stop(summary),
            Result(completed),
            $"run folder {completed.Run}",
            .. Invocation.CanSuggest ? Suggestions(Invocation.Argument(completed.Run), summary) : [],
        ];
        return string.Join('\n', lines);
    }

    /// <summary>How a run went, as a table of labels and figures; hashes and commands are not broken, so that they can be copied.</summary>
    internal static string ClosingTable(RunCompleted completed)
    {
        var summary = completed.Summary;
        var others = summary is { WorkersLost: 0, WorkersJoined: 0 }
            ? ""
            : Format($", {summary.WorkersLost} lost, {summary.WorkersJoined} joined");
        var who = summary.Workers == 0 ? "in this process" : $"{Workers(summary.Workers)} over {summary.Transport}";
        List<(string Label, string Value)> rows =
        [
            ("test", Format($"loss {Figure(summary.TestLoss)}, {Figures(summary.TestMetrics)}")),
            ("trained", Format($"{summary.Steps:N0} steps, {summary.Samples:N0} samples in {summary.Seconds:0.0} s")),
            ("speed", Format($"{summary.SamplesPerSecond:N0} samples/s, {who}{others}")),
            .. summary.BestStep is { } best ? [("best", Format($"after step {best:N0}"))] : Array.Empty<(string, string)>(),
            .. Stop(summary).Select(line => ("stopped", line)),
            ("weights", summary.WeightsSha256),
            ("run", completed.Run),
        ];
        if (summary.HeldOut is { } heldOut)
            rows.Insert(0, ("held out", Format($"loss {Figure(heldOut.Loss)}, {Figures(heldOut.Metrics)}")));
        var lines = rows.Select(row => $"  {row.Label, -9} {row.Value}");
        return string.Join('\n', ["", .. lines, .. Invocation.CanSuggest ? Suggestions(Invocation.Argument(completed.Run), summary) : []]);
    }

    /// <summary>Figures, with commas between them.</summary>
    internal static string Figures(IReadOnlyList<Metric> metrics) =>
        string.Join(", ", metrics.Select(metric => $"{metric.Name} {Figure(metric.Value)}"));

    private static IEnumerable<string> Stop(RunSummary summary)
    {
        if (summary.StopReason is { } reason)
            yield return Format($"stopped early: {reason}");
        if (summary is { StoppedEarly: not null, BestStep: { } best })
            yield return Format($"the model has the weights after step {best}, held-out loss {summary.BestHoldoutLoss:0.0000}");
    }

    private static IEnumerable<string> Suggestions(string run, RunSummary summary) =>
        [
            "next:",
            Format(
                $"  {Invocation.Program} verify {run} --workers {OtherWorkers(summary.Workers)}   # the same bits with another number of workers"
            ),
            $"  {Invocation.Program} eval {run}   # {(HasClasses(summary) ? "accuracy class by class" : "its errors on other data, too")}",
        ];

    private static bool HasClasses(RunSummary summary) => summary.TestMetrics.Any(metric => metric.Name == "accuracy");

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
