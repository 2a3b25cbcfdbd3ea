using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Distributed.Checkpoints;
using Xunit;

namespace Distributed.Shared.Tests.Checkpoints;

public sealed class SafeTensorsTests : IDisposable
{
    private const int DataBytes = 16;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsWrittenIsReadBackBitByBit()
    {
        var metadata = new Dictionary<string, string> { ["model"] = "{\"layers\":[]}", ["ä\n\""] = "" };
        Gen.Float.Array[1, 40]
            .List[0, 5]
            .Sample(
                arrays =>
                {
                    SafeTensor[] tensors =
                    [
                        .. arrays.Select((values, index) => new SafeTensor($"layers.{index}.weight", [values.Length, 1], values)),
                    ];
                    var path = _folder.File(Guid.NewGuid().ToString());
                    AtomicFile.Write(path, stream => SafeTensorsWriter.Write(stream, tensors, metadata));

                    using var file = SafeTensorsFile.Open(path);
                    Assert.Equal(metadata, file.Metadata);
                    Assert.Equal(tensors.Length, file.Tensors.Count);
                    foreach (var tensor in tensors)
                    {
                        var read = new float[tensor.Values.Length];
                        Assert.True(file.Tensors[tensor.Name].HasShape(tensor.Shape));
                        file.Read(file.Tensors[tensor.Name], read);
                        Assert.Equal(
                            tensor.Values.ToArray().Select(BitConverter.SingleToInt32Bits),
                            read.Select(BitConverter.SingleToInt32Bits)
                        );
                    }
                },
                iter: 50,
                threads: 1
            );
    }

    [Fact]
    public void TheBytesAreThoseOfTheFormat()
    {
        using var stream = new MemoryStream();
        SafeTensorsWriter.Write(stream, [new SafeTensor("a", [2], new[] { 1f, -2f })], new Dictionary<string, string> { ["k"] = "v" });

        var header = "{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        var written = stream.ToArray();
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(written);
        Assert.Equal(0, length % 8);
        Assert.Equal(header, Encoding.UTF8.GetString(written, 8, length).TrimEnd(' '));
        Assert.Equal(new byte[] { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0 }, written[(8 + length)..]);
    }

    [Fact]
    public void PyTorchsCountsOfBatchesAreLeftAside()
    {
        var path = Write(
            "{\"layers.1.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]}}",
            12
        );
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal(["one"], file.Tensors.Keys);
    }

    [Fact]
    public void ATensorWithoutValuesAndOneWithoutDimensionsAreAllowed()
    {
        var path = Write(
            "{\"none\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[0,0]},\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}",
            4
        );
        using var file = SafeTensorsFile.Open(path);
        Assert.Equal(0, file.Tensors["none"].Length);
        Assert.Equal(1, file.Tensors["one"].Length);
    }

    [Theory]
    [InlineData("{\"t\":{\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]}}", "'t' has dtype \"F16\"; only F32")]
    [InlineData("{\"t\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]}}", "'t' has dtype \"I64\"; only F32")]
    [InlineData("{\"t.num_batches_tracked\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "has dtype \"F32\"; only I64")]
    [InlineData(
        "{\"t.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,16]}}",
        "that is 8 bytes, but data_offsets span 16"
    )]
    [InlineData("{\"t\":{\"dtype\":7,\"shape\":[4],\"data_offsets\":[0,16]}}", "'t' has dtype 7")]
    [InlineData("{\"t\":{\"shape\":[4],\"data_offsets\":[0,16]}}", "'t' has no dtype")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", "'t' has no shape")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[4]}}", "'t' has no data_offsets")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,16]}}", "that is 12 bytes, but data_offsets span 16")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}", "'t' has -4 in its shape")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[4.5],\"data_offsets\":[0,16]}}", "'t' has 4.5 in its shape")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,16]}}", "whose size overflows")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}}", "start <= end")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0]}}", "start <= end")]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,99999999999999999999]}}", "in its data_offsets")]
    [InlineData(
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]}}",
        "'t' ends at byte 20 of the data, but the file holds 16"
    )]
    [InlineData("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "the file holds 16 bytes of data, its tensors cover 8")]
    [InlineData(
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"u\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[4,16]}}",
        "'u' starts at byte 4 of the data, overlapping"
    )]
    [InlineData(
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"u\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
        "'u' starts at byte 8 of the data, leaving a gap"
    )]
    [InlineData(
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
        "'t' occurs twice"
    )]
    [InlineData(
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16],\"extra\":1}}",
        "'t' has an unknown or repeated field 'extra'"
    )]
    [InlineData("{\"t\":[]}", "'t' must be described by an object")]
    [InlineData("{\"__metadata__\":{\"a\":1}}", "'a' must be text")]
    [InlineData("{\"__metadata__\":3}", "must be an object of texts")]
    [InlineData("[]", "must be a JSON object")]
    [InlineData("{", "not valid JSON")]
    public void AHeaderThatLiesIsRefusedWithFileAndTensor(string header, string message)
    {
        var path = Write(header, DataBytes);
        var refusal = Assert.Throws<InputException>(() => SafeTensorsFile.Open(path));
        Assert.StartsWith(path + ": ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    [InlineData(3ul)]
    public void AHeaderLengthBeyondTheFileIsRefused(ulong length)
    {
        var bytes = new byte[10];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Assert.Contains($"claims {length} bytes, but 2 follow", Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void AFileWithoutRoomForALengthIsRefused() =>
        Assert.Contains("7 bytes are too few", Refusal(new byte[7]), StringComparison.Ordinal);

    [Fact]
    public void AMissingFileIsRefused()
    {
        var path = _folder.File("missing.safetensors");
        Assert.Contains(
            path + ": cannot be opened",
            Assert.Throws<InputException>(() => SafeTensorsFile.Open(path)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void AWriterRefusesShapesAndNamesThatAreABug()
    {
        using var stream = new MemoryStream();
        var none = new Dictionary<string, string>();
        Assert.Throws<ArgumentException>(() => SafeTensorsWriter.Write(stream, [new SafeTensor("a", [3], new float[2])], none));
        Assert.Throws<ArgumentException>(() =>
            SafeTensorsWriter.Write(stream, [new SafeTensor("a", [1], new float[1]), new SafeTensor("a", [1], new float[1])], none)
        );
        Assert.Equal(0, stream.Length);
    }

    private string Refusal(byte[] bytes)
    {
        var path = _folder.File("bad.safetensors");
        File.WriteAllBytes(path, bytes);
        return Assert.Throws<InputException>(() => SafeTensorsFile.Open(path)).Message;
    }

    private string Write(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)json.Length);
        json.CopyTo(bytes, 8);
        var path = _folder.File("lying.safetensors");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
