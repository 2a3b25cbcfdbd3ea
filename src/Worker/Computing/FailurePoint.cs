using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Collectives;

namespace Distributed.Worker.Computing;

/// <summary>
/// A place in a worker's course at which it sends itself a signal, for tests of what happens then: named by the environment, as in
/// <c>2:NodesPublished:0@5=9</c>, which is local worker 2, after it has published its nodes of bucket 0 in step 5, and SIGKILL; worker 0 is
/// whichever comes there first, as a file tells them that nobody has created before. In the place of a signal's number, <c>hang</c> stops
/// the thread that comes there, and nothing else.
/// </summary>
internal sealed partial class FailurePoint
{
    /// <summary>The variable that names it.</summary>
    public const string EnvironmentVariable = "DISTRIBUTED_FAIL_AT";

    /// <summary>The variable that names the file.</summary>
    public const string FileVariable = "DISTRIBUTED_FAIL_FILE";

    /// <summary>Before the state is sent to the coordinator.</summary>
    public const string Snapshot = "Snapshot";

    /// <summary>Before the state is fetched from another member.</summary>
    public const string Fetch = "Fetch";

    /// <summary>While another member fetches the state.</summary>
    public const string Serve = "Serve";

    /// <summary>After a step: a bit of its weights changes by itself, and no signal is sent.</summary>
    public const string Flip = "Flip";

    private const string Hang = "hang";

    private readonly string _place;
    private readonly long _step;
    private readonly int? _signal; // null to hang

    private FailurePoint(string place, long step, int? signal) => (_place, _step, _signal) = (place, step, signal);

    /// <summary>The point of a worker; null for those that are to live.</summary>
    /// <param name="text">The variable's value, or null.</param>
    /// <param name="localNumber">The worker's number among the local ones.</param>
    public static FailurePoint? Of(string? text, int localNumber)
    {
        if (text?.Split([':', '@', '=']) is not [var number, var place, var bucket, var step, var signal])
            return null;
        return number == "0" || number == localNumber.ToString(CultureInfo.InvariantCulture)
            ? new FailurePoint(
                $"{place}:{bucket}",
                long.Parse(step, CultureInfo.InvariantCulture),
                signal == Hang ? null : int.Parse(signal, CultureInfo.InvariantCulture)
            )
            : null;
    }

    /// <summary>The worker is at a point of an exchange.</summary>
    /// <param name="point">The point.</param>
    /// <param name="step">The step.</param>
    public void Pass(ExchangePoint point, long step) => Pass($"{point.Stage}:{point.Bucket}", step);

    /// <summary>The worker is at another place.</summary>
    /// <param name="place">One of the constants.</param>
    /// <param name="step">The step.</param>
    public void Reach(string place, long step) => Pass($"{place}:0", step);

    /// <summary>Changes a bit of the weights, if this is the place and the step.</summary>
    /// <param name="step">The step that is complete.</param>
    /// <param name="weights">Its weights.</param>
    public void Corrupt(long step, Span<float> weights)
    {
        if (_place != $"{Flip}:0" || step != _step || !IsFirst())
            return;
        ref var weight = ref weights[weights.Length / 2];
        weight = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(weight) ^ 1);
    }

    private void Pass(string place, long step)
    {
        if (place != _place || step < _step || !IsFirst())
            return;
        if (_signal is { } signal)
            _ = Send(Environment.ProcessId, signal);
        Thread.Sleep(Timeout.Infinite); // until the signal has its effect
    }

    private static bool IsFirst()
    {
        if (Environment.GetEnvironmentVariable(FileVariable) is not { } path)
            return true;
        try
        {
            using var file = new FileStream(path, FileMode.CreateNew);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}
