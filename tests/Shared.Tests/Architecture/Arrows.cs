using System.Text.RegularExpressions;

namespace Distributed.Shared.Tests.Architecture;

/// <summary>Which folders of the shared library may use which others, and what a source file uses.</summary>
internal static partial class Arrows
{
    /// <summary>Direct arrows; what follows from them is allowed too.</summary>
    public static IReadOnlyDictionary<string, string[]> Direct { get; } =
        new Dictionary<string, string[]>
        {
            ["Random"] = [],
            ["Graphs"] = [],
            ["Protocol"] = [],
            ["Kernels"] = ["Random"],
            ["Data"] = ["Random"],
            ["Objectives"] = ["Graphs", "Kernels"],
            ["Model"] = ["Graphs", "Kernels", "Objectives", "Random"],
            ["Collectives"] = ["Kernels", "Model", "Protocol"],
            ["Checkpoints"] = ["Model"],
            ["Training"] = ["Model", "Objectives", "Data", "Collectives", "Checkpoints"],
            ["Export"] = ["Graphs", "Training"],
            ["Hosting"] = ["Collectives", "Data", "Protocol"],
        };

    /// <summary>The folder itself and all that it may use.</summary>
    public static IReadOnlySet<string> Allowed(string folder) => Direct[folder].SelectMany(Allowed).Append(folder).ToHashSet();

    /// <summary>The folders that a source file uses against the arrows.</summary>
    public static IEnumerable<string> Violations(string folder, string source) => Used(source).Except(Allowed(folder));

    /// <summary>
    /// The folders that a source file names: in using directives, in full names, and in names that begin at the root namespace.
    /// </summary>
    public static IEnumerable<string> Used(string source)
    {
        var code = Comment().Replace(source, "");
        return FullName()
            .Matches(code)
            .Concat(RelativeName().Matches(code))
            .Select(match => match.Groups["folder"].Value)
            .Where(Direct.ContainsKey)
            .Distinct();
    }

    [GeneratedRegex(@"//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bDistributed\.(?<folder>\w+)")]
    private static partial Regex FullName();

    // A property of the same name has a dot, or "this", before it in the code here.
    [GeneratedRegex(@"(?<![\w.])(?<folder>[A-Z]\w+)\.[A-Z]")]
    private static partial Regex RelativeName();
}
