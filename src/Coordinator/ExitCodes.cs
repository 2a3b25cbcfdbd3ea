namespace Distributed.Coordinator;

/// <summary>What the process returns; scripts rely on it.</summary>
internal static class ExitCodes
{
    internal const int Done = 0;
    internal const int RunFailed = 1;
    internal const int BadUsage = 2;
    internal const int Interrupted = 130;
    internal const int Terminated = 143;
}
