using Distributed.Checkpoints;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers;

public sealed class CheckpointWatchTests : IRunObserver
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<Waiting> _told = [];

    [Fact]
    public async Task A_checkpoint_that_is_not_on_disk_is_told_of_at_doubling_intervals_until_it_is()
    {
        await using var watch = new CheckpointWatch("runs/one", this, _time);
        watch.Report(new SnapshotTaken(new Checkpoint(30, new float[1], [])));
        Pass(seconds: 45);
        Assert.Equal([10, 20, 40], _told.Select(waiting => (int)waiting.Seconds));
        Assert.Equal("the checkpoint of step 30", _told[0].For);
        Assert.StartsWith("it is not on disk in runs/one yet; usually a slow", _told[0].Details, StringComparison.Ordinal);

        watch.Report(new CheckpointSaved(30, "runs/one/checkpoints/step-30.safetensors"));
        Pass(seconds: 100);
        Assert.Equal(3, _told.Count);
    }

    [Fact]
    public async Task The_checkpoint_before_says_nothing_of_the_newest()
    {
        await using var watch = new CheckpointWatch("runs/one", this, _time);
        watch.Report(new SnapshotTaken(new Checkpoint(30, new float[1], [])));
        Pass(seconds: 9);
        watch.Report(new SnapshotTaken(new Checkpoint(60, new float[1], [])));
        watch.Report(new CheckpointSaved(30, "runs/one/checkpoints/step-30.safetensors"));
        Pass(seconds: 9);
        Assert.Empty(_told);
        Pass(seconds: 1);
        Assert.Equal("the checkpoint of step 60", Assert.Single(_told).For);
    }

    void IRunObserver.Report(RunEvent runEvent) => _told.Add((Waiting)runEvent);

    private void Pass(int seconds)
    {
        for (var second = 0; second < seconds; second++)
            _time.Advance(CheckpointWatch.Interval);
    }
}
