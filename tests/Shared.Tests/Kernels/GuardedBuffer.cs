using Xunit;

namespace Distributed.Shared.Tests.Kernels;

/// <summary>A buffer between guard values, at a chosen misalignment, that tells whether something was written beside it.</summary>
internal sealed class GuardedBuffer
{
    private const int Guard = 64;
    private const float GuardValue = -12345.678f;

    private readonly float[] _array;

    public GuardedBuffer(int length, int misalignment = 1)
    {
        _array = new float[Guard + misalignment + length + Guard];
        Array.Fill(_array, GuardValue);
        Offset = Guard + misalignment;
        Length = length;
    }

    public GuardedBuffer(float[] content, int misalignment = 1)
        : this(content.Length, misalignment) => content.CopyTo(Span);

    public int Length { get; }

    public Span<float> Span => _array.AsSpan(Offset, Length);

    private int Offset { get; }

    public void AssertGuards()
    {
        Assert.Equal(-1, _array.AsSpan(0, Offset).IndexOfAnyExcept(GuardValue));
        Assert.Equal(-1, _array.AsSpan(Offset + Length).IndexOfAnyExcept(GuardValue));
    }
}
