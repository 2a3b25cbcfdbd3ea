namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <summary>What happens next in a simulated cluster.</summary>
internal enum Happening
{
    /// <summary>Every message arrives and every member works, for a few rounds; perhaps one does not work, and one is not heard.</summary>
    Go = 0,

    /// <summary>One message arrives, at a member or at the coordinator.</summary>
    Arrive,

    /// <summary>One member does the next thing that it has to do.</summary>
    Act,

    /// <summary>A worker dies; some of what it sent still arrives, and then the end of its session.</summary>
    Kill,

    /// <summary>The coordinator cuts a worker off, which goes on with what it has received.</summary>
    CutOff,

    /// <summary>A worker joins; some are not reached by the others.</summary>
    Join,

    /// <summary>A worker that was cut off joins again, with the state that it holds.</summary>
    Return,

    /// <summary>The coordinator dies; another one takes the run over, and the workers join it with what they hold.</summary>
    Restart,

    /// <summary>A worker asks to leave.</summary>
    Leave,

    /// <summary>A member in the middle of a step, or of opening a view, loses a link and gives the view up.</summary>
    Complain,

    /// <summary>Something that a worker sent earlier arrives once more.</summary>
    Repeat,

    /// <summary>Shares change before the next step.</summary>
    Share,

    /// <summary>Members of the newest view hold different states.</summary>
    Dispute,

    /// <summary>Time passes.</summary>
    Wait,
}

/// <summary>One event of a history.</summary>
/// <param name="Happening">What happens.</param>
/// <param name="Which">Chooses to whom, among those to whom it can happen.</param>
/// <param name="How">Chooses how.</param>
internal readonly record struct Chance(Happening Happening, int Which, int How);

/// <summary>All that decides a simulated run.</summary>
/// <param name="CoordinatorHoldsState">Whether there is a parameter server.</param>
/// <param name="Workers">How many the run begins with.</param>
/// <param name="StepsPerEvaluation">The test set is evaluated after every so many steps.</param>
/// <param name="StepsAhead">How many steps are granted ahead.</param>
/// <param name="Chances">What happens, until failures stop.</param>
internal sealed record SimulatedHistory(
    bool CoordinatorHoldsState,
    int Workers,
    int StepsPerEvaluation,
    int StepsAhead,
    IReadOnlyList<Chance> Chances
);

/// <summary>What a history may come across; counted, so that a test can tell that it has tested something.</summary>
internal enum Sight
{
    /// <summary>Views were ended.</summary>
    Freeze = 0,

    /// <summary>A second member was lost before all had answered.</summary>
    SecondLoss,

    /// <summary>Members of a view were one position apart when it was ended.</summary>
    OneApart,

    /// <summary>A member of the next view had to fetch the state from another one.</summary>
    Behind,

    /// <summary>All members were leaving, and stayed for one more view with newcomers.</summary>
    Handover,

    /// <summary>A leaver alone held the newest state, and stayed.</summary>
    KeptLeaver,

    /// <summary>No survivor held a state, and steps were lost.</summary>
    WentBack,

    /// <summary>A worker was expelled because others did not reach it.</summary>
    Unreachable,

    /// <summary>A worker was expelled because it had not answered in time.</summary>
    Late,

    /// <summary>A newcomer joined, or a leaver left, between two steps.</summary>
    Planned,

    /// <summary>A newcomer was turned away, since others do not reach it.</summary>
    TurnedAway,

    /// <summary>The run went on from a state that a worker brought along.</summary>
    TakenOver,

    /// <summary>The holders of a position that was known only from them were lost before others had fetched it.</summary>
    LostAgain,

    /// <summary>An evaluation is repeated, because nobody knows any more that it was done.</summary>
    Reevaluated,

    /// <summary>A position is done, but those who could tell its sums are gone.</summary>
    SumsLost,

    /// <summary>Members differed, and the run went back to what they had agreed on.</summary>
    RolledBack,

    /// <summary>A member that differed from the majority was expelled.</summary>
    Deviator,

    /// <summary>The run was given up, or stopped for lack of workers.</summary>
    Ended,
}
