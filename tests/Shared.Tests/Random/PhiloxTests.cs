using System.Runtime.Intrinsics;
using Distributed.Random;
using Xunit;

namespace Distributed.Shared.Tests.Random;

public sealed class PhiloxTests
{
    /// <summary>The philox4x32-10 lines of kat_vectors in Random123, the authors' own distribution.</summary>
    public static TheoryData<uint[], ulong, uint[]> PublishedVectors =>
        new()
        {
            { [0, 0, 0, 0], 0, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
            { [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], 0xffffffff_ffffffff, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
            { [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0x299f31d0_a4093822, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1] },
        };

    [Theory]
    [MemberData(nameof(PublishedVectors))]
    public void Block_agrees_with_the_published_known_answers(uint[] counter, ulong key, uint[] expected)
    {
        var block = Philox.Block(Vector128.Create(counter), key);

        Assert.Equal(Vector128.Create(expected), block);
    }
}
