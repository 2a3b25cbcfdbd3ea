using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class LocalTrainerTests
{
    private static readonly IReadOnlyList<string> Moments = TinyRun.Configuration().Options.Optimizer.CreateOptimizer().MomentNames;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Threads_change_neither_weights_nor_losses(int threads)
    {
        using var one = TinyRun.Trainer();
        using var many = TinyRun.Trainer(threads);
        Assert.Equal(Steps(one, 7), Steps(many, 7));
        Assert.Equal(one.Evaluate(DataPart.Test), many.Evaluate(DataPart.Test));
        Assert.Equal(WeightsHash.Compute(one.State.Weights.Span), WeightsHash.Compute(many.State.Weights.Span));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_trainer_goes_on_from_a_state_as_if_it_had_never_stopped(int stop)
    {
        using var whole = TinyRun.Trainer();
        var losses = Steps(whole, 7);
        using var first = TinyRun.Trainer();
        Steps(first, stop);
        using var second = TinyRun.Trainer(threads: 2, first.State.ToCheckpoint(Moments));

        Assert.Equal(losses.Skip(stop), Steps(second, 7 - stop));
        Assert.Equal(7, second.State.Step);
        Assert.Equal(WeightsHash.Compute(whole.State.Weights.Span), WeightsHash.Compute(second.State.Weights.Span));
    }

    [Fact]
    public void Every_sample_of_a_batch_counts_once_and_the_loss_falls()
    {
        using var trainer = TinyRun.Trainer();
        var sums = Steps(trainer, 7);
        Assert.Equal([600, 600, 238, 600, 600, 238, 600], sums.Select(step => step.Samples));
        Assert.True(sums[^1].Loss / sums[^1].Samples < sums[0].Loss / sums[0].Samples);
        Assert.Equal(TinyRun.Data.Test.Count, trainer.Evaluate(DataPart.Test).Samples);
    }

    [Fact]
    public void A_loss_that_is_not_finite_names_the_step()
    {
        using var trainer = TinyRun.Trainer(learningRate: 1e30f);
        var failure = Assert.Throws<NonFiniteLossException>(() => Steps(trainer, 7));
        Assert.Contains($"at step {trainer.State.Step + 1}:", failure.Message, StringComparison.Ordinal);
    }

    private static List<BatchSums> Steps(LocalTrainer trainer, int count) => [.. Enumerable.Range(0, count).Select(_ => trainer.Step())];
}
