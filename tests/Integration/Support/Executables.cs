using System.Runtime.InteropServices;

namespace Distributed.Integration.Support;

/// <summary>The programs under test. The build puts them beside the tests, since the project references both.</summary>
internal static class Executables
{
    public static string Coordinator => PathOf("coordinator");

    public static string Worker => PathOf("worker");

    /// <summary>The runtime that runs the tests, for the programs to run on.</summary>
    public static string DotnetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string PathOf(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? name + ".exe" : name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: build the test project with its references");
    }
}
