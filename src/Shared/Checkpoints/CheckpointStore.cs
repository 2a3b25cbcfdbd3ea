using System.Globalization;

namespace Distributed.Checkpoints;

/// <summary>
/// The checkpoints of one run: <c>step-N.safetensors</c>, each complete or absent. A folder has one writer at a time,
/// which the run folder's lock ensures.
/// </summary>
internal sealed class CheckpointStore
{
    /// <summary>How many checkpoints are kept unless told otherwise.</summary>
    public const int DefaultKeep = 3;

    private const string Prefix = "step-";
    private const string Extension = ".safetensors";

    private readonly string _directory;
    private readonly CheckpointFormat _format;
    private readonly int _keep;
    private readonly HashSet<long> _unreadable = [];
    private long _newest = -1; // that this object has written

    /// <summary>Names the folder; it is created by the first save.</summary>
    /// <param name="directory">The folder, used for nothing else.</param>
    /// <param name="format">What the checkpoints of this run contain.</param>
    /// <param name="keep">How many of the newest are kept, at least 1.</param>
    public CheckpointStore(string directory, CheckpointFormat format, int keep = DefaultKeep)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        _directory = directory;
        _format = format;
        _keep = keep;
    }

    /// <summary>The steps of the existing checkpoints, in ascending order; unfinished files do not count.</summary>
    public IReadOnlyList<long> Steps =>
        !Directory.Exists(_directory)
            ? []
            : [.. Directory.EnumerateFiles(_directory, Prefix + "*" + Extension).Select(StepOf).OfType<long>().Order()];

    /// <summary>The file of a step's checkpoint.</summary>
    public string PathOf(long step) => Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step}{Extension}"));

    /// <summary>Writes a checkpoint, flushes it to disk, and then deletes those that are too many. Returns its path.</summary>
    /// <param name="step">Steps completed.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="moments">The optimizer's state: under each of its names a flat vector as long as the weights.</param>
    public string Save(long step, ReadOnlyMemory<float> weights, IReadOnlyList<(string Name, ReadOnlyMemory<float> Values)> moments)
    {
        DirectoryFlush.Create(_directory);
        var path = PathOf(step);
        AtomicFile.Write(path, stream => _format.Write(stream, new Checkpoint(step, weights, moments)));
        _newest = Math.Max(_newest, step);
        Prune();
        return path;
    }

    /// <summary>Loads the newest checkpoint that is intact, or null when there is none.</summary>
    /// <param name="momentNames">The names of the optimizer's state, in its order.</param>
    /// <param name="skipped">Called with one line for each checkpoint that was skipped.</param>
    /// <exception cref="InputException">An intact checkpoint belongs to another configuration or another numerics version.</exception>
    public Checkpoint? LoadLatest(IReadOnlyList<string> momentNames, Action<string> skipped)
    {
        foreach (var step in Steps.Reverse())
        {
            try
            {
                return _format.Read(PathOf(step), step, momentNames);
            }
            catch (DamagedCheckpointException exception)
            {
                skipped($"skipped a damaged checkpoint: {exception.Message}");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _unreadable.Add(step); // it may well be intact
                skipped($"skipped a checkpoint that cannot be read, and stays: {exception.Message}");
            }
        }
        return null;
    }

    /// <summary>
    /// Deletes all but the newest, and what is left of unfinished writes. Later steps than were written here can only be files that were
    /// passed over as damaged when this run was resumed: they must not count among those kept.
    /// </summary>
    private void Prune()
    {
        var steps = Steps;
        var kept = steps.Where(step => step <= _newest).Except(_unreadable).TakeLast(_keep).Concat(_unreadable).ToHashSet();
        foreach (var step in steps.Where(step => !kept.Contains(step)))
            File.Delete(PathOf(step));
        foreach (var leftover in Directory.EnumerateFiles(_directory, Prefix + "*" + AtomicFile.TemporarySuffix))
            File.Delete(leftover);
    }

    private static long? StepOf(string path)
    {
        var name = Path.GetFileName(path.AsSpan());
        var digits = name[Prefix.Length..^Extension.Length];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    }
}
