namespace Distributed.Data;

/// <summary>
/// Where a dataset lies while it is loaded: the content of its files, its columns, and at last its samples. In memory; or in files, whose pages
/// the system writes back and drops, so that there may be more rows than memory. Nothing else differs between loading and packing.
/// </summary>
internal abstract class Workspace
{
    /// <summary>All of it is in memory.</summary>
    public static Workspace InMemory { get; } = new MemoryWorkspace();

    /// <summary>The decompressed content of a file.</summary>
    /// <exception cref="InputException">It cannot be read, is empty, damaged, or larger than there is room for.</exception>
    public abstract ByteContent Read(string path);

    /// <summary>Opens a file to read it here and there, decompressed.</summary>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public abstract Stream OpenSeekable(string path);

    /// <summary>Room for numbers, as many as there are rows; its content is undefined.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public abstract Memory<T> Allocate<T>(int length)
        where T : unmanaged;

    /// <summary>Says that all of what was allocated is read in order from here on.</summary>
    public virtual void ReadInOrder<T>(ReadOnlyMemory<T> room)
        where T : unmanaged { }

    /// <summary>Says that pieces of what was allocated are read or written beside those of others, as they are if nothing else is said.</summary>
    public virtual void ReadInPieces<T>(ReadOnlyMemory<T> room)
        where T : unmanaged { }

    /// <summary>Says that part of what was allocated will be read soon, so that whoever reads it need not wait then.</summary>
    public virtual void ReadSoon<T>(ReadOnlyMemory<T> room)
        where T : unmanaged { }

    /// <summary>Gives back what was allocated and is not used any more.</summary>
    public virtual void Free<T>(ReadOnlyMemory<T> room)
        where T : unmanaged { }

    /// <summary>Encodes the samples of a part, and stores them.</summary>
    /// <exception cref="InputException">A sample cannot be encoded, or they do not fit.</exception>
    /// <exception cref="IOException">They cannot be written.</exception>
    public abstract SampleStorage Store(DataPart part, EncodedSamples samples);

    /// <summary>Keeps a part whose samples are in their stored form already.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    public abstract SampleSet Keep(DataPart part, SampleSet samples);

    private sealed class MemoryWorkspace : Workspace
    {
        public override ByteContent Read(string path) => new BytesInMemory(FileContent.Read(path));

        public override Stream OpenSeekable(string path) => FileContent.OpenSeekable(path);

        public override Memory<T> Allocate<T>(int length) => new T[length];

        public override SampleStorage Store(DataPart part, EncodedSamples samples)
        {
            var length = (long)samples.Count * samples.BytesPerSample;
            if (length > Array.MaxLength)
            {
                throw FileErrors.In(
                    samples.Path,
                    $"{samples.Count} samples of {samples.BytesPerSample} bytes are more than {Array.MaxLength} bytes; pack them with data pack, or use fewer"
                );
            }

            var features = GC.AllocateUninitializedArray<byte>((int)length);
            var targets = new int[checked(samples.Count * samples.TargetWidth)];
            samples.EncodeFeatures(0, features);
            samples.EncodeTargets(0, targets);
            return new SamplesInMemory(targets, features);
        }

        public override SampleSet Keep(DataPart part, SampleSet samples) => samples;
    }
}
