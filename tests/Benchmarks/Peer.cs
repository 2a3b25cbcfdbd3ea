using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Distributed.Benchmarks;

/// <summary>Another program that is measured beside ours: it answers each line of its standard input with a line of seconds.</summary>
internal sealed class Peer : IDisposable
{
    /// <summary>The interpreter that Debian's python3-torch belongs to, whatever else the path has.</summary>
    public const string Python = "/usr/bin/python3";

    private readonly Process _process;

    private Peer(string program, IEnumerable<string> arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
    }

    /// <summary>Whether this processor can run OpenBLAS's kernels for 512-bit vectors.</summary>
    public static bool CanBeWide => Vector512.IsHardwareAccelerated;

    /// <summary>Starts a script of the folder <c>peers</c>; null where there is no interpreter.</summary>
    /// <param name="script">The file.</param>
    /// <param name="environment">Variables such as the kind of core that a library is to take this one for.</param>
    public static Peer? OfPython(string script, params (string Name, string Value)[] environment) =>
        File.Exists(Python) ? new Peer(Python, [Source(script)], environment) : Missing($"{Python} is not there");

    /// <summary>
    /// Compiles and starts a C source of the folder <c>peers</c>; null, with the compiler's words, where that is not possible.
    /// </summary>
    /// <param name="source">The file.</param>
    /// <param name="libraries">Options for the linker.</param>
    /// <param name="environment">Variables such as the thread count of a library.</param>
    public static Peer? OfC(string source, string[] libraries, params (string Name, string Value)[] environment)
    {
        var program = Path.GetTempFileName();
        try
        {
            using var compiler = Process.Start(
                "gcc",
                ["-O3", "-march=native", .. WidthOption, "-o", program, Source(source), .. libraries]
            );
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? new Peer(program, [], environment) : Missing($"{source} does not compile");
        }
        catch (Win32Exception exception)
        {
            return Missing(exception.Message);
        }
        finally
        {
            File.Delete(program); // a process that runs it keeps it
        }
    }

    /// <summary>
    /// The compiler's vectors are as wide as ours, so that DOTNET_EnableAVX512=0 shows where a machine without them would stand.
    /// </summary>
    private static string[] WidthOption =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64 && !Vector512.IsHardwareAccelerated ? ["-mno-avx512f"] : [];

    /// <summary>The path of a file of the folder <c>peers</c>.</summary>
    public static string Source(string name) => Path.Combine(AppContext.BaseDirectory, "peers", name);

    /// <summary>Asks for one measurement.</summary>
    public double Seconds(string request)
    {
        _process.StandardInput.WriteLine(request);
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The peer ended at '{request}'.");
        return double.Parse(answer, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static Peer? Missing(string reason)
    {
        Console.Error.WriteLine($"A peer is left out: {reason}.");
        return null;
    }
}
