using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Collectives.Transports.SharedMemory;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.SharedMemory;

/// <summary>
/// A process of its own that holds a region until it is killed: this assembly, which runs <see cref="RegionHolderProgram"/>.
/// </summary>
internal sealed class RegionHolder : IDisposable
{
    /// <summary>What the process writes before its offer.</summary>
    public const string Announcement = "region:";

    /// <summary>Tells the process that it is one, and not a test among others.</summary>
    public const string Variable = "DISTRIBUTED_TESTS_HOLD_REGION";

    /// <summary>What stands in the region.</summary>
    public const float Value = 1.25f;

    private readonly Process _process;

    private RegionHolder(ProcessStartInfo start) => _process = Process.Start(start)!;

    public static RegionLayout Layout { get; } = new(Members: 2, Buckets: 1, Nodes: 1, Length: 100_000);

    public static RegionHolder Start()
    {
        var host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        string[] arguments = ["exec", typeof(RegionHolder).Assembly.Location, "-noColor", "-class", typeof(RegionHolderProgram).FullName!];
        var start = new ProcessStartInfo(host, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment[Variable] = "1";
        return new RegionHolder(start);
    }

    /// <summary>Waits until the process has made its region.</summary>
    public async Task<RegionOffer> OfferAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.IndexOf(Announcement, StringComparison.Ordinal) is >= 0 and var start)
                return Parse(line[(start + Announcement.Length)..].Split(','));
        }

        throw new InvalidOperationException("The process ended without a region.");
    }

    /// <summary>Sends SIGKILL and waits for the end.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    private static RegionOffer Parse(string[] fields) =>
        new(
            int.Parse(fields[0], CultureInfo.InvariantCulture),
            int.Parse(fields[1], CultureInfo.InvariantCulture),
            long.Parse(fields[2], CultureInfo.InvariantCulture),
            UInt128.Parse(fields[3], CultureInfo.InvariantCulture)
        );
}

/// <summary>What the process of a <see cref="RegionHolder"/> does; among other tests, that a region keeps what is written to it.</summary>
public sealed class RegionHolderProgram
{
    [Fact]
    public void Holds_a_region_until_it_is_killed()
    {
        using var region = SharedRegion.TryCreate(RegionHolder.Layout, out _)!;
        region.Node(0).GetSpan().Fill(RegionHolder.Value);
        Assert.All(region.Node(0).GetSpan().ToArray(), value => Assert.Equal(RegionHolder.Value, value));
        if (Environment.GetEnvironmentVariable(RegionHolder.Variable) is null)
            return;
        var offer = region.Offer();
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{RegionHolder.Announcement}{offer.ProcessId},{offer.Descriptor},{offer.Bytes},{offer.Nonce}"
            )
        );
        Console.ReadLine(); // until its parent ends
    }
}
