namespace Distributed.Benchmarks.Simulation;

/// <summary>
/// What a transfer costs, in the terms of LogGP (Culler et al. 1993, Alexandrov et al. 1995), with a time for each byte that a processor
/// touches: where sockets are bound by processors and not by the line, that is the larger one.
/// </summary>
/// <param name="Latency">Seconds from the first bit on the line to its arrival: alpha.</param>
/// <param name="LineByte">Seconds that a byte takes on a worker's line, each way independently: beta.</param>
/// <param name="Message">Seconds of a processor for a message, at each end: o.</param>
/// <param name="Byte">Seconds of a processor for a byte of a message, at each end: c.</param>
/// <param name="Reduce">Seconds of the compute thread for a byte that the owner of a slice reads to add it: gamma.</param>
/// <param name="Update">Seconds of the compute thread for a byte of the reduced gradient that goes into the weights: u.</param>
/// <param name="HasSpareProcessor">Whether messages have a processor beside the compute thread's; otherwise both share one.</param>
internal sealed record Costs(
    double Latency,
    double LineByte,
    double Message,
    double Byte,
    double Reduce,
    double Update,
    bool HasSpareProcessor
)
{
    /// <summary>
    /// Two workers on two processors over gRPC and loopback; the update is the benchmark's copy in and out. docs/scaling.md says how to fit
    /// them.
    /// </summary>
    public static readonly Costs Loopback = new(20e-6, 0, 17e-6, 0.20e-9, 0.04e-9, 0.10e-9, HasSpareProcessor: false);

    /// <summary>
    /// Two workers of a host that read each other's memory in place: a flag to raise and to see, and the passes of the sum and the copies.
    /// </summary>
    public static readonly Costs SharedMemory = Loopback with { Latency = 10e-6, Message = 1e-6, Byte = 0 };

    /// <summary>Momentum SGD: 1.9 ms for the 22 MiB of mlp:2048,2048.</summary>
    private const double MomentumUpdate = 0.08e-9;

    /// <summary>One switch between hosts, from the edge of one rack to that of another.</summary>
    private const double SwitchedLatency = 50e-6;

    /// <summary>Hosts on a switched network, each with a line of its own and a processor for messages.</summary>
    /// <param name="gigabits">The line's rate each way, in Gbit/s.</param>
    public static Costs Network(double gigabits) =>
        Loopback with
        {
            Latency = SwitchedLatency,
            LineByte = 8e-9 / gigabits,
            Update = MomentumUpdate,
            HasSpareProcessor = true,
        };

    /// <summary>Processor seconds of one end of a message.</summary>
    /// <param name="bytes">The message's values.</param>
    public double End(double bytes) => Message + (bytes * Byte);
}
