using System.Globalization;

namespace Distributed.Data.Tables;

/// <summary>Tells by the target of the training part whether classes or numbers are to be predicted.</summary>
/// <param name="Task">What is to be predicted.</param>
/// <param name="Reason">Why, for people; null where somebody has said so.</param>
internal readonly record struct TaskChoice(LearningTask Task, string? Reason)
{
    // Up to so many different whole numbers are classes, and more than so many are numbers; between them a person has to tell.
    private const int MostClasses = 20;
    private const int FewestNumbers = 101;

    /// <summary>Decides.</summary>
    /// <param name="asked">What somebody has said; null to find out.</param>
    /// <param name="targets">The targets of all rows.</param>
    /// <param name="trainRows">The rows of the training part.</param>
    /// <param name="workspace">Where numbers are sorted.</param>
    /// <exception cref="InputException">Only a person can tell.</exception>
    public static TaskChoice Of(LearningTask? asked, IReadOnlyList<RawLabels> targets, ReadOnlySpan<int> trainRows, Workspace workspace)
    {
        var labels = targets[0];
        if (targets.Count > 1)
        {
            return asked == LearningTask.Classification
                ? throw labels.Refusal(
                    Text(
                        $"--label-column names {targets.Count} columns, and classes stand in one: name one of them, or say --task regression"
                    )
                )
                : new(LearningTask.Regression, asked is null ? Text($"there are {targets.Count} targets") : null);
        }

        if (asked is { } task)
            return new(task, Reason: null);
        var (numbers, texts, hasFraction) = labels.Content(trainRows, workspace);
        if (texts > 0)
        {
            return numbers <= texts
                ? new(LearningTask.Classification, Text($"the target holds text: {texts + numbers} classes"))
                : throw labels.Refusal(
                    labels.FirstText,
                    Text(
                        $"is text among {numbers} different numbers; drop the row, or say --task classification if all of them are classes"
                    )
                );
        }

        if (hasFraction)
            return new(LearningTask.Regression, Text($"the target has {numbers} different values, some of them fractions"));
        return numbers switch
        {
            <= MostClasses => new(LearningTask.Classification, Text($"the target has {numbers} different whole numbers")),
            >= FewestNumbers => new(LearningTask.Regression, Text($"the target has {numbers} different whole numbers")),
            _ => throw labels.Refusal(
                Text(
                    $"the target has {numbers} different whole numbers, which may be classes or not; say --task classification or --task regression"
                )
            ),
        };
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
