namespace Distributed.Coordinator.Options;

/// <summary>What a model is written as.</summary>
internal enum ExportFormat
{
    /// <summary>A graph of operators with its preprocessing, for ONNX Runtime and others.</summary>
    Onnx = 0,

    /// <summary>Named weights, for PyTorch and for this program.</summary>
    Safetensors,
}

/// <summary>The options of <c>export</c>.</summary>
internal sealed record ExportSettings
{
    /// <summary>What was asked for; null for what the file's name says.</summary>
    public ExportFormat? Format { get; init; }

    /// <summary>The file to write; empty if none is given.</summary>
    public string Out { get; init; } = "";

    /// <summary>What the model is written as; null if neither option says it.</summary>
    public ExportFormat? ResolvedFormat => Format ?? FormatOf(Out);

    /// <summary>The options in the order of the help.</summary>
    internal static IReadOnlyList<OptionSpec<ExportSettings>> Options { get; } =
    [
        new(
            "--format",
            OptionText.Choices<ExportFormat>(),
            OptionGroups.Display,
            "onnx takes raw data and predicts; safetensors holds the weights in PyTorch's layouts",
            "as the file's name ends",
            "onnx",
            (settings, text) => settings with { Format = OptionText.Choice<ExportFormat>(text) }
        ),
        new(
            "--out",
            "FILE",
            OptionGroups.Display,
            "the file to write, complete or not at all; one that is there is replaced",
            "must be named",
            "model.onnx",
            (settings, text) => settings with { Out = OptionText.NotEmpty(text) }
        ),
    ];

    /// <summary>What is wrong with the settings.</summary>
    internal IEnumerable<string> Validate()
    {
        if (Out.Length == 0)
        {
            yield return "--out: is missing; name the file to write, such as --out model.onnx";
            yield break;
        }

        if (ResolvedFormat is null)
            yield return $"--out {Out}: the name does not say in which format; end it with .onnx or .safetensors, or add --format onnx";
        if (Directory.Exists(Out))
            yield return $"--out {Out}: is a folder; name a file in it, such as {Path.Combine(Out, "model.onnx")}";
        else if (Path.GetDirectoryName(Path.GetFullPath(Out)) is { } folder && !Directory.Exists(folder))
            yield return $"--out {Out}: there is no folder {folder}; make it first, or name a file elsewhere";
    }

    private static ExportFormat? FormatOf(string path)
    {
        foreach (var format in Enum.GetValues<ExportFormat>())
        {
            if (Path.GetExtension(path).Equals($".{format}", StringComparison.OrdinalIgnoreCase))
                return format;
        }

        return null;
    }
}
