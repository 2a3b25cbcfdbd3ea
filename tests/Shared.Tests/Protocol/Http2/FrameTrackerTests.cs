using CsCheck;
using Distributed.Protocol.Http2;
using Xunit;

namespace Distributed.Shared.Tests.Protocol.Http2;

public sealed class FrameTrackerTests
{
    private const int Preface = 24;

    [Fact]
    public void Frames_are_found_in_whatever_pieces_their_bytes_go_by() =>
        Gen.Select(Gen.Int[0, 40].List[0, 6], Gen.Int[1, 20].List[1, 10])
            .Sample(
                (lengths, pieces) =>
                {
                    var frames = lengths
                        .Select((length, index) => new Http2Frame(length, Http2FrameType.Data, Flags: 1, index + 1))
                        .ToList();
                    var ends = frames.Aggregate(new List<int> { Preface }, (ends, frame) => [.. ends, ends[^1] + frame.TotalBytes]);
                    var bytes = new byte[ends[^1]];
                    foreach (var (frame, start) in frames.Zip(ends))
                        frame.Write(bytes.AsSpan(start));

                    var tracker = new FrameTracker(Preface);
                    var found = new List<Http2Frame>();
                    for (int start = 0, turn = 0; start < bytes.Length; turn++)
                    {
                        var end = Math.Min(bytes.Length, start + pieces[turn % pieces.Count]);
                        tracker.Pass(bytes.AsSpan(start..end), found.Add);
                        Assert.Equal(ends.Contains(end), tracker.IsBetweenFrames);
                        start = end;
                    }

                    Assert.Equal(frames, found);
                }
            );
}
