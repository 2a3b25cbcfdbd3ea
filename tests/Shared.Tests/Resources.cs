using System.Reflection;

namespace Distributed.Shared.Tests;

/// <summary>Files of the repository that are built into the test assembly, so that tests find them from any folder.</summary>
internal static class Resources
{
    private static readonly Assembly TestAssembly = typeof(Resources).Assembly;

    /// <summary>Names that start with a prefix, such as <c>golden/</c>.</summary>
    public static IEnumerable<string> Names(string prefix) =>
        TestAssembly
            .GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    public static string Text(string name)
    {
        using var stream = TestAssembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException(name);
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
