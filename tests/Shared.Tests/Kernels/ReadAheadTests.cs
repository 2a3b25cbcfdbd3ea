using System.Numerics;
using CsCheck;
using Distributed.Kernels.Vectors;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class ReadAheadTests
{
    [Fact]
    public void A_walk_requests_each_line_once_and_in_time() =>
        Gen.Select(Gen.Int[1, 32], Gen.Int[1, 50], Gen.Int[1, 3000])
            .Sample(
                (group, groups, terms) =>
                {
                    var walk = new ReadAhead(null, group, step: 0, groups, groupStep: 0, terms);
                    var mask = walk.Mask;
                    Assert.True(BitOperations.IsPow2(mask + 1));
                    Assert.True((mask + 1) * group * groups <= Math.Max(terms, group * groups));
                    for (var line = 0; line < group * groups; line++)
                    {
                        Assert.Equal(mask, walk.Mask);
                        walk.Fetch();
                    }

                    Assert.Equal(-1, walk.Mask);
                }
            );

    [Fact]
    public void The_default_requests_nothing()
    {
        ReadAhead walk = default;
        walk.Fetch();
        Assert.Equal(-1, walk.Mask);
    }
}
