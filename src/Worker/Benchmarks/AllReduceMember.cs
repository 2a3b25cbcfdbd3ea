using System.Globalization;
using System.Text.Json;
using Distributed.Collectives;
using Distributed.Kernels.Threads;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.CommandLine;
using Distributed.Worker.Computing;

namespace Distributed.Worker.Benchmarks;

/// <summary>
/// One worker of <c>coordinator bench allreduce</c>, which talks to it by lines: it is told the token, says its address and is told those
/// of all; then each request (transport, elements, steps, perhaps in-place) is a view, answered by its timings. It ends with its standard input.
/// </summary>
internal static class AllReduceMember
{
    /// <summary>Serves requests until there are no more.</summary>
    /// <param name="rank">This worker's rank.</param>
    /// <param name="listen">Where the others reach it on a machine of its own; null if all are on this one.</param>
    public static async Task<int> RunAsync(int rank, string? listen)
    {
        if (!RunToken.TryParse(await Console.In.ReadLineAsync(), out var token))
            return ExitCode.BadUsage;
        await using var server = await PeerServer.StartAsync(
            new Uri(listen ?? new WorkerOptions { Coordinator = "" }.Listen),
            token,
            CancellationToken.None
        );
        await Console.Out.WriteLineAsync(server.Address.ToString());
        var addresses = (await Console.In.ReadLineAsync() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var thread = new ComputeThread();
        await KeepAsync(thread, ProcessorShare.Of(ThreadAffinity.Allowed(), rank + 1, listen is null ? addresses.Length : 0, threads: 1));
        for (uint number = 1; await Console.In.ReadLineAsync() is { } request; number++)
        {
            var identity = new ViewIdentity(
                Run: 1,
                new ViewGeneration(1, number),
                rank,
                [.. addresses.Select((_, peer) => $"worker {peer + 1}")]
            );
            await Console.Out.WriteLineAsync(
                JsonSerializer.Serialize(await TimeAsync(identity, addresses, request.Split(' '), token, server.Directory, thread))
            );
        }

        return ExitCode.Done;
    }

    // As in training.
    private static async Task KeepAsync(ComputeThread thread, IReadOnlyList<int> processors)
    {
        if (processors.Count == 0)
            return;
        using var team = new ComputeTeam(threads: 1);
        await thread.RunAsync(() => team.Pin(processors));
    }

    private static async Task<AllReduceTimings> TimeAsync(
        ViewIdentity identity,
        string[] addresses,
        string[] request,
        RunToken token,
        ViewDirectory directory,
        ComputeThread thread
    )
    {
        // Over loopback, tcp means the network's protocol here, and unix the sockets that training would use.
        var transport = request[0] is "unix" ? TransportMode.Tcp : Enum.Parse<TransportMode>(request[0], ignoreCase: true);
        var (length, steps) = (int.Parse(request[1], CultureInfo.InvariantCulture), int.Parse(request[2], CultureInfo.InvariantCulture));
        var settings = AllReduceBenchmark.Settings(length, addresses.Length, transport, usesLocalSockets: request[0] is not "tcp");
        await using var view = await ExchangeView.OpenAsync(identity, addresses, settings, token, directory, CancellationToken.None);
        AllReduceTimings? timings = null;
        await thread.RunAsync(() =>
            timings = new AllReduceBenchmark(
                view,
                length,
                identity.Rank,
                addresses.Length,
                inPlace: request is [.., AllReduceTimings.InPlace]
            ).Run(steps, CancellationToken.None)
        );
        return timings!;
    }
}
