using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Data.Packs;

/// <summary>
/// What a packed dataset says of itself, in <see cref="FileName"/>, which is written last: a folder that has it is complete. The rows of each
/// set lie in a file of features and one of targets, little-endian, as <see cref="SampleDecoder"/> takes them.
/// </summary>
internal sealed record PackManifest
{
    /// <summary>The file's name in the folder.</summary>
    public const string FileName = "pack.json";

    /// <summary>Its name until all of it is on disk.</summary>
    public const string TemporaryName = FileName + AtomicFile.TemporarySuffix;

    /// <summary>The form of the files; a later one has another number.</summary>
    public const string CurrentFormat = "distributed-pack-1";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    /// <summary>The form of the files.</summary>
    public required string Format { get; init; }

    /// <summary>The name of what was packed.</summary>
    public required string Name { get; init; }

    /// <summary>The hash by which <see cref="DatasetHash"/> knows the data.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Channels, height and width of a sample.</summary>
    public required int[] Shape { get; init; }

    /// <summary>Whether samples are rows of a table.</summary>
    public required bool IsTable { get; init; }

    /// <summary>The names of the classes; none where numbers are predicted.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>The numbers to predict, if any.</summary>
    public NumericTargets? Targets { get; init; }

    /// <summary>The names of the columns, if they have names.</summary>
    public ColumnNames? Columns { get; init; }

    /// <summary>What was done to the values, as <see cref="PreprocessingJson"/> writes it.</summary>
    public required string Preprocessing { get; init; }

    /// <summary>32-bit words in the target of a sample.</summary>
    public required int TargetWidth { get; init; }

    /// <summary>What is trained on.</summary>
    public required PackedSet Train { get; init; }

    /// <summary>What is held back to measure the model.</summary>
    public required PackedSet Test { get; init; }

    /// <summary>What is held out to judge the training by, if anything.</summary>
    public PackedSet? Holdout { get; init; }

    /// <summary>XXH128 of this description with an empty text here, in hexadecimal.</summary>
    public string Checksum { get; init; } = "";

    /// <summary>The shape of a sample.</summary>
    [JsonIgnore]
    public SampleShape SampleShape => new(Shape[0], Shape[1], Shape[2]);

    /// <summary>Writes the file: all of it, or none.</summary>
    /// <param name="folder">The folder.</param>
    public void Write(string folder)
    {
        var complete = this with { Checksum = Hash() };
        AtomicFile.Write(Path.Combine(folder, FileName), file => JsonSerializer.Serialize(file, complete, Options));
    }

    /// <summary>Reads the file.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InputException">It is not there, damaged, or of another version.</exception>
    public static PackManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            using var file = InputFile.OpenRead(path);
            var manifest = JsonSerializer.Deserialize<PackManifest>(file, Options) ?? throw new JsonException("it is null");
            if (manifest.Format != CurrentFormat)
            {
                throw FileErrors.In(
                    path,
                    $"it is of the form '{manifest.Format}', this version reads {CurrentFormat}; pack the data again"
                );
            }

            if (
                manifest.Shape.Length != 3
                || manifest.Shape.Any(size => size < 1)
                || manifest.TargetWidth < 1
                || manifest.Train.Samples < 1
                || manifest.Test.Samples < 0
            )
            {
                throw new JsonException("a size is out of range");
            }

            if (manifest.Checksum != manifest.Hash())
                throw new JsonException("its checksum is another");

            _ = manifest.SampleShape.Length; // refuses what overflows
            return manifest;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or OverflowException)
        {
            throw FileErrors.In(path, $"is damaged ({e.Message.TrimEnd('.')}); pack the data again", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.In(path, $"cannot be read ({e.Message})", e);
        }
    }

    private string Hash() =>
        Convert.ToHexStringLower(XxHash128.Hash(JsonSerializer.SerializeToUtf8Bytes(this with { Checksum = "" }, Options)));
}

/// <summary>One set of a packed dataset.</summary>
/// <param name="Samples">Number of samples.</param>
/// <param name="Targets">XXH128 of the file of targets, in hexadecimal.</param>
/// <param name="Pages">XXH128 of the file with the hashes of the pages of features.</param>
internal sealed record PackedSet(int Samples, string Targets, string Pages);
