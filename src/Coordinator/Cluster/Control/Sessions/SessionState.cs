namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>
/// Where a worker's session is in its life, as the control loop knows it. It begins in <see cref="Preparing"/> and goes on in one
/// direction:
/// <code>
/// Preparing ─► Ready ─┬─► Released ─► Departed
///     └───────────────┼─► Expelled
///                     ├─► Lost
///                     └─► TurnedAway (from Ready alone)
/// </code>
/// </summary>
internal enum SessionState
{
    /// <summary>It builds its replica.</summary>
    Preparing = 0,

    /// <summary>It can be a member, or is one.</summary>
    Ready,

    /// <summary>It was let go in order. What it confirms of its weights still counts.</summary>
    Released,

    /// <summary>It was let go in order, and its session has ended.</summary>
    Departed,

    /// <summary>It was let go before it was a member, since it and others do not reach each other.</summary>
    TurnedAway,

    /// <summary>It was let go because it cannot be a member any more.</summary>
    Expelled,

    /// <summary>Its session or its process has ended while it was needed.</summary>
    Lost,
}

/// <summary>The transitions between the states of a session.</summary>
internal static class SessionStates
{
    /// <summary>Whether a session can go from one state to another.</summary>
    public static bool CanBecome(this SessionState from, SessionState to) =>
        (from, to) switch
        {
            (SessionState.Preparing, SessionState.Ready) => true,
            (SessionState.Ready, SessionState.TurnedAway) => true,
            (SessionState.Released, SessionState.Departed) => true,
            (SessionState.Preparing or SessionState.Ready, SessionState.Released or SessionState.Expelled or SessionState.Lost) => true,
            _ => false,
        };
}
