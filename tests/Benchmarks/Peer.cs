using System.Diagnostics;
using System.Globalization;

namespace Distributed.Benchmarks;

/// <summary>Another program that is measured beside ours: it answers each line of its standard input with a line of seconds.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Process _process;

    /// <param name="command">The program.</param>
    /// <param name="environment">Variables such as the thread count of a library.</param>
    public Peer(string command, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(command) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
    }

    public double Seconds(string request)
    {
        _process.StandardInput.WriteLine(request);
        _process.StandardInput.Flush();
        string answer = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The peer ended at '{request}'.");
        return double.Parse(answer, CultureInfo.InvariantCulture);
    }

    /// <summary>Compiles a C source of the folder <c>peers</c>; null, with the compiler's words, where that is not possible.</summary>
    public static string? Compile(string source, string folder, params string[] libraries)
    {
        string program = Path.Combine(folder, Path.GetFileNameWithoutExtension(source));
        string path = Path.Combine(AppContext.BaseDirectory, "peers", source);
        try
        {
            using Process compiler = Process.Start("gcc", ["-O3", "-march=native", "-o", program, path, .. libraries]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? program : null;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Console.Error.WriteLine($"No peer: {missing.Message}");
            return null;
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
