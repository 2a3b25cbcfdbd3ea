namespace Distributed.Kernels;

/// <summary>
/// The right operand of a matrix product, [inner, columns], stored as panels of <see cref="PanelColumns"/> columns, [panel][inner][32], the last
/// panel padded with zero columns. Pack once, multiply many times.
/// </summary>
public sealed unsafe class PackedMatrix
{
    /// <summary>Columns of one panel: two 512-bit vectors of floats.</summary>
    public const int PanelColumns = 32;

    private readonly AlignedBuffer _panels;

    /// <summary>Reserves room for a matrix of zeros, [<paramref name="inner"/>, <paramref name="columns"/>].</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size below one, or panels too large for one array.</exception>
    public PackedMatrix(int inner, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inner, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        long length = (((long)columns + PanelColumns - 1) / PanelColumns) * PanelColumns * inner;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Array.MaxLength - AlignedBuffer.Alignment, nameof(columns));
        Inner = inner;
        Columns = columns;
        _panels = new AlignedBuffer((int)length);
    }

    /// <summary>Rows of the matrix: the length of each chain of the product.</summary>
    public int Inner { get; }

    /// <summary>Columns of the matrix, without padding.</summary>
    public int Columns { get; }

    /// <summary>The first element of panel 0; panel p starts p * inner * 32 floats on.</summary>
    internal float* Panels => _panels.Pointer;

    /// <summary>Replaces the content by <paramref name="source"/>, [inner, columns] in row-major order.</summary>
    /// <exception cref="ArgumentException">The source has another length.</exception>
    public void Pack(ReadOnlySpan<float> source, ComputeTeam team) => Pack(source, transposed: false, team);

    /// <summary>Replaces the content by the transpose of <paramref name="source"/>, [columns, inner] in row-major order.</summary>
    /// <exception cref="ArgumentException">The source has another length.</exception>
    public void PackTransposed(ReadOnlySpan<float> source, ComputeTeam team) => Pack(source, transposed: true, team);

    private void Pack(ReadOnlySpan<float> source, bool transposed, ComputeTeam team)
    {
        if (source.Length != (long)Inner * Columns)
            throw new ArgumentException($"A matrix of {Inner} x {Columns} has {(long)Inner * Columns} elements, not {source.Length}.", nameof(source));
        fixed (float* first = source)
            team.Run(new PackWork(first, Inner, Columns, transposed, Panels));
        GC.KeepAlive(this);
    }

    private readonly struct PackWork(float* source, int inner, int columns, bool transposed, float* panels) : IPartitionedWork
    {
        public void Execute(int part, int parts)
        {
            (int start, int end) = Partition.Of(columns, PanelColumns, part, parts);
            for (int column = start; column < end; column += PanelColumns)
            {
                float* panel = panels + ((nint)column * inner);
                int width = Math.Min(PanelColumns, columns - column);
                if (transposed)
                    PanelPacking.Transpose(source + ((nint)column * inner), inner, width, inner, panel, PanelColumns);
                else
                    PanelPacking.Copy(source + column, columns, inner, width, panel, PanelColumns);
            }
        }
    }
}
