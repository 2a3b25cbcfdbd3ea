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
    internal const string Extension = ".safetensors";

    private readonly string _directory;
    private readonly CheckpointFormat _format;
    private readonly IReadOnlyList<string> _emergencyFolders;
    private readonly Action<string, Action<Stream>> _write;
    private readonly HashSet<long> _unreadable = [];
    private int _keep;

    /// <summary>Names the folder; it is created by the first save.</summary>
    /// <param name="directory">The folder, used for nothing else.</param>
    /// <param name="format">What the checkpoints of this run contain.</param>
    /// <param name="keep">See <see cref="Keep"/>.</param>
    /// <param name="emergencyFolders">Where checkpoints may lie that workers have left, see <see cref="EmergencyFile"/>.</param>
    /// <param name="write">Writes a file as a whole or not at all; null for <see cref="AtomicFile"/>.</param>
    public CheckpointStore(
        string directory,
        CheckpointFormat format,
        int keep = DefaultKeep,
        IReadOnlyList<string>? emergencyFolders = null,
        Action<string, Action<Stream>>? write = null
    )
    {
        _directory = directory;
        _format = format;
        Keep = keep;
        _emergencyFolders = emergencyFolders ?? [];
        _write = write ?? ((path, content) => AtomicFile.Write(path, content));
    }

    /// <summary>How many of the newest are kept, at least 1.</summary>
    public int Keep
    {
        get => _keep;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _keep = value;
        }
    }

    /// <summary>The folder.</summary>
    public string Path => _directory;

    /// <summary>The newest step that this object has written; -1 before the first.</summary>
    public long Newest { get; private set; } = -1;

    /// <summary>The steps of the existing checkpoints, in ascending order; unfinished files do not count.</summary>
    public IReadOnlyList<long> Steps => [.. StepsIn(_directory, Prefix).Order()];

    /// <summary>The file of a step's checkpoint.</summary>
    public string PathOf(long step) =>
        System.IO.Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step}{Extension}"));

    /// <summary>Writes a checkpoint and flushes it to disk. Returns its path. If that fails, all others are as they were.</summary>
    /// <param name="step">Steps completed.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="moments">The optimizer's state: under each of its names a flat vector as long as the weights.</param>
    public string Save(long step, ReadOnlyMemory<float> weights, IReadOnlyList<(string Name, ReadOnlyMemory<float> Values)> moments)
    {
        DirectoryFlush.Create(_directory);
        DeleteUnfinished(); // they may fill the disk
        var path = PathOf(step);
        _write(path, stream => _format.Write(stream, new Checkpoint(step, weights, moments)));
        Newest = Math.Max(Newest, step);
        return path;
    }

    /// <summary>Loads the newest checkpoint that is intact, or null when there is none.</summary>
    /// <param name="momentNames">The names of the optimizer's state, in its order.</param>
    /// <param name="skipped">Called with one line for each checkpoint that was skipped.</param>
    /// <param name="lineage">
    /// How often the run has gone back because states differed: what workers had left before nobody has compared, and it may be wrong.
    /// </param>
    /// <param name="before">Steps from this one on are left aside.</param>
    /// <exception cref="InputException">An intact checkpoint belongs to another configuration or another numerics version.</exception>
    public Checkpoint? LoadLatest(
        IReadOnlyList<string> momentNames,
        Action<string> skipped,
        uint lineage = 0,
        long before = long.MaxValue
    ) => Load(Candidates().Where(candidate => candidate.Step < before), momentNames, skipped, lineage);

    /// <summary>Loads the checkpoint of a step, or null if there is none that is intact.</summary>
    /// <param name="step">The step.</param>
    /// <param name="momentNames">The names of the optimizer's state, in its order.</param>
    /// <param name="skipped">Called with one line if it was skipped.</param>
    /// <exception cref="InputException">It belongs to another configuration or another numerics version.</exception>
    public Checkpoint? Load(long step, IReadOnlyList<string> momentNames, Action<string> skipped) =>
        Load(Candidates().Where(candidate => candidate.IsOwn && candidate.Step == step), momentNames, skipped, lineage: 0);

    private Checkpoint? Load(
        IEnumerable<(string Path, long Step, bool IsOwn)> candidates,
        IReadOnlyList<string> momentNames,
        Action<string> skipped,
        uint lineage
    )
    {
        foreach (var (path, step, isOwn) in candidates)
        {
            try
            {
                var checkpoint = _format.Read(path, step, momentNames);
                if (isOwn || checkpoint.Lineage >= lineage)
                    return checkpoint;
                skipped($"skipped {path}, which a worker left before states of the run were found to differ: it may be wrong");
            }
            catch (DamagedCheckpointException exception)
            {
                skipped($"skipped a damaged checkpoint: {exception.Message}");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (isOwn)
                    _unreadable.Add(step); // it may well be intact
                skipped($"skipped a checkpoint that cannot be read, and stays: {exception.Message}");
            }
        }
        return null;
    }

    /// <summary>
    /// Deletes all but the newest and the best. Later steps than were written here can only be files that were passed over as damaged when
    /// this run was resumed: they must not count among those kept. Before anything was written here, nothing is deleted.
    /// </summary>
    /// <param name="best">The step of the best checkpoint, if any.</param>
    public void Prune(long? best = null)
    {
        if (Newest < 0)
            return;
        var steps = Steps;
        var kept = steps.Where(step => step <= Newest).Except(_unreadable).TakeLast(Keep).Concat(_unreadable).ToHashSet();
        foreach (var step in steps.Where(step => !kept.Contains(step) && step != best))
            File.Delete(PathOf(step));
    }

    /// <summary>The steps in the names of a folder's files.</summary>
    /// <param name="folder">The folder; it need not exist.</param>
    /// <param name="prefix">What a name begins with; the step and the extension follow.</param>
    internal static IEnumerable<long> StepsIn(string folder, string prefix) =>
        Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, prefix + "*" + Extension).Select(path => StepOf(path, prefix)).OfType<long>()
            : [];

    // The newest first. A state is a function of the configuration and the step, so that any file of a step will do.
    private IEnumerable<(string Path, long Step, bool IsOwn)> Candidates() =>
        _emergencyFolders
            .SelectMany(folder =>
                EmergencyFile.StepsIn(folder).Select(step => (System.IO.Path.Combine(folder, EmergencyFile.NameOf(step)), step, false))
            )
            .Concat(Steps.Select(step => (PathOf(step), step, true)))
            .OrderByDescending(candidate => candidate.Item2)
            .ThenByDescending(candidate => candidate.Item3);

    private void DeleteUnfinished()
    {
        foreach (var leftover in Directory.EnumerateFiles(_directory, Prefix + "*" + AtomicFile.TemporarySuffix))
            File.Delete(leftover);
    }

    private static long? StepOf(string path, string prefix)
    {
        var name = System.IO.Path.GetFileName(path.AsSpan());
        var digits = name[prefix.Length..^Extension.Length];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    }
}
