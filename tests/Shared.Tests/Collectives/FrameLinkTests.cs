using Distributed.Collectives;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class FrameLinkTests
{
    private static readonly FrameHeader Header = new(1, new ViewGeneration(1, 1), 1, FrameKind.Block, 0, 100);

    private readonly FrameStream _incoming = new();
    private readonly FrameStream _outgoing = new();

    [Fact]
    public async Task A_vector_is_cut_into_frames_whose_offsets_count_up_and_all_of_it_leaves_before_the_end()
    {
        var values = new float[(2 * WireLimits.FrameElements) + 5];
        var link = new FrameLink(3, _incoming, _outgoing);
        link.Send(Header, values);
        link.Send(Header with { Part = 1 }, new float[7]);
        link.Close();
        await _incoming.EndAsync();
        await link.RunAsync(new Collector(), () => _outgoing.EndAsync(), CancellationToken.None);

        var sent = new List<(int, long, int)>();
        while (await _outgoing.MoveNext(CancellationToken.None))
            sent.Add((_outgoing.Current.Header.Part, _outgoing.Current.Header.Offset, _outgoing.Current.Values.Length));
        Assert.Equal(
            [
                (0, 100, WireLimits.FrameElements),
                (0, 100 + WireLimits.FrameElements, WireLimits.FrameElements),
                (0, 100 + (2 * WireLimits.FrameElements), 5),
                (1, 100, 7),
            ],
            sent
        );
    }

    [Fact]
    public async Task Frames_come_to_the_receiver_in_order_with_the_number_of_the_peer()
    {
        for (var part = 0; part < 5; part++)
            await _incoming.WriteAsync(new Frame(Header with { Part = part }));
        await _incoming.EndAsync();
        var collector = new Collector();
        await new FrameLink(3, _incoming, _outgoing).RunAsync(collector, complete: null, CancellationToken.None);

        Assert.Equal([(3, 0), (3, 1), (3, 2), (3, 3), (3, 4)], collector.Parts);
    }

    [Fact]
    public async Task A_peer_that_ends_its_direction_is_answered_in_kind()
    {
        var link = new FrameLink(3, _incoming, _outgoing);
        var running = link.RunAsync(new Collector(), () => _outgoing.EndAsync(), CancellationToken.None);
        await _incoming.EndAsync();
        await running;

        Assert.False(await _outgoing.MoveNext(CancellationToken.None));
        link.Send(Header, new float[1]);
    }

    [Fact]
    public async Task What_ends_a_direction_early_ends_the_link()
    {
        await _incoming.EndAsync(new IOException("reset"));
        await Assert.ThrowsAsync<IOException>(() =>
            new FrameLink(3, _incoming, _outgoing).RunAsync(new Collector(), complete: null, CancellationToken.None)
        );

        await _outgoing.WriteAsync(new Frame(Header));
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            new FrameLink(3, _outgoing, _incoming).RunAsync(new Refuser(), complete: null, CancellationToken.None)
        );
    }

    private sealed class Collector : IFrameReceiver
    {
        public List<(int Peer, int Part)> Parts { get; } = [];

        public ValueTask ReceiveAsync(int peer, Frame frame, CancellationToken cancellationToken)
        {
            Parts.Add((peer, frame.Header.Part));
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Refuser : IFrameReceiver
    {
        public ValueTask ReceiveAsync(int peer, Frame frame, CancellationToken cancellationToken) => throw new InvalidDataException("no");
    }
}
