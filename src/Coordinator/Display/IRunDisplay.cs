using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Display;

/// <summary>Shows a run to whoever started it.</summary>
internal interface IRunDisplay : IRunObserver
{
    /// <summary>Runs something and shows its events while it goes on.</summary>
    Task<T> FollowAsync<T>(Func<Task<T>> run);
}
