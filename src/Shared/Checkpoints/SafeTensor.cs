namespace Distributed.Checkpoints;

/// <summary>A named tensor to be written.</summary>
/// <param name="Name">The name, unique within a file.</param>
/// <param name="Shape">The dimensions, outermost first; their product is the number of values.</param>
/// <param name="Values">The values in row-major order.</param>
internal sealed record SafeTensor(string Name, IReadOnlyList<int> Shape, ReadOnlyMemory<float> Values);

/// <summary>Where a tensor lies in a file that has been read and checked.</summary>
/// <param name="Name">The name.</param>
/// <param name="Shape">The dimensions, outermost first.</param>
/// <param name="Start">The first byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte, counted from the end of the header.</param>
internal sealed record SafeTensorEntry(string Name, IReadOnlyList<long> Shape, long Start, long End)
{
    /// <summary>The number of values.</summary>
    public long Length => (End - Start) / sizeof(float);

    /// <summary>Whether the tensor has exactly these dimensions.</summary>
    public bool HasShape(IReadOnlyList<int> shape) => Shape.SequenceEqual(shape.Select(dimension => (long)dimension));

    /// <summary>The dimensions as a message shows them: <c>[512, 784]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}
