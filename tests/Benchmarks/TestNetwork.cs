using System.Diagnostics;
using System.Globalization;

namespace Distributed.Benchmarks;

/// <summary>
/// Three hosts on one machine, as network namespaces, made by the script that the variable <c>NET</c> names: <c>up</c>, <c>down</c>,
/// <c>cut A B</c>, <c>heal A B</c>, <c>isolate HOST</c> and <c>rejoin HOST</c>.
/// </summary>
internal sealed class TestNetwork : IDisposable
{
    private const int Hosts = 3;
    private static readonly TimeSpan LongestPartition = TimeSpan.FromSeconds(6);

    private readonly string _script;
    private int _joined;

    private TestNetwork(string script)
    {
        _script = script;
        Run("down");
        if (Run("up") != 0)
            throw new InvalidOperationException($"{script} up failed; it needs root, iproute2 and iptables.");
    }

    /// <summary>The coordinator's address, without the port.</summary>
    public static string Coordinator => "10.77.0.10";

    /// <summary>The network, or null if the variable names none.</summary>
    public static TestNetwork? Create() =>
        Environment.GetEnvironmentVariable("NET") is { Length: > 0 } script ? new TestNetwork(script) : null;

    /// <summary>Where the next worker that joins runs: its host, and the address that it listens at.</summary>
    public (int Host, string Address) Next()
    {
        var host = 1 + (_joined++ % (Hosts - 1));
        return (host, string.Create(CultureInfo.InvariantCulture, $"http://10.77.0.1{host}:0"));
    }

    /// <summary>A process on a host.</summary>
    /// <param name="host">The host, from 0.</param>
    /// <param name="executable">What runs there.</param>
    /// <param name="arguments">Its command line.</param>
    public static ProcessStartInfo On(int host, string executable, IEnumerable<string> arguments) =>
        new("ip", ["netns", "exec", string.Create(CultureInfo.InvariantCulture, $"dt{host}"), executable, .. arguments]);

    /// <summary>Parts hosts for some seconds: two of them, or one from all others. Packets vanish, and nobody is told.</summary>
    /// <returns>How often.</returns>
    public int Part(System.Random random)
    {
        var host = random.Next(Hosts);
        var other = (host + 1 + random.Next(Hosts - 1)) % Hosts;
        var isIsolated = random.Next(3) == 0;
        string[] hosts = isIsolated ? [Text(host)] : [Text(host), Text(other)];
        Run([isIsolated ? "isolate" : "cut", .. hosts]);
        Thread.Sleep(LongestPartition * random.NextDouble());
        Run([isIsolated ? "rejoin" : "heal", .. hosts]);
        return 1;
    }

    public void Dispose() => Run("down");

    private static string Text(int host) => host.ToString(CultureInfo.InvariantCulture);

    private int Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [_script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return process.ExitCode;
    }
}
