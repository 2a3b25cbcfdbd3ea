using Distributed.Collectives;
using Distributed.Protocol;

namespace Distributed.Worker.Computing;

/// <summary>Logs what a worker does in its views.</summary>
/// <param name="log">The log.</param>
internal sealed partial class WorkLog(ILogger<WorkLog> log)
{
    /// <summary>The other members of a view are reached.</summary>
    public void Opened(ViewGeneration generation, PeerWays ways) =>
        Open(log, generation.Number, ways.Memory, ways.Streams, ways.Calls, ways.Refusal.Length == 0 ? "no fallback" : ways.Refusal);

    /// <summary>The state was fetched.</summary>
    public void Fetched(long step, string sources) => Fetch(log, step, sources);

    /// <summary>A piece of work begins.</summary>
    public void Begins(Work work, long step) => Begin(log, work, step);

    /// <summary>It is done.</summary>
    public void Done(Work work, long step, StepTimeline times)
    {
        if (log.IsEnabled(LogLevel.Trace))
        {
            var of = (StepPart part) => times.Of(part).TotalMilliseconds;
            End(log, work, step, of(StepPart.Compute), of(StepPart.Exchange), of(StepPart.Waiting), of(StepPart.Update));
        }
    }

    /// <summary>The view was left, wherever it was.</summary>
    public void Left(ViewGeneration generation, long position) => Leave(log, generation.Number, position);

    [LoggerMessage(
        2100,
        LogLevel.Debug,
        "view {View} is open: {Memory} peers by shared memory, {Streams} by streams, {Calls} by calls; {Refusal}"
    )]
    private static partial void Open(ILogger log, uint view, int memory, int streams, int calls, string refusal);

    [LoggerMessage(2101, LogLevel.Debug, "the state after step {Step} came from {Sources}")]
    private static partial void Fetch(ILogger log, long step, string sources);

    [LoggerMessage(2102, LogLevel.Trace, "{Work} of step {Step} begins")]
    private static partial void Begin(ILogger log, Work work, long step);

    [LoggerMessage(
        2103,
        LogLevel.Trace,
        "{Work} of step {Step} is done: computing {Compute:0.000} ms, exchanging {Exchange:0.000}, waiting {Waiting:0.000}, updating {Update:0.000}"
    )]
    private static partial void End(ILogger log, Work work, long step, double compute, double exchange, double waiting, double update);

    [LoggerMessage(2104, LogLevel.Debug, "view {View} is left at position {Position}")]
    private static partial void Leave(ILogger log, uint view, long position);
}
