using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class ChannelOrderTests : IDisposable
{
    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Every_value_keeps_its_bits_and_goes_to_its_place() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 70], Gen.Int[1, 130], Gen.Int[0, 2])
            .Sample(
                (rows, channels, pixels, team) =>
                {
                    var planar = Oracle.Values(rows * channels * pixels, 1);
                    planar[^1] = -0f;
                    planar[0] = float.NaN;
                    planar[planar.Length / 2] = float.Epsilon;
                    var expected = new float[planar.Length];
                    for (var row = 0; row < rows; row++)
                    {
                        var sample = (row * channels * pixels)..((row + 1) * channels * pixels);
                        Oracle.Transpose(planar[sample], channels, pixels).CopyTo(expected.AsSpan(sample));
                    }

                    var last = new GuardedBuffer(planar.Length);
                    ChannelOrder.ToChannelsLast(planar, channels, pixels, last.Span, _teams[team]);
                    BitAssert.Equal(expected, last.Span.ToArray());
                    last.AssertGuards();

                    var back = new GuardedBuffer(planar.Length);
                    ChannelOrder.ToPlanar(last.Span, channels, pixels, back.Span, _teams[team]);
                    BitAssert.Equal(planar, back.Span.ToArray());
                    back.AssertGuards();
                },
                threads: 1
            ); // a team runs one work at a time

    [Fact]
    public void Threads_do_not_change_where_a_value_goes()
    {
        var planar = Oracle.Values(64 * 49 * 11, 1); // enough elements to be shared out
        float[] one = new float[planar.Length],
            three = new float[planar.Length];
        ChannelOrder.ToChannelsLast(planar, 64, 49, one, _teams[0]);
        ChannelOrder.ToChannelsLast(planar, 64, 49, three, _teams[2]);
        BitAssert.Equal(one, three);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>("source", () => ChannelOrder.ToPlanar(new float[13], 2, 3, new float[13], _teams[0]));
        Assert.Throws<ArgumentException>("source", () => ChannelOrder.ToPlanar(new float[12], 0, 3, new float[12], _teams[0]));
        Assert.Throws<ArgumentException>("destination", () => ChannelOrder.ToChannelsLast(new float[12], 2, 3, new float[6], _teams[0]));
    }
}
