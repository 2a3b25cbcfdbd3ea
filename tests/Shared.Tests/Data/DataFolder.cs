using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>A folder for one test, with data files made to order; deleted with its content.</summary>
internal sealed class DataFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("distributed-data-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public string Write(string name, params byte[] content)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes images of 1 x 2 values and their labels; the values of image i are i and i + 1.</summary>
    public string WritePair(string part, params byte[] labels)
    {
        Write($"{part}-labels-idx1-ubyte", Idx([(uint)labels.Length], labels));
        byte[] values = [.. labels.SelectMany((_, i) => new[] { (byte)i, (byte)(i + 1) })];
        return Write($"{part}-images-idx3-ubyte", Idx([(uint)labels.Length, 1, 2], values));
    }

    public static byte[] Idx(uint[] dimensions, byte[] values)
    {
        var header = new byte[4 + (4 * dimensions.Length)];
        header[2] = 8;
        header[3] = (byte)dimensions.Length;
        for (var i = 0; i < dimensions.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + (4 * i)), dimensions[i]);
        return [.. header, .. values];
    }

    public static byte[] Gzip(byte[] content)
    {
        using var stored = new MemoryStream();
        using (var gzip = new GZipStream(stored, CompressionLevel.Optimal))
            gzip.Write(content);
        return stored.ToArray();
    }

    /// <summary>Checks that loading is refused, and returns the message without the folder's path.</summary>
    public string Refusal(DataOptions options)
    {
        var message = Assert.Throws<InputException>(() => Dataset.Open(options)).Message;
        Assert.DoesNotContain('\n', message);
        return message.Replace(Path + System.IO.Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }

    public string Refusal(string path) => Refusal(new DataOptions { Data = path });

    public static float[] Decode(SampleSet samples)
    {
        var values = new float[samples.Count * (samples.IsBytes ? samples.BytesPerSample : samples.BytesPerSample / 4)];
        samples.Decode([.. Enumerable.Range(0, samples.Count)], values);
        return values;
    }
}
