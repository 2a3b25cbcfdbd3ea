using System.Runtime.Intrinsics;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>
/// The golden models on the instruction sets of this process. <see cref="GoldenHashProcessTests"/> runs this class again in processes that
/// lack some. If a hash changes, the arithmetic has changed: see <see cref="GoldenHashTests"/>.
/// </summary>
public sealed class GoldenHashModelTests
{
    public static TheoryData<string> Names => [.. GoldenModels.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_few_steps_end_in_the_same_bits_as_ever(string name)
    {
        var model = GoldenModels.All[name];
        Assert.Equal(model.Hash, model.Train(threads: 1));
        Assert.Equal(model.Hash, model.Train(threads: 2));
    }

    /// <summary>Where the runtime is told to do without instructions, it does; otherwise the hashes would prove nothing.</summary>
    [Fact]
    public void The_process_lacks_the_instructions_that_are_switched_off()
    {
        Assert.False(IsOff("EnableAVX512") && Vector512.IsHardwareAccelerated);
        Assert.False(IsOff("EnableAVX2") && Vector256.IsHardwareAccelerated);
        Assert.False(IsOff("EnableHWIntrinsic") && Vector128.IsHardwareAccelerated);
    }

    private static bool IsOff(string name) => Environment.GetEnvironmentVariable($"DOTNET_{name}") == "0";
}
