using System.Runtime.InteropServices;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>
/// Gathers from the workers' reports which samples they decoded in each step. A worker that completes a step and dies before it reports
/// leaves a gap; what it decoded is still known to be what it was granted, since the checksum over all samples of the step, which rides in
/// the exchange, is compared with that of the grant before the step is recorded.
/// </summary>
internal sealed class SampleLedger
{
    private readonly Dictionary<long, List<int>> _decoded = []; // by step

    /// <summary>Takes a report; nothing happens if it names no samples.</summary>
    public void Take(StepReport report)
    {
        if (report.Samples.IsEmpty || report.Samples.Length % sizeof(int) != 0)
            return;
        ref var decoded = ref CollectionsMarshal.GetValueRefOrAddDefault(_decoded, unchecked((long)report.Step), out _);
        decoded ??= [];
        decoded.AddRange(MemoryMarshal.Cast<byte, int>(report.Samples.Span));
    }

    /// <summary>A step is recorded.</summary>
    /// <param name="step">The step.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="granted">The samples that were granted.</param>
    public SamplesUsed Close(long step, long epoch, ReadOnlySpan<int> granted)
    {
        if (!_decoded.Remove(step, out var decoded))
            decoded = [];
        var reported = decoded.CountBy(index => index).ToDictionary();
        var unreported = new List<int>();
        foreach (var index in granted)
        {
            var count = reported.GetValueOrDefault(index);
            reported[index] = count - 1;
            if (count <= 0)
                unreported.Add(index);
        }

        return new SamplesUsed(step, epoch, decoded, unreported);
    }

    /// <summary>Steps after one are done again.</summary>
    public void DropAfter(long step)
    {
        foreach (var later in _decoded.Keys.Where(known => known > step).ToList())
            _decoded.Remove(later);
    }
}
