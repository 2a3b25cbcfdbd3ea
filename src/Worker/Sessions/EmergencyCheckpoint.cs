using Distributed.Checkpoints;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Worker.Sessions;

/// <summary>
/// The state of a run whose coordinator never returned, on the disk of the worker that holds the most: <c>train --resume</c> goes on
/// from it when it lies in the run folder.
/// </summary>
/// <param name="held">What this worker holds.</param>
/// <param name="token">The run's token.</param>
/// <param name="folder">Where the file is left.</param>
internal sealed class EmergencyCheckpoint(HeldReplica held, RunToken? token, string folder)
{
    /// <summary>How long another worker may take to answer.</summary>
    private static readonly TimeSpan AskingTime = TimeSpan.FromSeconds(3);

    /// <summary>By how much later than this one others may notice that the coordinator does not return.</summary>
    private static readonly TimeSpan LingeringTime = TimeSpan.FromSeconds(5);

    /// <summary>Leaves the state, unless another worker that can be reached holds more.</summary>
    /// <param name="leave">This worker is to end.</param>
    /// <returns>What has become of it, in one line; null if this worker holds no state.</returns>
    public async Task<string?> LeaveAsync(CancellationToken leave)
    {
        if (held.Runner.StateToLeave(held.MomentNames) is not { } state || held.Runner.LastView is not { } last)
            return null;
        var own = held.Runner.Held;
        var addresses = last.View.Members.Where((_, rank) => rank != last.View.Rank).Select(member => member.Address);
        List<HeldState> others = [.. (await Task.WhenAll(addresses.Select(address => AskAsync(address, own)))).OfType<HeldState>()];
        if (others.Find(other => StateComparison.LeavesItTo(own, other)) is { } better)
            return $"worker {better.Worker} holds as much or more of the run, and leaves it as an emergency checkpoint";
        var line = Write(state);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(leave);
        patience.CancelAfter(LingeringTime);
        await held.Comparison.AskedByAsync(others, patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return line;
    }

    // Who cannot be reached has ended, or is cut off; either way it cannot be relied on.
    private async Task<HeldState?> AskAsync(string address, HeldState own)
    {
        try
        {
            using var peer = new Connection(address, token);
            return await new Peers.PeersClient(peer.Calls).CompareAsync(own, deadline: DateTime.UtcNow + AskingTime);
        }
        catch (RpcException)
        {
            return null;
        }
    }

    private string Write(Checkpoint state)
    {
        try
        {
            var format = new CheckpointFormat(held.Run.Settings.Network.Layout, held.Settings.ConfigurationHash);
            var path = EmergencyFile.Write(folder, format, state);
            return $"the state after step {state.Step} is in {path}: copy it into the run folder, and go on with: train --run DIR --resume";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InputException)
        {
            return $"the state after step {state.Step} cannot be left in {Path.GetFullPath(folder)} ({exception.Message.TrimEnd('.')}); "
                + "the run goes on from its last checkpoint; name a folder that can be written by --emergency-dir";
        }
    }
}
