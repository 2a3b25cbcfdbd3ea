using System.Text;
using Distributed.Coordinator.Observers.Meters;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers;

[Collection(nameof(MeterObserverTests))] // meters are the process's own
public sealed class MeterObserverTests
{
    [Fact]
    public async Task The_page_has_what_the_run_has_told()
    {
        using var page = new PrometheusPage();
        await using var observer = new MeterObserver();
        observer.Report(new RunStarted(1, 200, 2, "shm"));
        observer.Report(new WorkerJoined("worker 1", "http://a", 1, 11));
        observer.Report(new WorkerJoined("worker \"2\"\n", "http://b", 2, 12));
        for (var step = 1; step <= 3; step++)
            observer.Report(new StepCompleted(step, 1, 0.5F / step, 0.1F, 64));
        observer.Report(Evaluated.Of(3, new TestScore(0.25, [new Metric("accuracy", 0.75)]), heldOut: null));
        observer.Report(new WorkersMeasured(3, 1, 192, [new WorkerTimes("worker 1", 2, 96, 0.5, 0.125, 0.375)]));
        observer.Report(new WorkerLost("worker 1", "it was killed", 4, 1));
        observer.Report(new TrainingResumed(4, 0.25, 1, AfterLoss: true));
        var lines = await LinesAsync(page);
        Assert.Contains("distributed_training_steps 3", lines);
        Assert.Contains("distributed_training_samples 192", lines);
        Assert.Contains("distributed_training_step 3", lines);
        Assert.Contains("distributed_training_workers 1", lines);
        Assert.Contains("distributed_training_workers_lost 1", lines);
        Assert.Contains("distributed_training_workers_joined 2", lines);
        Assert.Contains("distributed_training_standstill 0.25", lines);
        Assert.Contains("distributed_training_evaluation{figure=\"testAccuracy\"} 0.75", lines);
        Assert.Contains("distributed_training_worker_time{part=\"waiting\",worker=\"worker 1\"} 0.375", lines);
    }

    [Fact]
    public async Task Nothing_of_other_meters_is_on_it()
    {
        using var page = new PrometheusPage();
        await using var observer = new MeterObserver();
        Assert.All(
            (await LinesAsync(page)).Where(line =>
                line.Length > 0 && line[0] != '#' && !line.StartsWith("prometheus_net_", StringComparison.Ordinal)
            ),
            line => Assert.StartsWith("distributed_training_", line, StringComparison.Ordinal)
        );
    }

    private static async Task<string[]> LinesAsync(PrometheusPage page)
    {
        using var stream = new MemoryStream();
        await page.WriteAsync(stream, CancellationToken.None);
        return Encoding.UTF8.GetString(stream.ToArray()).Split('\n');
    }
}
