using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>Another process of the run failed this one. Names who, at which step, in which phase, and the likely cause.</summary>
/// <param name="peer">Who: <c>worker 2</c>, or <c>the coordinator</c>.</param>
/// <param name="step">The step, or 0 before the first.</param>
/// <param name="phase">The phase of the step.</param>
/// <param name="cause">The likely cause.</param>
/// <param name="inner">What was thrown.</param>
internal sealed class PeerFailureException(string peer, long step, Phase phase, string cause, Exception? inner = null)
    : Exception($"{peer} failed at step {step} in {WireErrors.Name(phase)}: {cause}", inner)
{
    /// <summary>Who failed.</summary>
    public string Peer { get; } = peer;

    /// <summary>The step, or 0 before the first.</summary>
    public long Step { get; } = step;

    /// <summary>The phase of the step.</summary>
    public Phase Phase { get; } = phase;

    /// <summary>The likely cause.</summary>
    public string Cause { get; } = cause;
}

/// <summary>The one mapping between errors of the wire and what a person is told.</summary>
internal static class WireErrors
{
    /// <summary>The likely cause behind an exception from a call, in a few words.</summary>
    /// <param name="exception">What a call threw.</param>
    public static string Cause(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception switch
        {
            RpcException { StatusCode: StatusCode.Unauthenticated } => "it refused the run token (is --token-file the same on both sides?)",
            RpcException { StatusCode: StatusCode.Unavailable or StatusCode.Internal or StatusCode.Unknown } rpc
                when Innermost(rpc) is IOException or System.Net.Sockets.SocketException or HttpRequestException =>
                "the connection was closed (" + Innermost(rpc).Message.TrimEnd('.') + ")",
            RpcException { StatusCode: StatusCode.Cancelled } => "the connection was closed (the call was cancelled)",
            RpcException rpc => rpc.Status.Detail is { Length: > 0 } detail ? detail : rpc.StatusCode.ToString(),
            IOException or OperationCanceledException => "the connection was closed",
            _ => exception.Message,
        };
    }

    /// <summary>A phase as it is written in messages.</summary>
    /// <param name="phase">The phase.</param>
    public static string Name(Phase phase) =>
        phase switch
        {
            Phase.Idle => "waiting for work",
            Phase.StateTransfer => "state transfer",
            Phase.ForwardBackward => "forward and backward",
            Phase.ReduceScatter => "reduce-scatter",
            Phase.AllGather => "all-gather",
            Phase.Evaluation => "evaluation",
            Phase.Snapshot => "snapshot",
            Phase.Broadcast => "broadcast",
            _ => phase.ToString(),
        };

    private static Exception Innermost(RpcException exception)
    {
        var inner = exception.Status.DebugException ?? exception;
        while (inner.InnerException is { } next)
            inner = next;
        return inner;
    }
}
