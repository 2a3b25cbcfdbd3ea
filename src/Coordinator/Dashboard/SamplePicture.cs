using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Distributed.Data;

namespace Distributed.Coordinator.Dashboard;

/// <summary>A sample as a picture: a PNG file that stands in the page itself.</summary>
/// <param name="Address">The file as a <c>data:</c> address.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
internal sealed record SamplePicture(string Address, int Width, int Height)
{
    private const int ColorChannels = 3;

    /// <summary>Larger pictures are shown by every n-th pixel: on the page they are as large as a stamp.</summary>
    private const int MostPixels = 96;

    private const byte NoFilter = 0;
    private const byte BitsPerValue = 8;
    private const byte Grey = 0;
    private const byte Color = 2;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n'];

    /// <summary>The picture of a sample of the test set; null if it is none: samples with rows and columns are.</summary>
    public static SamplePicture? Of(Dataset dataset, int sample)
    {
        if (dataset.Shape.Height == 1)
            return null;
        var values = new float[dataset.Shape.Length];
        dataset.Test.Decode([sample], values);
        // Bytes reach a network as 0 to 1; other values have any range.
        var (least, greatest) = dataset.Test.IsBytes ? (0f, 1f) : (values.Min(), values.Max());
        var scale = greatest > least ? byte.MaxValue / (greatest - least) : 0;
        return Of(dataset.Shape, index => (byte)Math.Clamp((values[index] - least) * scale, 0, byte.MaxValue));
    }

    /// <summary>The picture of values that are stored channel by channel.</summary>
    /// <param name="shape">Their shape; three channels are red, green and blue, of others the first is shown.</param>
    /// <param name="value">The value at a place.</param>
    internal static SamplePicture Of(SampleShape shape, Func<int, byte> value)
    {
        var every = (Math.Max(shape.Height, shape.Width) + MostPixels - 1) / MostPixels;
        var (height, width) = ((shape.Height + every - 1) / every, (shape.Width + every - 1) / every);
        var channels = shape.Channels == ColorChannels ? ColorChannels : 1;
        using var pixels = new MemoryStream();
        using (var deflate = new ZLibStream(pixels, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var row = 0; row < height; row++)
            {
                deflate.WriteByte(NoFilter);
                for (var column = 0; column < width; column++)
                {
                    for (var channel = 0; channel < channels; channel++)
                        deflate.WriteByte(value((((channel * shape.Height) + (row * every)) * shape.Width) + (column * every)));
                }
            }
        }

        return new SamplePicture($"data:image/png;base64,{Convert.ToBase64String(File(width, height, channels, pixels))}", width, height);
    }

    private static byte[] File(int width, int height, int channels, MemoryStream pixels)
    {
        using var file = new MemoryStream();
        file.Write(Signature);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (BitsPerValue, channels == ColorChannels ? Color : Grey);
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, pixels.GetBuffer().AsSpan(0, (int)pixels.Length));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        var checksum = new Crc32();
        checksum.Append(type);
        checksum.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, checksum.GetCurrentHashAsUInt32());
        file.Write(number);
    }
}
