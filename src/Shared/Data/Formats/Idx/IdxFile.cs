using System.Buffers.Binary;

namespace Distributed.Data.Formats.Idx;

/// <summary>
/// An array of bytes in the IDX format of Y. LeCun's MNIST page: two zero bytes, the type of the values (8 for unsigned bytes),
/// the number of dimensions, each dimension as a big-endian 32-bit integer, then the values in row-major order.
/// </summary>
/// <param name="Path">Where it was read from.</param>
/// <param name="Dimensions">The sizes, the outermost first: the number of samples.</param>
/// <param name="Content">The whole uncompressed file.</param>
internal sealed record IdxFile(string Path, int[] Dimensions, ByteContent Content)
{
    private const int MagicLength = 4;
    private const int DimensionLength = 4;
    private const int MostDimensions = 4;
    private const byte UnsignedByte = 8;

    /// <summary>Offset of the values in the uncompressed file.</summary>
    public int HeaderLength => MagicLength + (Dimensions.Length * DimensionLength);

    /// <summary>Number of values: the product of the dimensions.</summary>
    public long ValueCount => Content.Length - HeaderLength;

    /// <summary>Whether content begins as that of IDX files does, with values of any type.</summary>
    public static bool HasMark(ReadOnlySpan<byte> start) => start is [0, 0, 8 or 9 or (>= 11 and <= 14), >= 1 and <= MostDimensions, ..];

    /// <summary>How long a file of bytes is by its header; 0 if that is cut off.</summary>
    /// <param name="start">What <see cref="HasMark"/>.</param>
    public static UInt128 PromisedLength(ReadOnlySpan<byte> start)
    {
        var headerLength = MagicLength + (start[3] * DimensionLength);
        if (start.Length < headerLength)
            return 0;
        var values = UInt128.One;
        for (var offset = MagicLength; offset < headerLength; offset += DimensionLength)
            values *= BinaryPrimitives.ReadUInt32BigEndian(start[offset..]);
        return values + (uint)headerLength;
    }

    /// <summary>Reads a file, compressed or not.</summary>
    /// <param name="path">The file.</param>
    /// <param name="workspace">Where its content is to lie.</param>
    /// <exception cref="InputException">It cannot be read, its header is wrong, or promises more or less than there is.</exception>
    public static IdxFile Read(string path, Workspace workspace) => Parse(path, workspace.Read(path));

    /// <summary>Checks a file's header against its content. Nothing is allocated for what the header only promises.</summary>
    /// <exception cref="InputException">The header is wrong, or promises more or less than there is.</exception>
    public static IdxFile Parse(string path, ByteContent content)
    {
        var file = new IdxFile(path, ParseDimensions(path, content.From(0)), content);
        file.RequireLength();
        return file;
    }

    private static int[] ParseDimensions(string path, ReadOnlySpan<byte> content)
    {
        if (content.Length < MagicLength)
            throw Truncated(path, content.Length);
        if (content[0] != 0 || content[1] != 0)
        {
            var magic = Convert.ToHexStringLower(content[..MagicLength]);
            throw FileErrors.AtOffset(path, 0, $"the magic number is {magic}, but an IDX file of bytes starts with 000008");
        }

        if (content[2] != UnsignedByte)
            throw FileErrors.AtOffset(path, 2, $"values of type 0x{content[2]:x2}; only unsigned bytes (0x08) are supported");
        if (content[3] is 0 or > MostDimensions)
            throw FileErrors.AtOffset(path, 3, $"{content[3]} dimensions; 1 to {MostDimensions} are supported");
        if (content.Length < MagicLength + (content[3] * DimensionLength))
            throw Truncated(path, content.Length);
        var dimensions = new int[content[3]];
        for (var i = 0; i < dimensions.Length; i++)
            dimensions[i] = ParseDimension(path, content, MagicLength + (i * DimensionLength));
        return dimensions;
    }

    private static int ParseDimension(string path, ReadOnlySpan<byte> content, int offset) =>
        BinaryPrimitives.ReadUInt32BigEndian(content[offset..]) switch
        {
            0 => throw FileErrors.AtOffset(path, offset, "a dimension is 0: the file holds no samples"),
            > int.MaxValue and uint size => throw FileErrors.AtOffset(path, offset, $"a dimension is {size}, more than any file can hold"),
            uint size => (int)size,
        };

    private void RequireLength()
    {
        // Four factors below 2^31 fit in 128 bits.
        var promised = Dimensions.Aggregate(UInt128.One, (product, size) => product * (uint)size);
        var present = (UInt128)ValueCount;
        if (promised == present)
            return;
        var sizes = string.Join(" x ", Dimensions);
        throw promised > present
            ? FileErrors.AtOffset(
                Path,
                Content.Length,
                $"the file is truncated: its header promises {sizes} = {promised} values, but {present} follow"
            )
            : FileErrors.AtOffset(
                Path,
                HeaderLength + (long)promised,
                $"{present - promised} bytes follow the {sizes} values that the header promises"
            );
    }

    private static InputException Truncated(string path, int length) =>
        FileErrors.AtOffset(path, length, "the file ends within its IDX header");
}
