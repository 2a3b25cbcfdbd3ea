using System.Security.Cryptography;
using Distributed.Checkpoints;
using Xunit;

namespace Distributed.Shared.Tests.Checkpoints;

public sealed class WeightsHashTests
{
    [Fact]
    public void ItIsTheSHA256OfTheLittleEndianBytes()
    {
        byte[] bytes = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), WeightsHash.Compute([1f, -2f]));
    }

    [Fact]
    public void ALongVectorIsHashedAsAWhole()
    {
        var values = new float[200_000];
        values[^1] = 1;
        var bytes = new byte[values.Length * sizeof(float)];
        bytes[^1] = 0x3f;
        bytes[^2] = 0x80;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), WeightsHash.Compute(values));
    }

    [Fact]
    public void ZerosOfAnotherSignAreOtherBits() => Assert.NotEqual(WeightsHash.Compute([0f]), WeightsHash.Compute([-0f]));
}
