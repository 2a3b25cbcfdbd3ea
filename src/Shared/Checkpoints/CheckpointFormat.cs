using System.Globalization;
using System.IO.Hashing;
using Distributed.Model;

namespace Distributed.Checkpoints;

/// <summary>
/// What a checkpoint file holds: the parameters under their names, the optimizer's state as <c>optimizer.MOMENT.PARAMETER</c>, and in the
/// header the step, the numerics version, the configuration's hash, the XXH128 of each tensor, and the SHA-256 of the header itself.
/// </summary>
/// <param name="layout">Where each parameter lies in the flat vectors.</param>
/// <param name="configurationHash">The hash of what decides the run's course.</param>
internal sealed class CheckpointFormat(ParameterLayout layout, string configurationHash)
{
    /// <summary>What the names of the optimizer's tensors begin with.</summary>
    public const string OptimizerPrefix = "optimizer.";

    private const string StepKey = "step";
    private const string NumericsVersionKey = "numericsVersion";
    private const string ConfigurationHashKey = "configurationHash";
    private const string RecordsKey = "records";
    private const string LineageKey = "lineage";
    private const string TensorHashPrefix = "xxh128:";

    // In files of earlier versions: of each tensor, or of all data at once, without a checksum of the header.
    private const string TensorSha256Prefix = "sha256:";
    private const string DataHashKey = "dataSha256";

    /// <summary>Writes a checkpoint as a safetensors file.</summary>
    internal void Write(Stream stream, Checkpoint checkpoint)
    {
        var tensors = new List<SafeTensor>(layout.Tensors(checkpoint.Weights));
        foreach (var (name, values) in checkpoint.Moments)
            tensors.AddRange(layout.Tensors(values, MomentPrefix(name)));
        var metadata = new Dictionary<string, string>
        {
            [StepKey] = checkpoint.Step.ToString(CultureInfo.InvariantCulture),
            [NumericsVersionKey] = NumericsVersion.Current.ToString(CultureInfo.InvariantCulture),
            [ConfigurationHashKey] = configurationHash,
            [HeaderSeal.Key] = HeaderSeal.Blank,
        };
        foreach (var tensor in tensors)
            metadata.Add(TensorHashPrefix + tensor.Name, HashOf(tensor));
        if (!checkpoint.Records.IsEmpty)
            metadata.Add(RecordsKey, Convert.ToBase64String(checkpoint.Records.Span));
        if (checkpoint.Lineage > 0)
            metadata.Add(LineageKey, checkpoint.Lineage.ToString(CultureInfo.InvariantCulture));
        SafeTensorsWriter.Write(stream, tensors, metadata);
    }

    /// <summary>Reads a checkpoint after checking all of it.</summary>
    /// <exception cref="DamagedCheckpointException">The file is not what was written.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InputException">The file is intact, but of another configuration or numerics version.</exception>
    internal Checkpoint Read(string path, long step, IReadOnlyList<string> momentNames)
    {
        using var file = OpenIntact(path);
        CheckOrigin(file);
        CheckStep(file, step);
        try
        {
            layout.CheckTensors(file, ["", .. momentNames.Select(MomentPrefix)]);
            var weights = ReadVector(file, "");
            return new Checkpoint(
                step,
                weights,
                [.. momentNames.Select(name => (name, (ReadOnlyMemory<float>)ReadVector(file, MomentPrefix(name))))]
            )
            {
                Records = Convert.FromBase64String(file.Metadata.GetValueOrDefault(RecordsKey, "")),
                Lineage = uint.Parse(file.Metadata.GetValueOrDefault(LineageKey, "0"), CultureInfo.InvariantCulture),
            };
        }
        catch (InputException exception)
        {
            throw new DamagedCheckpointException(exception.Message, exception);
        }
    }

    private static SafeTensorsFile OpenIntact(string path)
    {
        SafeTensorsFile? file = null;
        try
        {
            file = SafeTensorsFile.Open(path);
            if (file.Metadata.ContainsKey(DataHashKey))
                CheckData(file);
            else if (!file.HasIntactHeader())
                throw new InputException($"{path}: its header is not what was written: the checksum differs");
            return file;
        }
        catch (InputException exception)
            when (exception.InnerException is UnauthorizedAccessException or IOException and not EndOfStreamException)
        {
            file?.Dispose();
            throw new IOException(exception.Message, exception); // nothing is known of what is in it
        }
        catch (InputException exception)
        {
            file?.Dispose();
            throw new DamagedCheckpointException(exception.Message, exception);
        }
    }

    private float[] ReadVector(SafeTensorsFile file, string prefix)
    {
        var values = layout.ReadTensors(file, prefix);
        if (file.Metadata.ContainsKey(DataHashKey))
            return values; // checked as a whole
        foreach (var tensor in layout.Tensors(values, prefix))
        {
            if (!IsIntact(file, tensor))
                throw new InputException($"{file.Path}: tensor '{tensor.Name}' is not what was written: its checksum differs");
        }

        return values;
    }

    private static bool IsIntact(SafeTensorsFile file, SafeTensor tensor) =>
        file.Metadata.TryGetValue(TensorHashPrefix + tensor.Name, out var told)
            ? told == HashOf(tensor)
            : file.Metadata.GetValueOrDefault(TensorSha256Prefix + tensor.Name) == WeightsHash.Compute(tensor.Values.Span);

    private static void CheckData(SafeTensorsFile file)
    {
        var expected = file.Metadata.GetValueOrDefault(DataHashKey, "none");
        var actual = file.DataSha256();
        if (expected != actual)
            throw new InputException($"{file.Path}: the checksum of the data is {actual}, the header says {expected}");
    }

    private void CheckOrigin(SafeTensorsFile file)
    {
        Check(file, NumericsVersionKey, NumericsVersion.Current.ToString(CultureInfo.InvariantCulture), "numerics version");
        Check(file, ConfigurationHashKey, configurationHash, "configuration hash");
    }

    private static void Check(SafeTensorsFile file, string key, string expected, string what)
    {
        var actual = file.Metadata.GetValueOrDefault(key, "none");
        if (actual != expected)
        {
            throw new InputException(
                $"{file.Path}: its {what} is {actual}, this run's is {expected}: use the build and the run folder that it belongs to"
            );
        }
    }

    private static void CheckStep(SafeTensorsFile file, long step)
    {
        var actual = file.Metadata.GetValueOrDefault(StepKey, "none");
        if (actual != step.ToString(CultureInfo.InvariantCulture))
            throw new DamagedCheckpointException($"{file.Path}: its header says step {actual}");
    }

    private static string MomentPrefix(string moment) => $"{OptimizerPrefix}{moment}.";

    private static string HashOf(SafeTensor tensor)
    {
        var hash = new XxHash128(); // finds faults, as fast as memory is read; forgeries are not what it is for
        FloatBytes.CopyTo(tensor.Values.Span, hash.Append);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}
