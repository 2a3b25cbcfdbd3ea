using System.Globalization;
using System.Security.Cryptography;
using Distributed.Model;

namespace Distributed.Checkpoints;

/// <summary>
/// What a checkpoint file holds: the parameters under their names, the optimizer's state as <c>optimizer.MOMENT.PARAMETER</c>, and in the
/// header the step, the numerics version, the configuration's hash and the SHA-256 of the data.
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
    private const string DataHashKey = "dataSha256";

    /// <summary>Writes a checkpoint as a safetensors file.</summary>
    internal void Write(Stream stream, Checkpoint checkpoint)
    {
        var tensors = new List<SafeTensor>(layout.Tensors(checkpoint.Weights));
        foreach (var (name, values) in checkpoint.Moments)
            tensors.AddRange(layout.Tensors(values, MomentPrefix(name)));
        SafeTensorsWriter.Write(
            stream,
            tensors,
            new Dictionary<string, string>
            {
                [StepKey] = checkpoint.Step.ToString(CultureInfo.InvariantCulture),
                [NumericsVersionKey] = NumericsVersion.Current.ToString(CultureInfo.InvariantCulture),
                [ConfigurationHashKey] = configurationHash,
                [DataHashKey] = DataHash(tensors),
            }
        );
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
            var moments = momentNames.Select(name => (name, (ReadOnlyMemory<float>)layout.ReadTensors(file, MomentPrefix(name))));
            return new Checkpoint(step, layout.ReadTensors(file), [.. moments]);
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
            CheckData(file);
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

    private static string DataHash(IEnumerable<SafeTensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors)
            FloatBytes.CopyTo(tensor.Values.Span, hash.AppendData);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
