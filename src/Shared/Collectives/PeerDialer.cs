using System.Net.Sockets;
using Distributed.Collectives.Transports;
using Distributed.Collectives.Transports.Calls;
using Distributed.Collectives.Transports.SharedMemory;
using Distributed.Collectives.Transports.Streams;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>
/// Opens a member's links: calls Peers.Connect for a ticket, and uses it to open a raw stream, or an exchange call where no stream is
/// acknowledged in time.
/// </summary>
/// <param name="identity">The view, as the dialling member sees it.</param>
/// <param name="settings">How gradients are to travel.</param>
/// <param name="sharedMemory">What is offered to the peers; null if nothing is.</param>
/// <param name="receiver">Takes what arrives.</param>
/// <param name="token">The run's token.</param>
internal sealed class PeerDialer(
    ViewIdentity identity,
    ExchangeSettings settings,
    SharedMemoryPeers? sharedMemory,
    ILinkReceiver receiver,
    RunToken? token
)
{
    /// <summary>How long a raw stream may take to be acknowledged before calls are used instead.</summary>
    private static readonly TimeSpan StreamTime = TimeSpan.FromSeconds(5);

    /// <summary>How long a peer's system may give no sign of life before its calls fail.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    /// <summary>Why a peer is reached by calls though a raw stream was to be had, with its name; empty if none is.</summary>
    public string Refusal { get; private set; } = "";

    /// <summary>Opens a link, which is yet to be started.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="address">Where it listens.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">The peer cannot be reached.</exception>
    public async Task<Link> DialAsync(int peer, string address, CancellationToken cancellationToken)
    {
        var connection = new Connection(address, token, Silence);
        try
        {
            var reply = await ConnectAsync(connection, cancellationToken);
            var isShared = sharedMemory?.Complete(peer, reply.Memory) ?? false;
            var stream =
                settings.Transport == TransportMode.Grpc ? null : await TryStreamAsync(peer, address, reply, isShared, cancellationToken);
            if (stream is null)
                return Call(peer, Tickets.Read(reply.CallTicket.Span), isShared, connection);
            connection.Dispose();
            return stream;
        }
        catch (RpcException exception)
        {
            connection.Dispose();
            throw Lost(peer, $"{address} cannot be reached: {WireErrors.Cause(exception)}", exception);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private async Task<ConnectReply> ConnectAsync(Connection connection, CancellationToken cancellationToken)
    {
        var request = new ConnectRequest
        {
            Run = identity.Run,
            Generation = identity.Generation.ToMessage(),
            Rank = identity.Rank,
            Memory = sharedMemory?.Offer() ?? new MemoryOffer { Refusal = "it does not share memory in this view" },
        };
        return await new Peers.PeersClient(connection.Calls).ConnectAsync(request, cancellationToken: cancellationToken);
    }

    private async Task<Link?> TryStreamAsync(
        int peer,
        string address,
        ConnectReply reply,
        bool isShared,
        CancellationToken cancellationToken
    )
    {
        Socket? socket = null;
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(StreamTime);
        try
        {
            socket = await StreamDialer.ConnectAsync(new Uri(address), settings.UsesLocalSockets ? reply.LocalSocket : "", bounded.Token);
            await new StreamPreamble(Tickets.Read(reply.StreamTicket.Span), isShared).SendAsync(socket, bounded.Token);
            return new StreamLink(peer, new NetworkStream(socket, ownsSocket: true), receiver);
        }
        catch (Exception exception)
            when (exception is SocketException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            socket?.Dispose();
            var cause = exception is OperationCanceledException ? "no answer in time" : exception.Message;
            if (settings.Transport == TransportMode.Tcp)
                throw Lost(peer, $"no raw stream to {address}: {cause}; use --transport auto or grpc", exception);
            Refusal = $"{identity.Members[peer]}: no raw stream to {address} ({cause})";
            return null;
        }
    }

    private CallLink Call(int peer, UInt128 ticket, bool isShared, Connection connection)
    {
        var headers = new Metadata { { CallLink.TicketHeader, Tickets.Text(ticket) }, { CallLink.SharedHeader, isShared ? "1" : "0" } };
        var call = new Tensors.TensorsClient(connection.Calls).Exchange(headers);
        return new CallLink(
            identity,
            peer,
            receiver,
            call.ResponseStream,
            call.RequestStream,
            call.RequestStream.CompleteAsync,
            new Disposables(call, connection)
        );
    }

    private PeerFailureException Lost(int peer, string cause, Exception exception) =>
        new(identity.Members[peer], 0, Phase.StateTransfer, cause, exception);

    private sealed class Disposables(params IDisposable[] owned) : IDisposable
    {
        public void Dispose()
        {
            foreach (var one in owned)
                one.Dispose();
        }
    }
}
