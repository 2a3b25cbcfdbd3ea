using System.Globalization;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Spectre.Console;

namespace Distributed.Coordinator.Commands;

/// <summary><c>runs</c>: lists run folders, or sets them against each other.</summary>
/// <param name="console">Where to write.</param>
internal sealed class RunsCommand(CommandConsole console)
{
    private const string DefaultFolder = "runs";
    private const string None = "-";
    private const string Heights = "▁▂▃▄▅▆▇█";
    private const int MostPoints = 32;
    private const int WidthOfFiles = 1000; // what is no terminal has room for every column
    private const int HashDigits = 8;

    private static readonly string[] OfNoInterest = ["numericsVersion", "datasetSha256"];

    /// <summary>Lists or compares.</summary>
    /// <param name="places">Run folders, and folders of them; none for <c>runs</c>.</param>
    /// <param name="settings">Settings without errors.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">A folder holds no run, or the runs cannot be compared.</exception>
    internal int Run(IReadOnlyList<string> places, RunsSettings settings)
    {
        var runs = Read(places.Count > 0 ? places : [DefaultFolder]);
        if (settings.Compare)
            RequireComparable(runs);
        if (settings.Json)
        {
            foreach (var run in runs)
                console.Output.WriteLine(StrictJson.Serialize(Fields(run)));
        }
        else if (settings.Compare)
        {
            Write(Differences(runs));
            Write(Outcomes(runs));
        }
        else
        {
            Write(List(runs));
        }

        return ExitCodes.Done;
    }

    // One folder that cannot be read does not hide the others.
    private List<RunOverview> Read(IReadOnlyList<string> places)
    {
        List<RunOverview> runs = [];
        foreach (var path in places.SelectMany(RunOverview.Find))
        {
            try
            {
                runs.Add(RunOverview.Read(path));
            }
            catch (Exception exception) when (exception is InputException or IOException or UnauthorizedAccessException)
            {
                console.Error.WriteLine($"warning: {Printable.Of(exception.Message.ReplaceLineEndings(" "))}");
            }
        }

        return runs.Count > 0 ? runs : throw new InputException("none of these runs can be read");
    }

    private static void RequireComparable(List<RunOverview> runs)
    {
        if (runs.Count < 2)
            throw new InputException($"--compare: there is {runs.Count} run; name two or more run folders");
        var first = runs[0];
        if (runs.FirstOrDefault(run => run.Configuration.DatasetSha256 != first.Configuration.DatasetSha256) is not { } other)
            return;
        throw new InputException(
            $"--compare: {first.Path} and {other.Path} were trained on different data ({DataOf(first)} and {DataOf(other)}), so that their figures cannot be compared; name runs of the same data, or leave --compare out"
        );
    }

    private static string DataOf(RunOverview run) =>
        $"{run.Configuration.Options.Data.Data}, SHA-256 {run.Configuration.DatasetSha256[..HashDigits]}..";

    private static Table List(List<RunOverview> runs)
    {
        var table = TableOf("run", "data", "state", "steps", "test", "best", "samples/s", "workers", "weights");
        foreach (var run in runs)
        {
            AddRow(
                table,
                run.Path,
                run.Configuration.Options.Data.Data,
                run.State,
                Format($"{run.Summary?.Steps ?? run.LastStep:N0}"),
                TestOf(run),
                BestOf(run),
                SpeedOf(run),
                run.Summary is { } summary ? Format($"{summary.Workers}") : None,
                WeightsOf(run)
            );
        }

        return table;
    }

    // Of the model where the run is complete, else of the last evaluation.
    private static string TestOf(RunOverview run) =>
        run.Summary is { } summary ? Figures(summary.TestLoss, summary.TestMetrics)
        : run.Evaluations.Count > 0 ? Figures(run.Evaluations[^1].TestLoss, run.Evaluations[^1].Metrics)
        : None;

    private static string Figures(double loss, IReadOnlyList<Metric> metrics) => $"loss {RunText.Figure(loss)}, {RunText.Figures(metrics)}";

    private static string BestOf(RunOverview run) => run.Summary?.BestStep is { } step ? Format($"step {step:N0}") : None;

    private static string SpeedOf(RunOverview run) => run.Summary is { } summary ? Format($"{summary.SamplesPerSecond:N0}") : None;

    private static string WeightsOf(RunOverview run) => run.Summary?.WeightsSha256[..HashDigits] ?? None;

    private static Table Differences(List<RunOverview> runs)
    {
        var table = TableOf(["option", .. runs.Select(run => Path.GetFileName(Path.TrimEndingDirectorySeparator(run.Path)))]);
        foreach (var name in runs.SelectMany(run => run.Options).Select(option => option.Key).Distinct().Except(OfNoInterest))
        {
            List<string> values = [.. runs.Select(run => run.Options.FirstOrDefault(option => option.Key == name).Value ?? "none")];
            if (values.Distinct().Count() > 1)
                AddRow(table, [name, .. values]);
        }

        if (table.Rows.Count == 0)
            AddRow(table, ["all are equal", .. runs.Select(_ => "")]);
        return table;
    }

    private static Table Outcomes(List<RunOverview> runs)
    {
        var table = TableOf("run", "state", "test loss, evaluation by evaluation", "test", "best", "samples/s", "weights");
        foreach (var run in runs)
        {
            AddRow(
                table,
                run.Path,
                run.State,
                Curve([.. run.Evaluations.Select(evaluation => evaluation.TestLoss)], runs),
                TestOf(run),
                BestOf(run),
                SpeedOf(run),
                WeightsOf(run)
            );
        }

        return table;
    }

    // All on one scale, so that they can be laid side by side.
    private static string Curve(IReadOnlyList<double> losses, List<RunOverview> runs)
    {
        List<double> all = [.. runs.SelectMany(run => run.Evaluations).Select(evaluation => evaluation.TestLoss).Where(double.IsFinite)];
        if (losses.Count == 0 || all.Count == 0)
            return None;
        var (least, span) = (all.Min(), Math.Max(all.Max() - all.Min(), double.Epsilon));
        var every = (losses.Count + MostPoints - 1) / MostPoints;
        var heights = losses
            .Chunk(every)
            .Select(part => part[^1])
            .Select(loss => double.IsFinite(loss) ? Heights[(int)((loss - least) / span * (Heights.Length - 1))] : '?');
        return $"{RunText.Figure(losses[0])} {string.Concat(heights)} {RunText.Figure(losses[^1])}";
    }

    private static Dictionary<string, object?> Fields(RunOverview run) =>
        new()
        {
            ["run"] = run.Path,
            ["state"] = run.State,
            ["step"] = run.Summary?.Steps ?? run.LastStep,
            ["steps"] = run.Configuration.Steps,
            ["data"] = run.Configuration.Options.Data.Data,
            ["datasetSha256"] = run.Configuration.DatasetSha256,
            ["options"] = run.Options.ToDictionary(),
            ["evaluations"] = run.Evaluations.Select(evaluation => new Dictionary<string, object>(evaluation.FiguresByKey)
            {
                ["step"] = evaluation.Step,
                ["testLoss"] = evaluation.TestLoss,
            }),
            ["samplesPerSecond"] = run.Summary?.SamplesPerSecond,
            ["weightsSha256"] = run.Summary?.WeightsSha256,
        };

    private static Table TableOf(params IEnumerable<string> titles)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var title in titles)
            table.AddColumn(Printable.Of(title).EscapeMarkup());
        return table;
    }

    private static void AddRow(Table table, params IEnumerable<string> cells) =>
        table.AddRow([.. cells.Select(cell => new Text(Printable.Of(cell)))]);

    private void Write(Table table)
    {
        var terminal = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(console.Output),
            }
        );
        if (!console.IsTerminal)
            terminal.Profile.Width = WidthOfFiles;
        terminal.Write(table);
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
