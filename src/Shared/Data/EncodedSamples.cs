namespace Distributed.Data;

/// <summary>Samples that take their stored form when somebody asks for them, on their way to where they are kept. Safe for concurrent use.</summary>
internal abstract class EncodedSamples
{
    private const int PieceRows = 1 << 14;

    /// <summary>Where they come from, for messages.</summary>
    public abstract string Path { get; }

    /// <summary>Number of samples.</summary>
    public abstract int Count { get; }

    /// <summary>Size of a stored sample in bytes.</summary>
    public abstract int BytesPerSample { get; }

    /// <summary>32-bit words in the target of a sample.</summary>
    public abstract int TargetWidth { get; }

    /// <summary>Encodes the features of consecutive samples, on all processors.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="destination">[n, BytesPerSample]; overwritten.</param>
    /// <exception cref="InputException">A value has no stored form.</exception>
    public void EncodeFeatures(int first, Memory<byte> destination)
    {
        var count = destination.Length / BytesPerSample;
        ParallelPieces.Run((count + PieceRows - 1) / PieceRows, piece =>
        {
            var start = piece * PieceRows;
            var rows = Math.Min(PieceRows, count - start);
            Encode(first + start, destination.Span.Slice(start * BytesPerSample, rows * BytesPerSample));
        });
    }

    /// <summary>Encodes the targets of consecutive samples.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="destination">[n, TargetWidth]; overwritten.</param>
    /// <exception cref="InputException">A target has no stored form.</exception>
    public abstract void EncodeTargets(int first, Span<int> destination);

    /// <summary>Encodes the features of consecutive samples.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="destination">[n, BytesPerSample]; overwritten.</param>
    /// <exception cref="InputException">A value has no stored form.</exception>
    protected abstract void Encode(int first, Span<byte> destination);
}

/// <summary>Samples of a set, as they are stored there.</summary>
/// <param name="path">Where they come from.</param>
/// <param name="samples">The set.</param>
/// <param name="rows">Which of them, in order; null for all.</param>
internal sealed class ChosenSamples(string path, SampleSet samples, ReadOnlyMemory<int>? rows) : EncodedSamples
{
    /// <inheritdoc />
    public override string Path => path;

    /// <inheritdoc />
    public override int Count => rows?.Length ?? samples.Count;

    /// <inheritdoc />
    public override int BytesPerSample => samples.BytesPerSample;

    /// <inheritdoc />
    public override int TargetWidth => samples.TargetWidth;

    /// <inheritdoc />
    public override void EncodeTargets(int first, Span<int> destination)
    {
        for (var i = 0; i < destination.Length / TargetWidth; i++)
            samples.Targets.Slice(RowOf(first + i) * TargetWidth, TargetWidth).CopyTo(destination[(i * TargetWidth)..]);
    }

    /// <inheritdoc />
    protected override void Encode(int first, Span<byte> destination)
    {
        for (var i = 0; i < destination.Length / BytesPerSample; i++)
            samples.CopyRaw(RowOf(first + i), destination[(i * BytesPerSample)..]);
    }

    private int RowOf(int index) => rows is { } chosen ? chosen.Span[index] : index;
}
