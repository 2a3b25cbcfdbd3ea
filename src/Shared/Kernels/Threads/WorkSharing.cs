namespace Distributed.Kernels.Threads;

/// <summary>Decides whether a team shares a piece of work or the caller does it alone.</summary>
internal static class WorkSharing
{
    /// <summary>Elements below which waking a thread costs more than it saves.</summary>
    private const int LeastElements = 16384;

    /// <summary>Whether work that touches so many elements is worth sharing.</summary>
    public static bool IsWorthwhile(long elements) => elements >= LeastElements;

    /// <summary>Runs work that touches so many elements: by the team if that is worthwhile, else by the caller alone.</summary>
    public static void Run<TWork>(TWork work, long elements, ComputeTeam? team)
        where TWork : unmanaged, IChunkedWork
    {
        if (team is null || !IsWorthwhile(elements))
            work.Execute(0, 1);
        else
            team.Run(work);
    }

    /// <summary>As <see cref="Run"/>; if the team is deferring, the work may be done as late as the end of that.</summary>
    public static void Defer<TWork>(TWork work, long elements, ComputeTeam? team)
        where TWork : unmanaged, IChunkedWork
    {
        if (team is null || !IsWorthwhile(elements))
            work.Execute(0, 1);
        else
            team.Defer(work);
    }
}
