using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Logs what the control loop of a run hears and decides: with it, one sees at a customer's site what a run that stands still waits for.</summary>
/// <param name="log">The log.</param>
internal sealed partial class ControlLog(ILogger<ControlLog> log)
{
    private readonly Dictionary<int, (Phase Phase, string WaitsFor)> _heard = []; // by worker: the last sign of life that said something new

    /// <summary>Something happened, and what follows from it.</summary>
    public void Decided(MembershipEvent happened, IReadOnlyCollection<MembershipEffect> effects)
    {
        if (effects.Count > 0 && log.IsEnabled(LogLevel.Debug))
            Decision(log, happened, string.Join(", ", effects));
    }

    /// <summary>A message came.</summary>
    public void Received(int worker, WorkerMessage message)
    {
        if (message.Heartbeat is not { } beat)
        {
            Message(log, worker, message.BodyCase, message.Generation?.Number ?? 0, message.Step);
            return;
        }

        if (!log.IsEnabled(LogLevel.Debug) || (_heard.TryGetValue(worker, out var heard) && heard == (beat.Phase, beat.WaitsFor)))
            return;
        _heard[worker] = (beat.Phase, beat.WaitsFor);
        Beat(log, worker, message.Step, beat.Phase, beat.WaitsFor.Length == 0 ? "nobody" : beat.WaitsFor);
    }

    /// <summary>Work was granted to a view.</summary>
    public void Granted(ClusterView view, WorkKind work, long step) => Grant(log, work, step, view.Generation.Number);

    /// <summary>A view begins.</summary>
    public void Began(ClusterView view)
    {
        if (log.IsEnabled(LogLevel.Debug))
            View(log, view.Generation.Number, view.FirstStep, string.Join(',', view.Workers), string.Join(',', view.Shares));
    }

    /// <summary>A process of this machine has ended.</summary>
    public void Exited(int number, int process, string cause) => Exit(log, number, process, cause);

    [LoggerMessage(1100, LogLevel.Debug, "{Event} leads to {Effects}")]
    private static partial void Decision(ILogger log, MembershipEvent @event, string effects);

    [LoggerMessage(1101, LogLevel.Trace, "worker {Worker} sends {Kind} in view {View}, step {Step}")]
    private static partial void Message(ILogger log, int worker, WorkerMessage.BodyOneofCase kind, uint view, ulong step);

    [LoggerMessage(1102, LogLevel.Debug, "worker {Worker} is at step {Step}, in {Phase}, and waits for {Whom}")]
    private static partial void Beat(ILogger log, int worker, ulong step, Phase phase, string whom);

    [LoggerMessage(1103, LogLevel.Trace, "{Work} of step {Step} is granted to view {View}")]
    private static partial void Grant(ILogger log, WorkKind work, long step, uint view);

    [LoggerMessage(1104, LogLevel.Debug, "view {View} begins at step {Step} with workers {Workers} and shares {Shares}")]
    private static partial void View(ILogger log, uint view, long step, string workers, string shares);

    [LoggerMessage(1105, LogLevel.Debug, "local worker {Number}, process {Process}, has ended: {Cause}")]
    private static partial void Exit(ILogger log, int number, int process, string cause);
}
