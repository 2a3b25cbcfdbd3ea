using System.Net;
using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>Takes workers' sessions and turns what happens on them into events.</summary>
/// <param name="door">Where the events go.</param>
internal sealed class SessionService(SessionAdmission door) : Protocol.Cluster.ClusterBase
{
    /// <inheritdoc />
    public override async Task Session(
        IAsyncStreamReader<WorkerMessage> requestStream,
        IServerStreamWriter<CoordinatorMessage> responseStream,
        ServerCallContext context
    )
    {
        var join = await ReadJoinAsync(requestStream, context.CancellationToken);
        if (door.Refusal(join) is { } refusal)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, refusal));
        var reachedAt = context.GetHttpContext().Connection.LocalIpAddress;
        var session = door.Admit(join, ReachableAddress(join.Address, context), reachedAt is null ? null : Plain(reachedAt));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var sending = SendAsync(session, responseStream, ended);
        var cause = "it closed the connection";
        try
        {
            while (await requestStream.MoveNext(ended.Token))
                await door.Events.WriteAsync(new MessageReceived(session, requestStream.Current), ended.Token);
            await sending;
        }
        catch (Exception exception)
            when (exception is IOException or OperationCanceledException or RpcException or InvalidOperationException)
        {
            cause = sending is { Exception.InnerException: { } unsent }
                ? $"nothing can be sent to it: {WireErrors.Cause(unsent)}"
                : WireErrors.Cause(exception);
        }
        finally
        {
            door.Events.TryWrite(new MemberGone(session, cause));
        }
    }

    // A session that can only be read from is none.
    private static async Task SendAsync(
        MemberSession session,
        IServerStreamWriter<CoordinatorMessage> responseStream,
        CancellationTokenSource ended
    )
    {
        try
        {
            await session.SendLoopAsync(responseStream, ended.Token);
        }
        catch
        {
            await ended.CancelAsync();
            throw;
        }
    }

    private static async Task<Join> ReadJoinAsync(IAsyncStreamReader<WorkerMessage> incoming, CancellationToken cancellationToken)
    {
        if (!await incoming.MoveNext(cancellationToken) || incoming.Current.BodyCase != WorkerMessage.BodyOneofCase.Join)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "a session begins with Join"));
        return incoming.Current.Join;
    }

    // A worker that listens on every address of its machine does not know which of them others see; the coordinator does.
    private static string ReachableAddress(string address, ServerCallContext context)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri))
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"'{address}' is not an address"));
        return ReachableAddress(uri, context.GetHttpContext().Connection.RemoteIpAddress) ?? address;
    }

    /// <summary>The address of a worker as others reach it; null if it is the one that the worker says.</summary>
    /// <param name="address">What it says.</param>
    /// <param name="remote">Where it connects from; null if that is not known.</param>
    /// <exception cref="RpcException">Only processes of its own machine can reach it.</exception>
    internal static string? ReachableAddress(Uri address, IPAddress? remote)
    {
        if (remote is null)
            return null;
        var isAddress = IPAddress.TryParse(address.DnsSafeHost, out var ip);
        if ((address.IsLoopback || (isAddress && IPAddress.IsLoopback(ip!))) && !IPAddress.IsLoopback(Plain(remote)))
        {
            throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    $"this worker listens at {address}, which no other machine can reach: start it with --listen http://0.0.0.0:5001, or with "
                        + "--advertise and an address that others reach it at"
                )
            );
        }

        var isWildcard = isAddress && (ip!.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        return isWildcard ? new UriBuilder(address) { Host = Plain(remote).ToString() }.Uri.ToString() : null;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}

/// <summary>Numbers the workers that join, and passes events on to the control loop.</summary>
/// <param name="events">Where events go.</param>
internal sealed class SessionAdmission(ChannelWriter<ClusterEvent> events)
{
    private int _last;

    /// <summary>Where events go.</summary>
    public ChannelWriter<ClusterEvent> Events => events;

    /// <summary>Why a worker of another build is not taken in, which the run is told of; null if it is of this one.</summary>
    /// <param name="join">What it says of itself.</param>
    public string? Refusal(Join join)
    {
        var own = new BuildVersions(ProtocolVersion.Current, NumericsVersion.Current);
        if (BuildVersions.Mismatch(new BuildVersions(join.ProtocolVersion, join.NumericsVersion), own) is not { } reason)
            return null;
        events.TryWrite(new JoinRefused($"a worker on {join.Host} was refused: {reason}"));
        return reason;
    }

    /// <summary>Gives a worker its number.</summary>
    /// <param name="join">What it says of itself.</param>
    /// <param name="address">Where its peers reach it.</param>
    /// <param name="reachedAt">The address of this machine that it has connected to.</param>
    public MemberSession Admit(Join join, string address, IPAddress? reachedAt)
    {
        var session = new MemberSession(Interlocked.Increment(ref _last), join, address) { ReachedAt = reachedAt };
        if (!events.TryWrite(new MemberJoined(session)))
            throw new RpcException(new Status(StatusCode.Unavailable, "the run has ended"));
        return session;
    }
}
