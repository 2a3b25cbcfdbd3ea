namespace Distributed.Collectives;

/// <summary>What one worker of <c>coordinator bench allreduce</c> answers, in JSON.</summary>
/// <param name="Transport">How the gradients travelled: <c>shm</c>, <c>tcp</c>, <c>grpc</c> or <c>mixed</c>.</param>
/// <param name="BytesSent">The bytes that a worker gives to others in a step.</param>
/// <param name="Seconds">Of each step.</param>
/// <param name="CopySeconds">Of copying as many bytes from memory to memory, done by all workers at once after each step.</param>
internal sealed record AllReduceTimings(string Transport, long BytesSent, IReadOnlyList<double> Seconds, IReadOnlyList<double> CopySeconds)
{
    /// <summary>The word by which a request to a worker asks for the exchange in place.</summary>
    public const string InPlace = "in-place";
}
