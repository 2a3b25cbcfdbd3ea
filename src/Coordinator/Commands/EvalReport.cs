using System.Globalization;
using Distributed.Coordinator.Observers;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary>A part of what <c>eval</c> writes: the same figures as fields of a JSON object, and as lines for people.</summary>
/// <param name="Name">The field; the lines have none.</param>
/// <param name="Fields">Its value.</param>
/// <param name="Lines">The lines.</param>
internal sealed record EvalSection(string Name, object Fields, IReadOnlyList<string> Lines);

/// <summary>Writes figures of a trained model down.</summary>
internal static class EvalReport
{
    /// <summary>The most classes of which a terminal shows the whole matrix.</summary>
    private const int MostOfMatrix = 20;

    private const int MostMistakes = 20;
    private const int Digits = 6;

    /// <summary>Precision, recall and their mean, class by class.</summary>
    internal static EvalSection Classes(IReadOnlyList<string> names, ClassScores scores)
    {
        var width = Width(names, "class");
        var rows = names.Index().Select(name => Row(Padded(name.Item, width), name.Index));
        return new EvalSection(
            "classes",
            names.Select((name, index) => new ClassResult(name, scores, index)),
            [$"  {"class".PadRight(width)} {"samples", 8} {"precision", 9} {"recall", 9} {"f1", 9}", .. rows]
        );

        string Row(string name, int index) =>
            Format(
                $"  {name} {scores.Samples[index], 8} {Part(scores.Precision(index)), 9} {Part(scores.Recall(index)), 9} {Part(scores.F1(index)), 9}"
            );
    }

    /// <summary>Which classes are taken for which: all pairs, or of many classes the most frequent mistakes.</summary>
    internal static EvalSection Confusion(IReadOnlyList<string> names, ClassScores scores) =>
        new(
            "confusion",
            scores.Confusions.Select(pair => new Pair(names[pair.Class], names[pair.Predicted], pair.Samples)),
            names.Count <= MostOfMatrix ? Matrix(names, scores) : [.. Mistakes(names, scores)]
        );

    /// <summary>What the loss rises by without each column, the largest rise first.</summary>
    internal static EvalSection Importance(IReadOnlyList<ColumnImportance> columns, int repeats)
    {
        var sorted = columns.OrderByDescending(column => column.LossRise).ToList();
        var width = Width([.. sorted.Select(column => column.Column)], "column");
        var rows = sorted.Select(column =>
            Format($"  {Padded(column.Column, width)} {column.LossRise, 9:+0.0000;-0.0000} ± {column.Deviation:0.0000}")
        );
        return new EvalSection(
            "importance",
            sorted,
            [Format($"what the loss rises by where a column's values are dealt out anew, mean of {repeats}:"), .. rows]
        );
    }

    /// <summary>The errors of each number that is predicted.</summary>
    internal static EvalSection Targets(IReadOnlyList<(string Name, IReadOnlyList<Metric> Metrics)> targets) =>
        new(
            "targets",
            targets.Select(target =>
                target
                    .Metrics.ToDictionary(metric => metric.Name, metric => (object)metric.Value)
                    .Prepend(new("name", target.Name))
                    .ToDictionary()
            ),
            [.. targets.Select(target => $"  {Printable.Of(target.Name)}: {RunText.Figures(target.Metrics)}")]
        );

    private static List<string> Matrix(IReadOnlyList<string> names, ClassScores scores)
    {
        var width = Width(names, "class");
        var column = Math.Max(Digits, Width([.. names.Select(name => Padded(name, 1))], "") + 1);
        List<string> lines = ["  rows are the classes, columns what they are taken for", $"  {new string(' ', width)}{Cells(names)}"];
        foreach (var (index, name) in names.Index())
        {
            var counts = Enumerable.Range(0, names.Count).Select(predicted => Format($"{scores.Confused(index, predicted)}"));
            lines.Add($"  {Padded(name, width)}{Cells(counts)}");
        }

        return lines;

        string Cells(IEnumerable<string> texts) => string.Concat(texts.Select(text => Printable.Of(text).PadLeft(column)));
    }

    private static IEnumerable<string> Mistakes(IReadOnlyList<string> names, ClassScores scores) =>
        scores
            .Confusions.Where(pair => pair.Class != pair.Predicted)
            .Take(MostMistakes)
            .Select(mistake =>
                Format($"  {Printable.Of(names[mistake.Class])} taken for {Printable.Of(names[mistake.Predicted])}: {mistake.Samples}")
            )
            .Prepend("  the most frequent mistakes:");

    private static int Width(IReadOnlyList<string> names, string title) => names.Append(title).Max(name => Printable.Of(name).Length);

    private static string Padded(string name, int width) => Printable.Of(name).PadRight(width);

    private static string Part(double? part) => part?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-";

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    // The accuracy of a class is its recall, under the name that it has had before.
    private sealed record ClassResult(string Name, int Samples, double? Accuracy, double? Precision, double? Recall, double? F1)
    {
        public ClassResult(string name, ClassScores scores, int index)
            : this(name, scores.Samples[index], scores.Recall(index), scores.Precision(index), scores.Recall(index), scores.F1(index)) { }
    }

    private sealed record Pair(string Class, string Predicted, int Samples);
}
