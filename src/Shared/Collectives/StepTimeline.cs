using System.Diagnostics;

namespace Distributed.Collectives;

/// <summary>What a member does at a moment of a step.</summary>
internal enum StepPart
{
    /// <summary>Forward and backward passes.</summary>
    Compute = 0,

    /// <summary>Reduces, sends and receives.</summary>
    Exchange = 1,

    /// <summary>Waits for other members.</summary>
    Waiting = 2,

    /// <summary>Updates the weights.</summary>
    Update = 3,
}

/// <summary>
/// Where the time of one member's step goes. Always summed, which costs a reading of the clock at each change; kept change by change only for a
/// trace. The compute thread alone uses it.
/// </summary>
internal sealed class StepTimeline
{
    /// <summary>Bits of a span that say the part; the others are its microseconds.</summary>
    public const int PartBits = 2;

    /// <summary>The most spans of a step that are kept: what comes after them is part of the last.</summary>
    public const int MostSpans = 256;

    private readonly long[] _ticks = new long[1 << PartBits];
    private readonly List<uint> _spans = [];
    private StepPart _part;
    private long _since;
    private long _told; // microseconds of all spans before the current one

    /// <summary>Whether each change is kept.</summary>
    public bool KeepsSpans { get; set; }

    /// <summary>When the step began, as <see cref="Stopwatch.GetTimestamp"/> says.</summary>
    public long Began { get; private set; }

    /// <summary>
    /// What was done one after the other, as it travels: microseconds, shifted left by <see cref="PartBits"/>, and the part.
    /// </summary>
    public IReadOnlyList<uint> Spans => _spans;

    /// <summary>A step begins, with its computation.</summary>
    public void Begin()
    {
        Array.Clear(_ticks);
        _spans.Clear();
        (_part, _told) = (StepPart.Compute, 0);
        Began = _since = Stopwatch.GetTimestamp();
    }

    /// <summary>Something else is done from now on.</summary>
    /// <returns>What was done before.</returns>
    public StepPart Enter(StepPart part)
    {
        var before = _part;
        if (part != before)
        {
            Close(Stopwatch.GetTimestamp());
            _part = part;
        }

        return before;
    }

    /// <summary>The step is over.</summary>
    public void End() => Close(Stopwatch.GetTimestamp());

    /// <summary>The time of a part, of a step that is over.</summary>
    public TimeSpan Of(StepPart part) => Stopwatch.GetElapsedTime(0, _ticks[(int)part]);

    private void Close(long now)
    {
        _ticks[(int)_part] += now - _since;
        _since = now;
        if (!KeepsSpans || _spans.Count == MostSpans)
            return;
        // From the step's beginning, so that what is cut off does not add up.
        var elapsed = Math.Min((long)Stopwatch.GetElapsedTime(Began, now).TotalMicroseconds, uint.MaxValue >> PartBits);
        if (elapsed > _told)
            _spans.Add(((uint)(elapsed - _told) << PartBits) | (uint)_part);
        _told = Math.Max(_told, elapsed);
    }
}
