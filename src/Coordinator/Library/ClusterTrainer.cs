using Distributed.Checkpoints;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Hosting;
using Distributed.Training;

namespace Distributed.Cluster;

/// <summary>
/// Trains a model on worker processes: <see cref="Trainer"/> with <see cref="Workers"/>, and the same weights, bit for bit. It runs what
/// <c>coordinator train</c> runs: a worker that dies is replaced, and the others go on. Nothing is written to the console.
/// </summary>
/// <param name="dataset">What to train on; workers are sent the samples of one that they cannot open themselves, such as arrays.</param>
/// <param name="options">How; its <see cref="TrainingOptions.Data"/> is not read.</param>
public sealed class ClusterTrainer(Dataset dataset, TrainingOptions options)
{
    private static readonly ClusterOptions Defaults = new();

    /// <summary>Worker processes on this machine, by default one per core, at least 2 and at most 4; 0 trains in this process.</summary>
    public int Workers { get; init; } = Defaults.Workers;

    /// <summary>Threads of each worker; null shares the cores out.</summary>
    public int? Threads { get; init; }

    /// <summary>How gradients travel.</summary>
    public Transport Transport { get; init; } = Defaults.Transport;

    /// <summary>Who reduces the gradients.</summary>
    public Exchange Exchange { get; init; } = Defaults.Exchange;

    /// <summary>
    /// The run folder, with the files of one that <c>coordinator train --run</c> makes. If it holds a run of the same options and data, that
    /// run goes on from its newest checkpoint. Null for a temporary folder, which is deleted at the end.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>
    /// Where workers that were started elsewhere find this process, such as <c>http://0.0.0.0:5000</c>; null for local workers only.
    /// </summary>
    public string? Listen { get; init; }

    /// <summary>The file with the secret that workers started elsewhere must know; it is made if it is not there.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Whether anyone who reaches <see cref="Listen"/> may join, without a secret.</summary>
    public bool Insecure { get; init; }

    /// <summary>Workers that must have joined before the first step, local ones included; null for the local ones.</summary>
    public int? MinWorkers { get; init; }

    /// <summary>How long to wait for them, in seconds.</summary>
    public int JoinTimeout { get; init; } = Defaults.JoinTimeout;

    /// <summary>Is told what happens beside the steps, a line each: workers that join or are lost, warnings; or null.</summary>
    public IProgress<string>? Messages { get; init; }

    /// <summary>Trains to the last step.</summary>
    /// <param name="progress">Reports every step, from a thread that the run waits for; or null.</param>
    /// <param name="cancellation">Ends the training after the steps that are under way; with a <see cref="Folder"/>, it can go on later.</param>
    /// <exception cref="InputException">An option is bad, or data and model do not go together; every bad property is named.</exception>
    /// <exception cref="RunFailedException">The loss became infinite or NaN, or workers cannot be started or die again and again.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public ClusterTrainingResult Train(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        TrainAsync(progress, cancellation).GetAwaiter().GetResult();

    /// <summary>Trains to the last step.</summary>
    /// <param name="progress">Reports every step, from a thread that the run waits for; or null.</param>
    /// <param name="cancellation">Ends the training after the steps that are under way; with a <see cref="Folder"/>, it can go on later.</param>
    /// <exception cref="InputException">An option is bad, or data and model do not go together; every bad property is named.</exception>
    /// <exception cref="RunFailedException">The loss became infinite or NaN, or workers cannot be started or die again and again.</exception>
    /// <exception cref="OperationCanceledException">The training was cancelled.</exception>
    public Task<ClusterTrainingResult> TrainAsync(IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default) =>
        Task.Run(() => RunAsync(progress, cancellation), cancellation); // off the caller's synchronization context

    private ClusterOptions Cluster =>
        new()
        {
            Workers = Workers,
            Threads = Threads,
            Transport = Transport,
            Exchange = Exchange,
            Listen = Listen,
            TokenFile = TokenFile,
            Insecure = Insecure,
            MinWorkers = MinWorkers,
            JoinTimeout = JoinTimeout,
        };

    private async Task<ClusterTrainingResult> RunAsync(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        ThrowIfInvalid();
        if (DescriptorLimit.Refusal() is { } refusal)
            throw new RunFailedException(refusal);
        var resumes = Folder is not null && RunFolder.Holds(Folder);
        var prepared = Prepare(resumes ? RunFolder.ReadConfiguration(Folder!) : null);
        using var temporary = Folder is null ? new TemporaryRuns("training-", "training on workers") : null;
        using var folder = resumes
            ? RunFolder.Resume(Folder!, prepared)
            : RunFolder.Create(Folder ?? temporary!.Next(), prepared.Configuration, prepared.Network.Layout);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var caller = new CallerObserver(prepared.Configuration, progress, Messages, stop);
        await using var observers = RunObservers.Of(folder, caller.Errors, caller);
        var run = new TrainingRunFactory(TimeProvider.System).Create(Cluster);
        var summary = await new KeptRun(prepared, folder, observers).TrainAsync(run, Cluster, resumes, stop.Token);
        caller.ThrowIfFailed();
        return summary is null
            ? throw new OperationCanceledException(cancellation)
            : Result(prepared, InitialWeights.Load(folder.ModelPath, prepared.Network.Layout), summary);
    }

    private void ThrowIfInvalid()
    {
        string[] errors =
        [
            .. options.Validate().Select(error => error.Line(path => $"{nameof(TrainingOptions)}.{path}")),
            .. Cluster.Errors().Select(error => error.Line(path => $"{nameof(ClusterTrainer)}.{path}")),
            .. Folder is ""
                ? [$"{nameof(ClusterTrainer)}.{nameof(Folder)}: needs the name of a folder, or null for a temporary one"]
                : Array.Empty<string>(),
        ];
        if (errors.Length > 0)
            throw new InputException(string.Join('\n', errors));
    }

    private RunPreparation Prepare(RunConfiguration? begun)
    {
        var data = dataset.Source ?? new DataOptions { Data = dataset.Name };
        var prepared = RunPreparation.Of(options with { Data = data }, dataset, begun);
        var differences = begun is null ? [] : ResumeRule.Errors(begun, prepared.Configuration);
        return differences.Count == 0
            ? prepared
            : throw new InputException(string.Join('\n', differences.Select(difference => $"{Folder}: {difference}")));
    }

    private ClusterTrainingResult Result(RunPreparation prepared, ReadOnlyMemory<float> weights, RunSummary summary) =>
        new(prepared.Trained(weights), summary.Steps, new TestScore(summary.TestLoss, summary.TestMetrics))
        {
            Holdout = summary.HeldOut,
            BestStep = options.Patience is null ? summary.Steps : summary.BestStep!.Value,
            StopReason = summary.StopReason,
            Workers = summary.Workers,
            WorkersLost = summary.WorkersLost,
            WorkersJoined = summary.WorkersJoined,
            Transport = summary.Transport,
            SamplesPerSecond = summary.SamplesPerSecond,
        };
}
