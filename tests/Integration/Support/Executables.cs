using System.Reflection;
using System.Runtime.InteropServices;

namespace Distributed.Integration.Support;

/// <summary>The programs under test, in the form in which they are shipped.</summary>
internal static class Executables
{
    public static string Coordinator => PathOf("coordinator");

    public static string Worker => PathOf("worker");

    /// <summary>The runtime that runs the tests, for the programs to run on.</summary>
    public static string DotnetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    /// <summary>The folder of what deploy/monitoring has.</summary>
    public static string Monitoring => Path.Combine(AppContext.BaseDirectory, "monitoring");

    /// <summary>The folder of the sources.</summary>
    public static string Repository => Metadata("Repository");

    /// <summary>Where the packages lie that the solution was built with.</summary>
    public static string PackageCache => Metadata("PackageCache");

    private static string PathOf(string name)
    {
        var path = Path.Combine(Folder, OperatingSystem.IsWindows() ? name + ".exe" : name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: build the test project with its references");
    }

    private static string Folder => Metadata("Programs");

    private static string Metadata(string key) =>
        typeof(Executables).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
