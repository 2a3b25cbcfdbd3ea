using Distributed.Integration.Support;
using Distributed.Protocol;
using Grpc.Core;
using Grpc.Health.V1;
using Xunit;

namespace Distributed.Integration;

/// <summary>Every call needs the run's token, to the coordinator and to workers alike; only health is public.</summary>
public sealed class TokenTests
{
    private static readonly (string Name, Func<CallInvoker, Task> Call)[] Calls = [("Session", async calls =>
        {
            using var call = new Protocol.Cluster.ClusterClient(calls).Session();
            await call.ResponseStream.MoveNext(CancellationToken.None);
        }), ("Exchange", async calls =>
        {
            using var call = new Tensors.TensorsClient(calls).Exchange([]);
            await call.ResponseStream.MoveNext(CancellationToken.None);
        }), ("FetchState", async calls =>
        {
            using var call = new Tensors.TensorsClient(calls).FetchState(new StateRequest());
            await call.ResponseStream.MoveNext(CancellationToken.None);
        }), ("ReadState", async calls =>
        {
            using var call = new Tensors.TensorsClient(calls).ReadStateAsync(new StateOffer());
            await call.ResponseAsync;
        }), ("StoreState", async calls =>
        {
            using var call = new Tensors.TensorsClient(calls).StoreState();
            await call.ResponseAsync;
        })];

    [Fact]
    public async Task A_coordinator_answers_nobody_without_the_token_but_says_that_it_is_well()
    {
        using var folder = new TempFolder();
        await using var coordinator = Waiting(folder, workers: 0);
        var address = await coordinator.ListeningAsync();

        await RefusesStrangersAsync(address, Calls);
        using var known = new Connection(address, TokenOf(folder));
        var answer = await Assert.ThrowsAsync<RpcException>(() => Calls.Single(call => call.Name == "FetchState").Call(known.Calls));
        Assert.Equal("the request belongs to another run", answer.Status.Detail);
    }

    [Fact]
    public async Task A_worker_answers_nobody_without_the_token_but_says_that_it_is_well()
    {
        using var folder = new TempFolder();
        await using var coordinator = Waiting(folder, workers: 1);
        var worker = Assert.Single(await coordinator.JoinedAsync(1));

        await RefusesStrangersAsync(worker.Address, Calls.Where(call => call.Name != "Session"));
    }

    [Fact]
    public async Task The_token_stands_in_no_file_of_the_run_nor_in_any_output_nor_in_arguments()
    {
        using var folder = new TempFolder();
        string token;
        var told = new List<string>();
        await using (var coordinator = Waiting(folder, workers: 1))
        {
            await coordinator.ListeningAsync();
            token = TokenOf(folder).Reveal();
            foreach (var process in (int[])[coordinator.Id, .. (await coordinator.JoinedAsync(1)).Select(worker => worker.ProcessId)])
                told.Add(OperatingSystem.IsLinux() ? File.ReadAllText($"/proc/{process}/cmdline") : "");
            Signal.Terminate(coordinator.Id);
            told.Add((await coordinator.ExitAsync()).ErrorText);
        }

        told.AddRange(Directory.EnumerateFiles(folder["run"], "*", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.All(told, text => Assert.DoesNotContain(token, text, StringComparison.OrdinalIgnoreCase));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder["token"]));
    }

    // A coordinator that waits for one worker more than it has.
    private static CoordinatorProcess Waiting(TempFolder folder, int workers) =>
        CoordinatorProcess.Open(folder, workers, minimum: workers + 1, "--steps", "5");

    private static RunToken TokenOf(TempFolder folder)
    {
        Assert.True(RunToken.TryParse(File.ReadAllText(folder["token"]), out var token));
        return token;
    }

    private static async Task RefusesStrangersAsync(string address, IEnumerable<(string Name, Func<CallInvoker, Task> Call)> calls)
    {
        using var without = new Connection(address, token: null);
        using var wrong = new Connection(address, RunToken.Create());
        foreach (var (name, call) in calls)
        {
            foreach (var stranger in (Connection[])[without, wrong])
            {
                var refusal = await Assert.ThrowsAsync<RpcException>(() => call(stranger.Calls));
                Assert.True(refusal.StatusCode == StatusCode.Unauthenticated, $"{name}: {refusal.Status}");
            }
        }

        var health = await new Health.HealthClient(without.Calls).CheckAsync(new HealthCheckRequest());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
    }
}
