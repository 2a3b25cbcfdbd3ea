using CsCheck;
using Distributed.Kernels.Products;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class PanelBlockTests
{
    [Fact]
    public void Parts_cover_a_block_and_hold_a_whole_square_where_it_does() =>
        Gen.Select(Gen.Int[0, 5000], Gen.Int[0, 300], Gen.Int[1, 40])
            .Sample(
                (k, depth, parts) =>
                {
                    var block = new PanelBlock(k, depth, Column: 64, Width: 32);
                    var covered = k;
                    for (var part = 0; part < parts; part++)
                    {
                        var rows = block.Section(part, parts);
                        Assert.Equal((64, 32), (rows.Column, rows.Width));
                        if (rows.Depth == 0)
                            continue;
                        Assert.InRange(rows.Depth, Math.Min(depth, 16), depth);
                        Assert.InRange(rows.K, k, covered);
                        covered = rows.K + rows.Depth;
                    }

                    Assert.Equal(k + depth, covered);
                }
            );

    [Fact]
    public void The_default_has_only_empty_parts() => Assert.Equal(default, default(PanelBlock).Section(1, 3));
}
