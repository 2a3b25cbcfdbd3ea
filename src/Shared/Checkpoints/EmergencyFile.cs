using System.Globalization;

namespace Distributed.Checkpoints;

/// <summary>
/// A checkpoint that a worker has left after its coordinator had gone: <c>emergency-step-N.safetensors</c>. It belongs to whoever copies it
/// into the run folder, and is never pruned.
/// </summary>
internal static class EmergencyFile
{
    private const string Prefix = "emergency-step-";

    /// <summary>The name of a step's file.</summary>
    public static string NameOf(long step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step}{CheckpointStore.Extension}");

    /// <summary>The steps of those in a folder, in any order.</summary>
    /// <param name="folder">The folder; it need not exist.</param>
    public static IEnumerable<long> StepsIn(string folder) => CheckpointStore.StepsIn(folder, Prefix);

    /// <summary>Writes a state, unless the same one is there already.</summary>
    /// <param name="folder">The folder; created if it is missing.</param>
    /// <param name="format">What the run's checkpoints contain.</param>
    /// <param name="checkpoint">The state.</param>
    /// <returns>The file.</returns>
    /// <exception cref="InputException">Another run's file stands in its place.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static string Write(string folder, CheckpointFormat format, Checkpoint checkpoint)
    {
        DirectoryFlush.Create(folder);
        var path = Path.GetFullPath(Path.Combine(folder, NameOf(checkpoint.Step)));
        if (!Holds(path, format, checkpoint))
            AtomicFile.Write(path, stream => format.Write(stream, checkpoint));
        return path;
    }

    private static bool Holds(string path, CheckpointFormat format, Checkpoint checkpoint)
    {
        if (!File.Exists(path))
            return false;
        try
        {
            _ = format.Read(path, checkpoint.Step, [.. checkpoint.Moments.Select(moment => moment.Name)]);
            return true; // a state is a function of the configuration and the step
        }
        catch (DamagedCheckpointException)
        {
            return false;
        }
    }
}
