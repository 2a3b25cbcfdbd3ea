using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Collectives;
using Distributed.Collectives.Transports;
using Distributed.Collectives.Transports.SharedMemory;
using Distributed.Collectives.Transports.Streams;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>How the members of a group reach each other where they do not share memory.</summary>
public enum Way
{
    /// <summary>Plain sockets, which the compute thread reads itself.</summary>
    Sockets = 0,

    /// <summary>Any other stream: here, encrypted ones.</summary>
    Encrypted,
}

/// <summary>The members of a view, connected by real streams, and the first few of them by shared memory, as on one host.</summary>
internal sealed class ExchangeGroup : IAsyncDisposable
{
    public const ulong Run = 42;

    private const int MostMicrobatches = 21;

    private static readonly Lazy<X509Certificate2> Certificate = new(CreateCertificate);

    private readonly List<SharedMemoryPeers> _sharing;
    private readonly List<StreamLink> _links = [];

    private ExchangeGroup(int[] shares, IReadOnlyList<Bucket> buckets, Leaves leaves, int sharing, SliceOwners owners, bool needsWhole)
    {
        var members = shares.Length + (owners == SliceOwners.ParameterServer ? 1 : 0);
        var identities = Enumerable.Range(0, members).Select(rank => Identity(members, rank)).ToList();
        _sharing =
        [
            .. identities
                .Take(sharing)
                .Select(identity => new SharedMemoryPeers(
                    identity,
                    buckets.Count,
                    ReductionTree.MaximumNodes(MostMicrobatches),
                    leaves.Length,
                    threads: 1
                )),
        ];
        Members =
        [
            .. identities.Select(
                (identity, rank) =>
                    new ExchangeMember(
                        identity,
                        shares,
                        buckets,
                        leaves,
                        _sharing.ElementAtOrDefault(rank)?.Memory ?? new PrivateMemory(leaves.Length),
                        owners,
                        needsWhole
                    )
            ),
        ];
    }

    public static ViewGeneration Generation { get; } = new(1, 3);

    public IReadOnlyList<ExchangeMember> Members { get; }

    public long BytesSentBy(int rank) => _links.Where((_, index) => _ranks[index] == rank).Sum(link => link.BytesSent);

    private readonly List<int> _ranks = [];

    public static async Task<ExchangeGroup> ConnectAsync(
        int[] shares,
        IReadOnlyList<Bucket> buckets,
        Leaves leaves,
        int sharing,
        Way way = Way.Sockets,
        SliceOwners owners = SliceOwners.Workers,
        bool needsWholeGradient = false
    )
    {
        var group = new ExchangeGroup(shares, buckets, leaves, sharing, owners, needsWholeGradient);
        await group.ConnectAsync(way);
        return group;
    }

    public static ViewIdentity Identity(int members, int rank) =>
        new(Run, Generation, rank, [.. Enumerable.Range(11, members).Select(worker => $"worker {worker}")]);

    /// <summary>Two ends of a connection over loopback.</summary>
    public static async Task<(Socket Near, Socket Far)> SocketsAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await near.ConnectAsync(listener.LocalEndPoint!);
        var far = await listener.AcceptAsync();
        far.NoDelay = true;
        return (near, far);
    }

    /// <summary>Ends a member's links: in order, or as when its process dies.</summary>
    public async Task EndAsync(int rank, bool inOrder)
    {
        for (var index = 0; index < _links.Count; index++)
        {
            if (_ranks[index] != rank)
                continue;
            if (inOrder)
                await _links[index].CompleteAsync();
            else
                await _links[index].AbandonAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links)
            await link.AbandonAsync();
        foreach (var memory in _sharing)
            memory.Dispose();
    }

    private async Task ConnectAsync(Way way)
    {
        for (var rank = 0; rank < _sharing.Count; rank++)
        {
            for (var peer = 0; peer < rank; peer++)
                _sharing[peer].Conclude(rank, _sharing[rank].Complete(peer, _sharing[peer].Answer(rank, _sharing[rank].Offer())));
        }

        var frames = Members.Select((member, rank) => new LinkTransport(rank, Members.Count, PeersOf(rank), member.Memory)).ToList();
        for (var rank = 0; rank < Members.Count; rank++)
        {
            var shared = rank < _sharing.Count ? _sharing[rank].Connect(Members[rank].Exchange) : [];
            frames[rank].Release(shared);
            Members[rank].Exchange.Use(frames[rank], PeersOf(rank).Except(shared));
            foreach (var peer in PeersOf(rank).Where(peer => peer < rank))
                await LinkAsync(rank, peer, frames, way);
        }

        if (OperatingSystem.IsLinux())
            Assert.All(_sharing, memory => Assert.Equal(_sharing.Count - 1, memory.Count));
    }

    private IEnumerable<int> PeersOf(int rank) => Enumerable.Range(0, Members.Count).Where(peer => Members[rank].Plan.Exchange(rank, peer));

    private async Task LinkAsync(int rank, int peer, List<LinkTransport> frames, Way way)
    {
        var (near, far) = await SocketsAsync();
        Stream here = new NetworkStream(near, ownsSocket: true),
            there = new NetworkStream(far, ownsSocket: true);
        if (way == Way.Encrypted)
            (here, there) = await EncryptAsync(here, there);
        Add(rank, peer, here, frames);
        Add(peer, rank, there, frames);
    }

    private void Add(int rank, int peer, Stream stream, List<LinkTransport> frames)
    {
        var link = new StreamLink(peer, stream, frames[rank]);
        frames[rank].Attach(link);
        _links.Add(link);
        _ranks.Add(rank);
        link.Start();
        _ = TellEndAsync(Members[rank].Exchange, link);
    }

    private static async Task TellEndAsync(AllReduce exchange, StreamLink link) => exchange.LinkEnded(link.Peer, await link.Ended);

    private static async Task<(Stream, Stream)> EncryptAsync(Stream near, Stream far)
    {
        var client = new SslStream(near, leaveInnerStreamOpen: false, (_, seen, _, _) =>
            seen?.GetCertHashString() == Certificate.Value.GetCertHashString()
        );
        var server = new SslStream(far);
        await Task.WhenAll(client.AuthenticateAsClientAsync("peer"), server.AuthenticateAsServerAsync(Certificate.Value));
        return (client, server);
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=peer", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
