using System.Text.Json;
using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Tests.Dashboard;

/// <summary>Runs to show.</summary>
internal static class Models
{
    public static DashboardModel Create(TimeProvider? time = null, string name = "first") =>
        new(new RunFacts(name, "runs/" + name, """{"steps":10,"model":"<b>"}"""), time ?? TimeProvider.System);

    public static StepCompleted Step(long step, float loss = 1) => new(step, 1, loss, 0.1f, 64);

    /// <summary>What a reader is sent who knows nothing.</summary>
    public static JsonElement Everything(DashboardModel model) => JsonElement.Parse(NewsStream.Everything(model));

    /// <summary>A curve as [first, last, mean, minimum, maximum]; empty if there is none.</summary>
    public static IReadOnlyList<double[]> Points(JsonElement news, string curve) =>
        [
            .. news.GetProperty("curves")
                .EnumerateArray()
                .Where(each => each.GetProperty("name").GetString() == curve)
                .SelectMany(each => each.GetProperty("points").EnumerateArray())
                .Select(point => point.EnumerateArray().Select(value => value.GetDouble()).ToArray()),
        ];
}

/// <summary>Keeps what it is told.</summary>
internal sealed class ReportedEvents : IRunObserver
{
    private readonly System.Threading.Channels.Channel<RunEvent> _events = System.Threading.Channels.Channel.CreateUnbounded<RunEvent>();

    public void Report(RunEvent runEvent) => _events.Writer.TryWrite(runEvent);

    /// <summary>The next event.</summary>
    public ValueTask<RunEvent> NextAsync() => _events.Reader.ReadAsync();

    /// <summary>What nobody has taken.</summary>
    public IReadOnlyList<RunEvent> Rest()
    {
        var rest = new List<RunEvent>();
        while (_events.Reader.TryRead(out var next))
            rest.Add(next);
        return rest;
    }
}
