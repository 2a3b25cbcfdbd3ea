using Distributed.Coordinator.Benchmarks.Scaling;
using Xunit;

namespace Distributed.Coordinator.Tests.Benchmarks.Scaling;

public sealed class ProcessMemoryTests
{
    [Fact]
    public void ThePeakIsFoundAmongTheOtherFigures() =>
        Assert.Equal(
            184_780L * 1024,
            ProcessMemory.Parse("Name:\tworker\nVmPeak:\t 9999999 kB\nVmHWM:\t  184780 kB\nVmRSS:\t  180000 kB\n")
        );

    [Theory]
    [InlineData("")]
    [InlineData("Name:\tworker\nState:\tZ (zombie)\n")]
    [InlineData("VmHWM:\n")]
    public void AProcessThatHasEndedHasNone(string status) => Assert.Null(ProcessMemory.Parse(status));
}
