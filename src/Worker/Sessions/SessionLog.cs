using Distributed.Protocol;

namespace Distributed.Worker.Sessions;

/// <summary>Logs a worker's session with its coordinator.</summary>
/// <param name="log">The log.</param>
internal sealed partial class SessionLog(ILogger<SessionLog> log)
{
    /// <summary>The coordinator does not answer.</summary>
    public void Unanswered(string coordinator, string cause) => Retry(log, coordinator, cause);

    /// <summary>The coordinator takes this worker.</summary>
    public void Joined(CoordinatorMessage welcome) => Join(log, welcome.Welcome.Worker, welcome.Run, welcome.Welcome.Settings.Exchange);

    /// <summary>A message came.</summary>
    public void Received(CoordinatorMessage message)
    {
        var view = message.Generation?.Number ?? 0;
        if (message.View is { } next)
            View(log, view, next.FirstStep, next.Rank, next.Members.Count, next.FetchState);
        else if (message.Freeze is not null)
            Freeze(log, view);
        else if (message.Dismissal is { } dismissal)
            Dismissal(log, dismissal.Complete, dismissal.Interrupted, dismissal.MayReturn, dismissal.Reason);
        else
            Message(log, message.BodyCase, view, message.Step);
    }

    /// <summary>The session is over.</summary>
    public void Ended(string? cause) => End(log, cause ?? "the coordinator has closed it");

    [LoggerMessage(2000, LogLevel.Debug, "the coordinator at {Coordinator} does not answer: {Cause}")]
    private static partial void Retry(ILogger log, string coordinator, string cause);

    [LoggerMessage(2001, LogLevel.Information, "joined as worker {Worker} of run {Run:x16}, exchange {Exchange}")]
    private static partial void Join(ILogger log, int worker, ulong run, ExchangeMode exchange);

    [LoggerMessage(2002, LogLevel.Debug, "view {View} begins at step {Step}: rank {Rank} of {Members}, fetching the state: {Fetches}")]
    private static partial void View(ILogger log, uint view, ulong step, int rank, int members, bool fetches);

    [LoggerMessage(2003, LogLevel.Debug, "view {View} is frozen")]
    private static partial void Freeze(ILogger log, uint view);

    [LoggerMessage(
        2004,
        LogLevel.Information,
        "dismissed: complete {Complete}, interrupted {Interrupted}, may return {MayReturn}; {Reason}"
    )]
    private static partial void Dismissal(ILogger log, bool complete, bool interrupted, bool mayReturn, string reason);

    [LoggerMessage(2005, LogLevel.Trace, "{Kind} came in view {View}, step {Step}")]
    private static partial void Message(ILogger log, CoordinatorMessage.BodyOneofCase kind, uint view, ulong step);

    [LoggerMessage(2006, LogLevel.Debug, "the session has ended: {Cause}")]
    private static partial void End(ILogger log, string cause);
}
