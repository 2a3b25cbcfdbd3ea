namespace Distributed.Protocol;

/// <summary>The version of what coordinator and workers say to each other.</summary>
/// <remarks>
/// It must be raised by every change after which a message means something else, or must be answered where it was not before: processes
/// of both versions would talk past each other in the middle of a run. A field that an older process may pass over needs no new version.
/// </remarks>
internal static class ProtocolVersion
{
    /// <summary>The version of this build. 0 is what builds tell that know no version.</summary>
    public const int Current = 3;
}

/// <summary>What two processes must have in common to take part in one run.</summary>
/// <param name="Protocol">The version of the messages.</param>
/// <param name="Numerics">The version of the arithmetic.</param>
internal readonly record struct BuildVersions(int Protocol, int Numerics)
{
    /// <summary>Why a worker and a coordinator cannot work together, with the remedy; null if they can.</summary>
    /// <param name="worker">The worker's versions.</param>
    /// <param name="coordinator">The coordinator's.</param>
    public static string? Mismatch(BuildVersions worker, BuildVersions coordinator)
    {
        if (worker == coordinator)
            return null;
        var unversioned = worker.Protocol == 0 || coordinator.Protocol == 0 ? " (0 is a build from before versions were told)" : "";
        return $"the worker has protocol version {worker.Protocol} and numerics version {worker.Numerics}, the coordinator "
            + $"{coordinator.Protocol} and {coordinator.Numerics}{unversioned}: use the same release on every machine";
    }
}
