using Distributed.Coordinator.Cluster.Hosting;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class LastWordsTests
{
    [Theory]
    [InlineData("Unhandled exception. System.InvalidOperationException: Collection was modified.", true)]
    [InlineData("error: the token is wrong; give the coordinator's by --token-file", true)]
    [InlineData("   at System.Threading.Thread.StartCallback()", false)]
    [InlineData("--- End of stack trace from previous location ---", false)]
    [InlineData("  ", false)]
    public void A_stack_trace_gives_no_reason(string line, bool says) => Assert.Equal(says, ErrorOutput.IsMessage(line));
}
