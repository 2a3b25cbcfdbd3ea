using System.Runtime.Intrinsics.X86;

namespace Distributed.Data;

/// <summary>Samples with their targets, in their stored form: bytes stay bytes until they are decoded. Immutable.</summary>
public sealed class SampleSet
{
    /// <summary>
    /// Samples that are requested from memory before they are decoded: they lie anywhere in it, and each alone is too short for the
    /// processor to read ahead.
    /// </summary>
    private const int SamplesAhead = 2;

    /// <summary>Bytes of a sample that are requested; if it is longer, the hardware prefetcher fetches the rest.</summary>
    private const int MostBytesAhead = 1024;

    private const int CacheLineBytes = 64;

    /// <summary>Bytes that are taken at once where all are.</summary>
    private const int BlockBytes = 1 << 20;

    private readonly SampleDecoder _decoder;
    private readonly SampleStorage _storage;

    /// <summary>Encodes and stores samples.</summary>
    /// <param name="decoder">How the features are stored.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="part">What they are for.</param>
    /// <param name="workspace">Where they are stored.</param>
    /// <exception cref="InputException">A sample cannot be encoded, or they do not fit.</exception>
    internal static SampleSet Store(SampleDecoder decoder, EncodedSamples samples, DataPart part, Workspace workspace) =>
        new(decoder, workspace.Store(part, samples), samples.TargetWidth);

    /// <summary>Wraps targets and features without a copy.</summary>
    /// <param name="decoder">How the features are stored.</param>
    /// <param name="targets">[n, width]: indices of classes from 0, or other integers, or the bits of floats.</param>
    /// <param name="features">[n, BytesPerSample], the stored samples.</param>
    /// <param name="targetWidth">32-bit words in the target of a sample, at least 1.</param>
    internal SampleSet(SampleDecoder decoder, int[] targets, ReadOnlyMemory<byte> features, int targetWidth = 1)
        : this(decoder, new SamplesInMemory(targets, features), targetWidth) { }

    /// <summary>Takes samples wherever they lie.</summary>
    /// <param name="decoder">How the features are stored.</param>
    /// <param name="storage">Targets and features.</param>
    /// <param name="targetWidth">32-bit words in the target of a sample, at least 1.</param>
    internal SampleSet(SampleDecoder decoder, SampleStorage storage, int targetWidth)
    {
        Count = storage.Targets.Length / targetWidth;
        if (storage.Length != (long)Count * decoder.BytesPerSample || storage.Targets.Length != Count * targetWidth)
            throw new ArgumentException($"{storage.Length} bytes are not {Count} samples of {decoder.BytesPerSample} bytes.");
        _decoder = decoder;
        _storage = storage;
        TargetWidth = targetWidth;
    }

    /// <summary>A set without samples.</summary>
    /// <param name="decoder">How they would be stored.</param>
    internal static SampleSet Empty(SampleDecoder decoder) => new(decoder, [], ReadOnlyMemory<byte>.Empty);

    /// <summary>Number of samples.</summary>
    public int Count { get; }

    /// <summary>32-bit words in the target of a sample.</summary>
    public int TargetWidth { get; }

    /// <summary>[Count, TargetWidth], what a model is to learn of each sample: integers, or the bits of floats.</summary>
    public ReadOnlySpan<int> Targets => _storage.Targets;

    /// <summary>[Count], the first word of each target: its class, where there are classes.</summary>
    internal int[] FirstTargets()
    {
        var first = new int[Count];
        for (var sample = 0; sample < Count; sample++)
            first[sample] = Targets[sample * TargetWidth];
        return first;
    }

    /// <summary>Whether a stored value is a byte; otherwise it is a little-endian 32-bit float.</summary>
    public bool IsBytes => _decoder.IsBytes;

    /// <summary>Number of values of a sample.</summary>
    internal int Length => IsBytes ? BytesPerSample : BytesPerSample / sizeof(float);

    /// <summary>Size of a stored sample in bytes.</summary>
    public int BytesPerSample => _decoder.BytesPerSample;

    /// <summary>Hands over all stored samples, [Count, BytesPerSample], piece by piece.</summary>
    /// <param name="take">Takes some bytes.</param>
    internal void CopyFeatures(Action<ReadOnlySpan<byte>> take)
    {
        for (long offset = 0; offset < _storage.Length; )
        {
            var piece = _storage.Stored(offset, (int)Math.Min(BlockBytes, _storage.Length - offset));
            take(piece);
            offset += piece.Length;
        }

        GC.KeepAlive(_storage);
    }

    /// <summary>Says that samples will be asked for soon.</summary>
    /// <param name="indices">The samples, in the order in which they will be asked for.</param>
    internal void ReadAhead(ReadOnlyMemory<int> indices) => _storage.ReadAhead(indices, BytesPerSample);

    /// <summary>Says that consecutive samples will be asked for soon, in any order.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="count">How many.</param>
    internal void ReadAhead(int first, int count) => _storage.ReadAhead((long)first * BytesPerSample, (long)count * BytesPerSample);

    /// <summary>Whether samples are read from a disk when they are asked for.</summary>
    internal bool IsReadOnDemand => _storage.IsReadOnDemand;

    /// <summary>Decodes chosen samples; the destination is overwritten.</summary>
    /// <param name="indices">[n], which samples, in the order of the destination's rows.</param>
    /// <param name="destination">[n, shape.Length], the numbers a network sees.</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not below <see cref="Count"/>.</exception>
    public void Decode(ReadOnlySpan<int> indices, Span<float> destination)
    {
        var length = Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, (long)indices.Length * length, nameof(destination));
        for (var row = 0; row < indices.Length; row++)
        {
            if (row + SamplesAhead < indices.Length)
                Request(Stored(indices[row + SamplesAhead]));
            _decoder.Decode(Stored(indices[row]), destination.Slice(row * length, length));
        }

        GC.KeepAlive(_storage);
    }

    /// <summary>Decodes a few values of chosen samples, and reads no others; the destination is overwritten.</summary>
    /// <param name="indices">[n], which samples.</param>
    /// <param name="first">The first of them among a sample's values.</param>
    /// <param name="count">How many.</param>
    /// <param name="destination">[n, count].</param>
    internal void DecodeValues(ReadOnlySpan<int> indices, int first, int count, Span<float> destination)
    {
        var width = IsBytes ? 1 : sizeof(float);
        for (var row = 0; row < indices.Length; row++)
            _decoder.DecodeValues(Stored(indices[row]).Slice(first * width, count * width), destination.Slice(row * count, count));
        GC.KeepAlive(_storage);
    }

    /// <summary>Copies the targets of chosen samples; the destination is overwritten.</summary>
    /// <param name="indices">[n], which samples.</param>
    /// <param name="destination">[n, TargetWidth].</param>
    /// <exception cref="ArgumentException">The destination is shorter.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is not below <see cref="Count"/>.</exception>
    public void CopyTargets(ReadOnlySpan<int> indices, Span<int> destination)
    {
        var targets = _storage.Targets;
        for (var row = 0; row < indices.Length; row++)
            targets.Slice(indices[row] * TargetWidth, TargetWidth).CopyTo(destination[(row * TargetWidth)..]);
        GC.KeepAlive(_storage);
    }

    /// <summary>Copies one sample in its stored form, as it travels to workers.</summary>
    /// <param name="index">Which sample.</param>
    /// <param name="destination">[BytesPerSample], overwritten.</param>
    /// <exception cref="ArgumentException">The destination is shorter.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is not below <see cref="Count"/>.</exception>
    public void CopyRaw(int index, Span<byte> destination)
    {
        Stored(index).CopyTo(destination);
        GC.KeepAlive(_storage);
    }

    /// <summary>Returns a set of chosen samples, in the given order.</summary>
    internal SampleSet Select(int[] indices)
    {
        var features = new byte[checked(indices.Length * BytesPerSample)];
        var targets = new int[indices.Length * TargetWidth];
        CopyTargets(indices, targets);
        for (var row = 0; row < indices.Length; row++)
            CopyRaw(indices[row], features.AsSpan(row * BytesPerSample));
        return new SampleSet(_decoder, targets, features, TargetWidth);
    }

    /// <summary>The same samples in another place.</summary>
    /// <param name="storage">What holds a copy of targets and features.</param>
    internal SampleSet StoredIn(SampleStorage storage) => new(_decoder, storage, TargetWidth);

    /// <summary>The same samples with other targets of one word each.</summary>
    internal SampleSet WithTargets(int[] targets) => new(_decoder, new OtherTargets(targets, _storage), targetWidth: 1);

    private static unsafe void Request(ReadOnlySpan<byte> sample)
    {
        if (!Sse.IsSupported)
            return;
        fixed (byte* first = sample)
        {
            for (var at = 0; at < Math.Min(sample.Length, MostBytesAhead); at += CacheLineBytes)
                Sse.Prefetch0(first + at);
        }
    }

    private ReadOnlySpan<byte> Stored(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _storage.Stored((long)index * BytesPerSample, BytesPerSample);
    }

    private sealed class OtherTargets(int[] targets, SampleStorage features) : SampleStorage
    {
        public override long Length => features.Length;

        public override ReadOnlySpan<int> Targets => targets;

        public override ReadOnlySpan<byte> Stored(long offset, int length) => features.Stored(offset, length);

        public override void ReadAhead(ReadOnlyMemory<int> indices, int bytesPerSample) => features.ReadAhead(indices, bytesPerSample);

        public override void ReadAhead(long offset, long length) => features.ReadAhead(offset, length);

        public override bool IsReadOnDemand => features.IsReadOnDemand;
    }
}
