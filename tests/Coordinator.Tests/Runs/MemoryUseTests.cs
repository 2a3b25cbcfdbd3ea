using Distributed.Coordinator.Runs;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

public sealed class MemoryUseTests
{
    private const long Giga = 1_000_000_000;

    [Theory]
    [InlineData(2 * Giga, Giga, "--data smaller")]
    [InlineData(Giga, 2 * Giga, "--model smaller")]
    [InlineData(1, 2, "--batch-size or --microbatch smaller")]
    public void What_takes_most_is_to_be_made_smaller(long data, long model, string remedy) =>
        Assert.Contains(remedy, new MemoryUse(data, model).Exhausted(), StringComparison.Ordinal);

    [Fact]
    public void Data_and_model_are_counted_with_what_a_step_writes()
    {
        var prepared = RunPreparation.Load(new TrainingOptions { Model = "mlp:3", Steps = 1 });
        var use = MemoryUse.Of(prepared.Dataset, prepared.Network, prepared.Configuration.Options);
        Assert.Equal(1797L * prepared.Dataset.Train.BytesPerSample, use.DataBytes);
        Assert.Equal(prepared.Network.Layout.Length * 5L * sizeof(float), use.ModelBytes); // one moment
    }
}
