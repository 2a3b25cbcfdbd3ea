using Distributed.Cluster;
using Xunit;

namespace Distributed.Coordinator.Tests.Library;

/// <summary>What the coordinator shows to programs that reference it: a type that is added here is a promise.</summary>
public sealed class PublicTypesTests
{
    [Fact]
    public void The_public_types_are_those_that_programs_need() =>
        Assert.Equal(
            [
                "Distributed.Cluster.ClusterTrainer",
                "Distributed.Cluster.ClusterTrainingResult",
                "Distributed.Cluster.Exchange",
                "Distributed.Cluster.Transport",
            ],
            typeof(ClusterTrainer).Assembly.GetExportedTypes().Select(type => type.FullName!).Order(StringComparer.Ordinal)
        );
}
