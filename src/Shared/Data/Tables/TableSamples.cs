using System.Runtime.InteropServices;

namespace Distributed.Data.Tables;

/// <summary>Chosen rows of a table with their targets, as samples of a preprocessing.</summary>
/// <param name="table">The table.</param>
/// <param name="rows">The rows, in order.</param>
/// <param name="preprocessing">What was fitted on a training part.</param>
/// <param name="targetWidth">32-bit words in the target of a sample.</param>
/// <param name="encodeTargets">Stores the targets of some rows, [n, width].</param>
internal sealed class TableSamples(
    RawTable table,
    ReadOnlyMemory<int> rows,
    Preprocessing preprocessing,
    int targetWidth,
    TableSamples.TargetEncoder encodeTargets
) : EncodedSamples
{
    private readonly TableRows _rows = new(table, preprocessing);

    /// <summary>Encodes the targets of rows.</summary>
    /// <param name="rows">[n], the rows.</param>
    /// <param name="destination">[n, target width]; overwritten.</param>
    /// <exception cref="InputException">A target does not fit.</exception>
    public delegate void TargetEncoder(ReadOnlySpan<int> rows, Span<int> destination);

    /// <inheritdoc />
    public override string Path => table.Path;

    /// <inheritdoc />
    public override int Count => rows.Length;

    /// <inheritdoc />
    public override int BytesPerSample { get; } = checked(preprocessing.SampleLength(table.Columns.Count) * sizeof(float));

    /// <inheritdoc />
    public override int TargetWidth => targetWidth;

    /// <inheritdoc />
    public override void EncodeTargets(int first, Span<int> destination) =>
        encodeTargets(rows.Span.Slice(first, destination.Length / TargetWidth), destination);

    /// <inheritdoc />
    protected override void Encode(int first, Span<byte> destination) =>
        _rows.Store(rows.Span.Slice(first, destination.Length / BytesPerSample), MemoryMarshal.Cast<byte, float>(destination));
}
