using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class SampleSetTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Raw_samples_decode_to_the_bits_of_the_set(bool areBytes)
    {
        var csv = _folder.Write("a.csv", "1,10,b\n2,20,a\n3,31,b\n4,40,a\n5,0,c\n");
        var dataset = DatasetLoader.Load(areBytes ? new DataOptions() : new DataOptions { Data = csv });
        var decoder = new SampleDecoder(Preprocessing.FromJson(dataset.Preprocessing.ToJson(), "test"), dataset.Shape);
        int[] indices = [3, 0, 3, 2];
        var raw = new byte[indices.Length * dataset.Train.BytesPerSample];
        for (var i = 0; i < indices.Length; i++)
            dataset.Train.CopyRaw(indices[i], raw.AsSpan(i * dataset.Train.BytesPerSample));
        float[] expected = new float[indices.Length * dataset.Shape.Length],
            actual = new float[expected.Length];

        dataset.Train.Decode(indices, expected);
        decoder.Decode(raw, actual);

        Assert.Equal((areBytes, areBytes), (dataset.Train.IsBytes, decoder.IsBytes));
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), actual.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Every_byte_is_scaled_by_division()
    {
        var decoder = new SampleDecoder(Preprocessing.Bytes(255), new SampleShape(1, 16, 16));
        var values = new float[256];

        decoder.Decode([.. Enumerable.Range(0, 256).Select(value => (byte)value)], values);

        Assert.Equal(Enumerable.Range(0, 256).Select(value => value / 255f), values);
    }

    [Fact]
    public void Decoding_allocates_nothing()
    {
        var samples = DatasetLoader.Load(new DataOptions()).Train;
        int[] indices = [5, 3, 8];
        var values = new float[3 * 64];
        samples.Decode(indices, values);

        var before = GC.GetAllocatedBytesForCurrentThread();
        samples.Decode(indices, values);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1438)]
    public void An_index_out_of_range_is_a_bug_of_the_caller(int index)
    {
        var samples = DatasetLoader.Load(new DataOptions()).Train;

        Assert.Throws<ArgumentOutOfRangeException>(() => samples.Decode([index], new float[64]));
        Assert.Throws<ArgumentOutOfRangeException>(() => samples.CopyRaw(index, new byte[64]));
    }

    [Fact]
    public void A_destination_of_another_length_is_a_bug_of_the_caller()
    {
        var samples = DatasetLoader.Load(new DataOptions()).Train;

        Assert.Throws<ArgumentOutOfRangeException>(() => samples.Decode([1, 2], new float[64]));
        Assert.Throws<ArgumentException>(() =>
            new SampleDecoder(Preprocessing.Bytes(16), new SampleShape(1, 8, 8)).Decode(new byte[65], new float[64])
        );
    }

    [Theory]
    [InlineData("""{"byteDivisor":255}""")]
    [InlineData("""{"means":[0.1,-2.5E-300],"deviations":[1,0.3333333333333333]}""")]
    [InlineData("{}")]
    public void Preprocessing_survives_its_json(string json) => Assert.Equal(json, Preprocessing.FromJson(json, "test").ToJson());

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"byteDivisor":0}""")]
    [InlineData("""{"byteDivisor":-1}""")]
    [InlineData("""{"byteDivisor":255,"means":[1],"deviations":[1]}""")]
    [InlineData("""{"means":[1]}""")]
    [InlineData("""{"means":[1],"deviations":[1,2]}""")]
    [InlineData("""{"means":[1],"deviations":[0]}""")]
    [InlineData("""{"scale":2}""")]
    public void Preprocessing_that_is_not_valid_is_refused(string json)
    {
        var e = Assert.Throws<InputException>(() => Preprocessing.FromJson(json, "model.safetensors"));

        Assert.StartsWith("model.safetensors: the preprocessing ", e.Message, StringComparison.Ordinal);
    }
}
