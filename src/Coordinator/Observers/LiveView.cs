using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Distributed.Coordinator.Observers;

/// <summary>A run's status as a terminal shows it: how far it is, how good, how fast, and a line for each worker.</summary>
internal static class LiveView
{
    private const int LinesOfRun = 4; // progress, figures, and the table's head and last line
    private const int BarLength = 20;
    private const int WidthWithBars = 100;
    private const int LeastWorkers = 2;

    /// <summary>Draws it.</summary>
    /// <param name="status">The status.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="height">Its lines.</param>
    internal static IRenderable Draw(RunStatus status, int width, int height)
    {
        List<IRenderable> lines = [Progress(status, width), new Markup(Figures(status))];
        if (status.Workers.Count > 0)
            lines.Add(Workers(status.Workers, width, Math.Max(LeastWorkers, height - LinesOfRun - 2)));
        return new Rows(lines);
    }

    private static Markup Progress(RunStatus status, int width)
    {
        if (status.Started is not { } started)
            return new Markup("starting");
        var step = status.Step?.Step ?? started.FirstStep - 1;
        var text = Format($"step {step:N0}/{started.TotalSteps:N0}");
        if (status.Step is { } completed)
            text += Format($", epoch {completed.Epoch}");
        var left = status.Left is { } time ? $"{Duration(time)} left" : "";
        var room = Math.Clamp(width - text.Length - left.Length - 10, 0, 60);
        var filled = (int)Math.Round(room * status.Done);
        return new Markup(
            Format($"{text}  [green]{new string('━', filled)}[/][grey]{new string('━', room - filled)}[/] {status.Done:0 %}  {left}")
        );
    }

    private static string Figures(RunStatus status)
    {
        List<string> figures = [];
        if (status.Step is { } step)
            figures.Add(Format($"[bold]loss {step.Loss:0.0000}[/]"));
        if (status.Evaluation is { } evaluation)
        {
            var (part, metrics) = evaluation.HeldOut is { } heldOut ? ("held-out", heldOut.Metrics) : ("test", evaluation.Metrics);
            var texts = metrics.Select(metric => $"{part} {metric.Name} {RunText.Figure(metric.Value)}");
            figures.Add(Format($"{string.Join(", ", texts)} after step {evaluation.Step:N0}"));
        }

        if (status.SamplesPerSecond is { } rate)
            figures.Add(Format($"{rate:N0} samples/s"));
        return string.Join(" · ", figures);
    }

    // Of more workers than there are lines, the slowest ones: they are what one looks for.
    private static Table Workers(IReadOnlyList<WorkerStatus> workers, int width, int most)
    {
        var table = new Table().Border(TableBorder.None).AddColumn("[grey]worker[/]", column => column.NoWrap());
        foreach (var title in new[] { "state", "share", "samples/s", "compute", "exchange", "waiting" })
            table.AddColumn($"[grey]{title}[/]", column => column.NoWrap().Alignment(title == "state" ? Justify.Left : Justify.Right));
        if (width >= WidthWithBars)
            table.AddColumn("", column => column.NoWrap());
        var total = workers.Sum(worker => worker.Times?.Microbatches ?? 0);
        var shown = workers.Count <= most ? workers : [.. workers.OrderBy(worker => worker.Times?.Waiting ?? 0).Take(most - 1)];
        foreach (var worker in shown)
            table.AddRow([.. Cells(worker, total).Take(table.Columns.Count).Select(cell => new Markup(cell))]);
        if (shown.Count < workers.Count)
            table.AddRow(Format($"[grey]and {workers.Count - shown.Count} that wait more[/]"));
        return table;
    }

    private static IEnumerable<string> Cells(WorkerStatus worker, int total)
    {
        var state = worker.State.EscapeMarkup();
        yield return Printable.Of(worker.Worker).EscapeMarkup();
        yield return worker.Slowness is null ? state : $"[yellow]{state}[/]";
        if (worker.Times is not { } times)
            yield break;
        yield return $"{times.Microbatches}/{total}";
        yield return Format($"{times.SamplesPerSecond:N0}");
        yield return Format($"[green]{times.Compute:0 %}[/]");
        yield return Format($"[blue]{times.Exchange:0 %}[/]");
        yield return Format($"{times.Waiting:0 %}");
        var compute = (int)Math.Round(BarLength * times.Compute);
        var exchange = Math.Min((int)Math.Round(BarLength * times.Exchange), BarLength - compute);
        yield return $"[green]{new string('█', compute)}[/][blue]{new string('█', exchange)}[/][grey]{new string('░', BarLength - compute - exchange)}[/]";
    }

    /// <summary>A duration as people read it: <c>0:07</c>, <c>12:30</c>, <c>2:05:00</c>.</summary>
    internal static string Duration(TimeSpan time)
    {
        var whole = TimeSpan.FromSeconds(Math.Ceiling(Math.Max(0, time.TotalSeconds)));
        return whole.TotalHours >= 1
            ? Format($"{(long)whole.TotalHours}:{whole.Minutes:00}:{whole.Seconds:00}")
            : Format($"{whole.Minutes}:{whole.Seconds:00}");
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
