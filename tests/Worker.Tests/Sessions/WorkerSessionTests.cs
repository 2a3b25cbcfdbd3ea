using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Sessions;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

public sealed class WorkerSessionTests
{
    [Fact]
    public void A_complaint_about_a_peer_gives_its_cause_and_leaves_the_sentence_to_the_coordinator() =>
        Assert.Equal(
            new Failure
            {
                Peer = "worker 2",
                Phase = Phase.AllGather,
                Reason = "it closed the connection",
            },
            WorkerSession.FailureOf(new PeerFailureException("worker 2", 5, Phase.AllGather, "it closed the connection"), Phase.Idle)
        );

    [Fact]
    public void Too_little_memory_says_for_what_and_what_to_make_smaller()
    {
        var prepared = RunPreparation.Load(new TrainingOptions { Model = "mlp:3", Steps = 3 });
        var settings = new RunSettings
        {
            ConfigurationJson = RunConfigurationJson.Write(prepared.Configuration),
            Shape = new InputShape
            {
                Channels = 1,
                Height = 8,
                Width = 8,
            },
            Outputs = 10,
        };
        Assert.Equal(
            $"out of memory on {Environment.MachineName} with 235 parameters, batches of 64 samples and microbatches of 32: "
                + "make --model, --batch-size or --microbatch smaller, or run fewer workers there",
            WorkerSession.OutOfMemory(settings)
        );
    }

    [Fact]
    public void A_training_that_has_diverged_is_told_from_a_defect()
    {
        var diverged = new NonFiniteLossException(5, float.NaN);
        Assert.Equal(
            new Failure
            {
                Phase = Phase.ForwardBackward,
                Reason = diverged.Message,
                ByTraining = true,
            },
            WorkerSession.FailureOf(diverged, Phase.ForwardBackward)
        );
        Assert.Equal(
            new Failure { Phase = Phase.Snapshot, Reason = "no memory" },
            WorkerSession.FailureOf(new InvalidOperationException("no memory"), Phase.Snapshot)
        );
    }
}
