namespace Distributed.Protocol;

/// <summary>
/// What a coordinator tells the workers that it starts by their environment; the token is <see cref="RunToken.EnvironmentVariable"/>.
/// </summary>
internal static class WorkerEnvironment
{
    /// <summary>Set if standard input is a pipe whose end is the end of the parent.</summary>
    public const string ParentPipe = "DISTRIBUTED_PARENT_PIPE";
}
