using System.Globalization;
using System.Text.Json;
using Distributed.Checkpoints;
using Distributed.Model;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// The folder that holds one run: <c>config.json</c>, <c>metrics.jsonl</c>, <c>checkpoints/</c>, and at the end
/// <c>model.safetensors</c> and <c>summary.json</c>. It is locked until this object is disposed of, so that two coordinators never share
/// one.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>The file with all that decides the result.</summary>
    public const string ConfigName = "config.json";
    private const string MetricsName = "metrics.jsonl";
    private const string MembershipName = "membership.jsonl";
    private const string CheckpointsName = "checkpoints";
    private const string ModelName = "model.safetensors";
    private const string SummaryName = "summary.json";
    private const string EpochName = "epoch";
    private const string LineageName = "lineage";
    private const string RunIdName = "run-id";
    private const int LongestPart = 80; // of a name of two parts, where 255 bytes are the most of all systems
    private const string PlacesName = "places.json";

    private readonly RunLock _lock;
    private readonly Origin _origin;

    private RunFolder(
        string path,
        RunLock runLock,
        Origin origin,
        RunConfiguration configuration,
        ParameterLayout layout,
        Action<string, Action<Stream>>? writeCheckpoint = null
    )
    {
        Path = path;
        _lock = runLock;
        _origin = origin;
        Checkpoints = new CheckpointStore(
            File(path, CheckpointsName),
            new CheckpointFormat(layout, RunConfigurationJson.Hash(configuration)),
            emergencyFolders: [path, File(path, CheckpointsName)],
            write: writeCheckpoint
        );
        Metrics = new MetricsLog(File(path, MetricsName));
        Ledger = new LedgerLog(File(path, LedgerLog.FileName));
    }

    /// <summary>The folder, as it was named.</summary>
    public string Path { get; }

    /// <summary>The run's checkpoints. Save through <see cref="SaveCheckpoint"/>.</summary>
    public CheckpointStore Checkpoints { get; }

    /// <summary>The run's metrics.</summary>
    public MetricsLog Metrics { get; }

    /// <summary>Which samples were used, where that is asked for.</summary>
    public LedgerLog Ledger { get; }

    /// <summary>Who took part, and what was lost.</summary>
    public string MembershipPath => File(Path, MembershipName);

    /// <summary>What helps where the folder cannot be written.</summary>
    public string HowToGoOn =>
        $"make room there, or make it writable, and go on with: train --resume --run {Commands.Invocation.Argument(Path)}";

    /// <summary>The trained model; there once the run is complete.</summary>
    public string ModelPath => ModelPathOf(Path);

    /// <summary>Begins a run in a new folder, or in one that holds no run.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="configuration">What is written to <c>config.json</c>.</param>
    /// <param name="layout">The model's parameters.</param>
    /// <param name="writeCheckpoint">Writes a checkpoint's file, see <see cref="CheckpointStore"/>; null for the disk.</param>
    /// <exception cref="InputException">The folder already holds a run, or cannot be written.</exception>
    public static RunFolder Create(
        string path,
        RunConfiguration configuration,
        ParameterLayout layout,
        Action<string, Action<Stream>>? writeCheckpoint = null
    )
    {
        var origin = Directory.Exists(path) ? Origin.NewRun : Origin.NewFolder;
        var runLock = RunLock.Take(path);
        try
        {
            RequireNoRun(path);
            WriteBefore(path, ConfigName, RunConfigurationJson.Write(configuration));
            return new RunFolder(path, runLock, origin, configuration, layout, writeCheckpoint);
        }
        catch
        {
            runLock.Dispose();
            throw;
        }
    }

    /// <summary>Resumes the run in a folder, and notes where its inputs were found this time.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="prepared">The run, perhaps with a later end than the one that is stored, which it replaces.</param>
    /// <exception cref="InputException">Another coordinator uses the folder.</exception>
    public static RunFolder Resume(string path, RunPreparation prepared)
    {
        var folder = Resume(path, prepared.Configuration, prepared.Network.Layout);
        if (prepared.Places != Places.Of(ReadOptions(path)))
            folder.WritePlaces(prepared.Places);
        return folder;
    }

    /// <summary>Resumes the run in a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="configuration">The configuration, perhaps with a later end than the one that is stored, which it replaces.</param>
    /// <param name="layout">The model's parameters.</param>
    /// <exception cref="InputException">Another coordinator uses the folder.</exception>
    public static RunFolder Resume(string path, RunConfiguration configuration, ParameterLayout layout)
    {
        var runLock = RunLock.Take(path);
        try
        {
            WriteBefore(path, ConfigName, RunConfigurationJson.Write(configuration));
            return new RunFolder(path, runLock, Origin.Resumed, configuration, layout);
        }
        catch
        {
            runLock.Dispose();
            throw;
        }
    }

    /// <summary>Begins a run in a new folder with a name of its own, also where others begin runs at the same moment.</summary>
    /// <param name="parent">The folder for runs.</param>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="model">The option that named the model.</param>
    /// <param name="time">The clock; only its UTC time is used.</param>
    /// <param name="configuration">What is written to <c>config.json</c>.</param>
    /// <param name="layout">The model's parameters.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static RunFolder CreateNew(
        string parent,
        string dataset,
        string model,
        TimeProvider time,
        RunConfiguration configuration,
        ParameterLayout layout
    )
    {
        while (true)
        {
            var path = NewName(parent, dataset, model, time);
            try
            {
                return Create(path, configuration, layout);
            }
            catch (InputException exception) when (exception is FolderInUseException || Holds(path))
            {
                // Another run has taken the name meanwhile.
            }
        }
    }

    /// <summary>An unused name: <c>runs/20260131-120000-digits-mlp</c>.</summary>
    /// <param name="parent">The folder for runs.</param>
    /// <param name="dataset">The dataset's name.</param>
    /// <param name="model">The option that named the model.</param>
    /// <param name="time">The clock; only its UTC time is used.</param>
    public static string NewName(string parent, string dataset, string model, TimeProvider time)
    {
        var stamp = time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var name = System.IO.Path.Combine(parent, $"{stamp}-{Plain(dataset)}-{Plain(System.IO.Path.GetFileNameWithoutExtension(model))}");
        var unused = name;
        for (var number = 2; Directory.Exists(unused); number++)
            unused = string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");
        return unused;
    }

    /// <summary>Whether a folder holds a run.</summary>
    public static bool Holds(string path) => System.IO.File.Exists(File(path, ConfigName));

    /// <summary>Reads the configuration of the run in a folder.</summary>
    /// <exception cref="InputException">The folder holds no run, or one that cannot be read.</exception>
    public static RunConfiguration ReadConfiguration(string path)
    {
        var file = File(path, ConfigName);
        if (!Holds(path))
            throw new InputException($"{path}: holds no run ({ConfigName} is missing); name a folder that train has made");
        return RunConfigurationJson.Read(System.IO.File.ReadAllText(file), file);
    }

    /// <summary>The options of the run in a folder, with its inputs at the places at which they were found last.</summary>
    /// <exception cref="InputException">The folder holds no run, or one that cannot be read.</exception>
    public static TrainingOptions ReadOptions(string path)
    {
        var options = ReadConfiguration(path).Options;
        var file = File(path, PlacesName);
        try
        {
            return System.IO.File.Exists(file)
                ? JsonSerializer.Deserialize<Places>(System.IO.File.ReadAllText(file), JsonSerializerOptions.Web)!.In(options)
                : options;
        }
        catch (JsonException exception)
        {
            throw new InputException($"{file}: does not say where the run's data lies; delete it, and name the data by --data", exception);
        }
    }

    /// <summary>Notes where a run's inputs were found.</summary>
    public void WritePlaces(Places places) =>
        WriteBefore(Path, PlacesName, JsonSerializer.Serialize(places, JsonSerializerOptions.Web) + "\n");

    /// <summary>The path of a run's trained model.</summary>
    public static string ModelPathOf(string path) => File(path, ModelName);

    /// <summary>The path of a run's metrics.</summary>
    public static string MetricsPathOf(string path) => File(path, MetricsName);

    /// <summary>Reads the summary of a complete run; null while it is not complete.</summary>
    public static RunSummary? ReadSummary(string path)
    {
        var file = File(path, SummaryName);
        return System.IO.File.Exists(file) ? RunSummary.FromJson(System.IO.File.ReadAllText(file), file) : null;
    }

    /// <summary>
    /// Drops everything after a position, so that the run can continue from there: later metrics, and the results of an earlier end.
    /// </summary>
    /// <param name="position">What stays, see <see cref="Collectives.Positions"/>.</param>
    public void ContinueFrom(long position)
    {
        System.IO.File.Delete(File(Path, SummaryName));
        System.IO.File.Delete(ModelPath);
        Metrics.Truncate(position);
        Ledger.Truncate(Collectives.Positions.StepAt(position));
    }

    /// <summary>
    /// Saves a checkpoint after the losses up to it are on disk, so that a resumed run has all of them. Returns the file.
    /// </summary>
    /// <param name="checkpoint">What is saved.</param>
    public string SaveCheckpoint(Checkpoint checkpoint)
    {
        Metrics.FlushToDisk();
        return Checkpoints.Save(checkpoint.Step, checkpoint.Weights, checkpoint.Moments);
    }

    /// <summary>Deletes the checkpoints that are neither among the newest nor that of the best evaluation.</summary>
    public void PruneCheckpoints() => Checkpoints.Prune(Metrics.BestUpTo(Checkpoints.Newest)?.Step);

    /// <summary>A checkpoint's path inside the folder, as scripts read it; null if there is no such checkpoint.</summary>
    /// <param name="step">The step.</param>
    public string? NameOfCheckpoint(long step) =>
        System.IO.File.Exists(Checkpoints.PathOf(step))
            ? $"{CheckpointsName}/{System.IO.Path.GetFileName(Checkpoints.PathOf(step))}"
            : null;

    /// <summary>The run's identity: a random number that stays the same when a coordinator takes the run over.</summary>
    public ulong RunId()
    {
        var file = File(Path, RunIdName);
        if (
            System.IO.File.Exists(file)
            && ulong.TryParse(System.IO.File.ReadAllText(file), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var known)
        )
        {
            return known;
        }

        var id = System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(
            System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong))
        );
        WriteBefore(Path, RunIdName, id.ToString("x16", CultureInfo.InvariantCulture));
        return id;
    }

    /// <summary>
    /// Raises the coordinator's epoch, which orders the generations of restarted coordinators; it is on disk when this returns.
    /// </summary>
    /// <returns>1 the first time, then one more every time.</returns>
    public long RaiseEpoch()
    {
        var epoch = Number(EpochName) + 1;
        WriteNumber(EpochName, epoch);
        return epoch;
    }

    /// <summary>How often the run has gone back because its workers held different states.</summary>
    public uint Lineage() => checked((uint)Number(LineageName));

    /// <summary>Notes that the run goes back; it is on disk when this returns.</summary>
    public void WriteLineage(uint lineage) => WriteNumber(LineageName, lineage);

    /// <summary>Writes the trained model and then the summary, whose presence says that the run is complete.</summary>
    /// <param name="layout">The model's parameters.</param>
    /// <param name="weights">The flat vector of parameters.</param>
    /// <param name="description">What else is needed to use the model.</param>
    /// <param name="summary">How the run went.</param>
    /// <exception cref="RunFailedException">One of them cannot be written.</exception>
    public void Complete(ParameterLayout layout, ReadOnlyMemory<float> weights, ModelDescription description, RunSummary summary)
    {
        var missing = $"{ModelName} and {SummaryName}";
        try
        {
            ModelFile.Save(ModelPath, layout, weights, description);
            missing = SummaryName;
            AtomicFile.WriteText(File(Path, SummaryName), summary.ToJson());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException(
                $"{Path}: the training is done, but {missing} cannot be written ({exception.Message.TrimEnd('.')}); {HowToGoOn}",
                exception
            );
        }
    }

    /// <summary>Removes a folder that was created for a run that never trained a step; anything else stays.</summary>
    public void Discard()
    {
        if (_origin == Origin.Resumed || Metrics.Exists || Checkpoints.Steps.Count > 0)
            return;
        Dispose();
        foreach (var name in new[] { ConfigName, EpochName, LineageName, RunIdName, MembershipName })
            System.IO.File.Delete(File(Path, name));
        RunLock.Remove(Path);
        if (_origin == Origin.NewFolder)
            Directory.Delete(Path, recursive: false);
    }

    /// <summary>Closes the files and releases the folder.</summary>
    public void Dispose()
    {
        Metrics.Dispose();
        Ledger.Dispose();
        _lock.Dispose();
    }

    private static void RequireNoRun(string path)
    {
        string[] traces = [ConfigName, MetricsName, CheckpointsName, ModelName, SummaryName];
        if (traces.FirstOrDefault(name => System.IO.Path.Exists(File(path, name))) is { } trace)
            throw new InputException($"--run {path}: already holds a run ({trace}); name a new folder, or go on with that run by --resume");
    }

    private long Number(string name) =>
        System.IO.File.Exists(File(Path, name))
            ? long.Parse(System.IO.File.ReadAllText(File(Path, name)), NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;

    private void WriteNumber(string name, long number) => WriteBefore(Path, name, number.ToString(CultureInfo.InvariantCulture));

    // Without these files there is no run to train: they are written before its first step.
    private static void WriteBefore(string path, string name, string text)
    {
        try
        {
            AtomicFile.WriteText(File(path, name), text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException(
                $"--run {path}: {name} cannot be written ({exception.Message.TrimEnd('.')}); make room there, or make it writable",
                exception
            );
        }
    }

    private static string File(string path, string name) => System.IO.Path.Combine(path, name);

    /// <summary>What this process created.</summary>
    private enum Origin
    {
        Resumed = 0,
        NewRun,
        NewFolder,
    }

    /// <summary>Letters, digits, dots and hyphens stay; <c>mlp:64,32</c> becomes <c>mlp-64-32</c>.</summary>
    private static string Plain(string text) =>
        string.Concat(text.Take(LongestPart).Select(letter => char.IsAsciiLetterOrDigit(letter) || letter == '.' ? letter : '-'))
            .Trim('-', '.');
}
