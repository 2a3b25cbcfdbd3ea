using System.Text.Json.Serialization;

namespace Distributed.Data;

/// <summary>What to train on. The defaults of the data options are written here and nowhere else.</summary>
public sealed record DataOptions
{
    /// <summary>A dataset's name (<c>digits</c>, <c>fashion-mnist</c>) or the path of a file or folder.</summary>
    public string Data { get; init; } = "digits";

    /// <summary>Path of a test set; without it, the folder's own test set or every fifth sample.</summary>
    public string? Test { get; init; }

    /// <summary>
    /// What judges the training while it goes on: a fraction of the training part, such as <c>0.1</c>, or the path of a file; null for
    /// nothing. It is neither trained on nor is anything fitted on it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // runs that began without it go on
    public string? Holdout { get; init; }

    /// <summary>Folder that is searched for datasets besides their usual places.</summary>
    public string? DataDir { get; init; }

    /// <summary>
    /// Tables only: the column of the labels, by name or by index from 0; without it, the last one. Of numbers to predict there may be several,
    /// separated by commas; a name with commas stands in double quotes.
    /// </summary>
    public string? LabelColumn { get; init; }

    /// <summary>Whether classes or numbers are to be predicted; without it, the data decides.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // runs that began without it go on
    public LearningTask? Task { get; init; }

    /// <summary>CSV only: whether the first row names the columns; without it, that is detected.</summary>
    public bool? Header { get; init; }

    /// <summary>CSV only: whether numbers are written with a decimal comma, as in <c>0,5</c>; cells are then separated by something else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // runs that began without it go on
    public bool DecimalComma { get; init; }

    /// <summary>Tables only: the columns of categories, by name or index, separated by commas; others are found by their content.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Categorical { get; init; }

    /// <summary>Tables only: the columns of numbers, by name or index, separated by commas.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Numeric { get; init; }

    /// <summary>Tables only: the columns that are left out, by name or index, separated by commas.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Ignore { get; init; }

    /// <summary>
    /// Tables only: the texts that stand for missing values beside the empty one, separated by commas; null for ?, NA, N/A, NaN and null.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Missing { get; init; }

    /// <summary>
    /// Tables only: the column that says how much the loss of each training sample counts, by name or index; null if all count alike. It is
    /// no feature, and other files need not have it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? WeightColumn { get; init; }

    /// <summary>Tables only: whether columns are brought to mean 0 and deviation 1 over the training set.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>Whether <see cref="Dataset.Report"/> is wanted, which takes another pass over a table. Nothing depends on it.</summary>
    [JsonIgnore]
    internal bool WantsReport { get; init; }

    /// <summary>Where the data is to lie. Nothing depends on it.</summary>
    [JsonIgnore]
    internal Workspace Workspace { get; init; } = Workspace.InMemory;

    /// <summary>The texts of <see cref="Missing"/>; null for the usual ones.</summary>
    [JsonIgnore]
    internal IReadOnlyList<string>? MissingTexts => Missing is null ? null : NameList.Parse(Missing);
}
