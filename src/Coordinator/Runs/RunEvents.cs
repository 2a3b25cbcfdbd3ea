using System.Text.Json.Serialization;
using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// Something that happened in a run; <c>--json</c> writes each as one object. When it happened is the observer's matter; an event says nothing that
/// differs between two equal runs but who did the work, and how long it took.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(TaskChosen), "taskChosen")]
[JsonDerivedType(typeof(RunStarted), "runStarted")]
[JsonDerivedType(typeof(Listening), "listening")]
[JsonDerivedType(typeof(DashboardOpened), "dashboard")]
[JsonDerivedType(typeof(WorkerJoined), "workerJoined")]
[JsonDerivedType(typeof(WorkerLeft), "workerLeft")]
[JsonDerivedType(typeof(WorkerLost), "workerLost")]
[JsonDerivedType(typeof(TrainingResumed), "trainingResumed")]
[JsonDerivedType(typeof(WentBack), "wentBack")]
[JsonDerivedType(typeof(RolledBack), "rolledBack")]
[JsonDerivedType(typeof(Waiting), "waiting")]
[JsonDerivedType(typeof(StepCompleted), "stepCompleted")]
[JsonDerivedType(typeof(Evaluated), "evaluated")]
[JsonDerivedType(typeof(CheckpointSaved), "checkpointSaved")]
[JsonDerivedType(typeof(RunWarning), "warning")]
[JsonDerivedType(typeof(Straggling), "straggling")]
[JsonDerivedType(typeof(RangesChanged), "rangesChanged")]
[JsonDerivedType(typeof(WorkersMeasured), "workersMeasured")]
[JsonDerivedType(typeof(RunInterrupted), "runInterrupted")]
[JsonDerivedType(typeof(RunCompleted), "runCompleted")]
[JsonDerivedType(typeof(RunVerified), "runVerified")]
internal abstract record RunEvent;

/// <summary>What a table is used for, where nobody has said so; the first event of a run.</summary>
/// <param name="Task">Whether classes or numbers are predicted.</param>
/// <param name="Reason">Why, in a few words.</param>
internal sealed record TaskChosen(LearningTask Task, string Reason) : RunEvent;

/// <summary>The first step is about to begin: every worker is ready.</summary>
/// <param name="FirstStep">The first step that this process trains, from 1.</param>
/// <param name="TotalSteps">The run's last step.</param>
/// <param name="Workers">Workers taking part; 0 when the coordinator process trains by itself.</param>
/// <param name="Transport">How gradients travel: <c>none</c>, <c>grpc</c>, <c>shm</c> or <c>mixed</c>.</param>
internal sealed record RunStarted(long FirstStep, long TotalSteps, int Workers, string Transport) : RunEvent;

/// <summary>The coordinator can be joined by workers that it has not started.</summary>
/// <param name="Address">Where.</param>
/// <param name="Workers">Workers that the first step waits for, local ones included.</param>
internal sealed record Listening(string Address, int Workers) : RunEvent;

/// <summary>The run can be watched in a browser.</summary>
/// <param name="Address">Where.</param>
internal sealed record DashboardOpened(string Address) : RunEvent;

/// <summary>A worker has joined.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Address">Where it can be reached.</param>
/// <param name="Workers">Workers that are now there.</param>
/// <param name="ProcessId">Its process, on its own machine.</param>
internal sealed record WorkerJoined(string Worker, string Address, int Workers, int ProcessId) : RunEvent;

/// <summary>A worker has left in order.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="Workers">Workers that are still there.</param>
internal sealed record WorkerLeft(string Worker, string Reason, int Workers) : RunEvent;

/// <summary>A worker was lost; the others go on.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Reason">What happened to it.</param>
/// <param name="Step">The step that it was in.</param>
/// <param name="Workers">Workers that are still there.</param>
internal sealed record WorkerLost(string Worker, string Reason, long Step, int Workers) : RunEvent;

/// <summary>The first step with other members is complete: after a loss, or after workers have joined or left.</summary>
/// <param name="Step">The step.</param>
/// <param name="Seconds">From the loss, as it was noticed, or from the last step before the change, to the end of this step.</param>
/// <param name="Workers">Workers that have trained it.</param>
/// <param name="AfterLoss">Whether something had failed.</param>
internal sealed record TrainingResumed(long Step, double Seconds, int Workers, bool AfterLoss) : RunEvent;

/// <summary>Every worker was lost; the run goes on from a state that was saved, as soon as one comes.</summary>
/// <param name="Step">The step whose state it is.</param>
internal sealed record WentBack(long Step) : RunEvent;

/// <summary>
/// Members held different states, so that what was done since may be wrong: it is forgotten, and steps after this one are reported anew.
/// </summary>
/// <param name="Step">The last step whose state all members had agreed on and that was saved, or the start.</param>
/// <param name="Reason">Who differed from whom.</param>
internal sealed record RolledBack(long Step, string Reason) : RunEvent;

/// <summary>The run waits for something; told after ten seconds, and then at doubling intervals.</summary>
/// <param name="For">What it waits for.</param>
/// <param name="Seconds">How long nothing has moved.</param>
/// <param name="Details">Who waits for whom, what was last heard of them, and what usually causes it.</param>
internal sealed record Waiting(string For, double Seconds, string Details) : RunEvent;

/// <summary>A step is complete everywhere. Reported for every step, in order; anew after <see cref="RolledBack"/>.</summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="Epoch">The epoch that it belongs to, from 1.</param>
/// <param name="Loss">
/// The mean loss per sample before the update: the tree's sum divided by the samples, the same bits in every run.
/// </param>
/// <param name="LearningRate">The rate of this step's update.</param>
/// <param name="Samples">Samples in the batch.</param>
internal sealed record StepCompleted(long Step, long Epoch, float Loss, float LearningRate, int Samples) : RunEvent;

/// <summary>
/// Which samples a step was trained on; reported before its <see cref="StepCompleted"/> where a ledger is kept. Not an event for people,
/// and not written as JSON beside the ledger.
/// </summary>
/// <param name="Step">The step.</param>
/// <param name="Epoch">Its epoch, from 1.</param>
/// <param name="Samples">Their numbers in the dataset, as the workers have reported that they decoded them.</param>
/// <param name="Unreported">
/// Those of workers that died before they reported the step: known from the checksum over all samples of the step alone.
/// </param>
internal sealed record SamplesUsed(long Step, long Epoch, IReadOnlyList<int> Samples, IReadOnlyList<int> Unreported) : RunEvent;

/// <summary>
/// The test set has been evaluated, and what is held out; reported after its step and before that step's checkpoint.
/// </summary>
/// <param name="Step">Steps completed.</param>
/// <param name="TestLoss">The mean loss per sample of the test set.</param>
/// <param name="Metrics">What the objective measures of it beside the loss.</param>
internal sealed record Evaluated(long Step, double TestLoss, [property: JsonIgnore] IReadOnlyList<Metric> Metrics) : RunEvent
{
    /// <summary>The same figures of the held-out part; null if there is none.</summary>
    [JsonIgnore]
    public TestScore? HeldOut { get; init; }

    /// <summary>An evaluation.</summary>
    /// <param name="step">Steps completed.</param>
    /// <param name="test">Of the test set.</param>
    /// <param name="heldOut">Of the held-out part; null if there is none.</param>
    public static Evaluated Of(long step, TestScore test, TestScore? heldOut) => new(step, test.Loss, test.Metrics) { HeldOut = heldOut };

    /// <summary>What is not a property under the names that scripts read.</summary>
    [JsonExtensionData]
    public IDictionary<string, object> FiguresByKey => Figures.ToDictionary(figure => figure.Key, figure => (object)figure.Value);

    /// <summary>All figures but the test loss, under their names, in the order in which files have them.</summary>
    [JsonIgnore]
    public IEnumerable<KeyValuePair<string, double>> Figures => JudgedFigures.Of(Metrics, HeldOut);
}

/// <summary>
/// The state after a step, for those that keep it; not an event for people, and not written as JSON. Its memory does not change any more.
/// </summary>
/// <param name="Checkpoint">The state.</param>
internal sealed record SnapshotTaken(Checkpoint Checkpoint) : RunEvent;

/// <summary>A checkpoint is complete and on disk.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="Path">The file.</param>
internal sealed record CheckpointSaved(long Step, string Path) : RunEvent;

/// <summary>Something a person should know that stops nothing.</summary>
/// <param name="Message">One line with the remedy.</param>
internal sealed record RunWarning(string Message) : RunEvent;

/// <summary>A worker takes much longer for the same work than the others.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Slowness">How many times as long as the middle one.</param>
internal sealed record Straggling(string Worker, double Slowness) : RunEvent;

/// <summary>From a step on, workers compute other parts of each batch, by their speed. The result does not depend on it.</summary>
/// <param name="Step">The first step of the new ranges.</param>
/// <param name="Microbatches">The number of microbatches in a batch.</param>
/// <param name="Ranges">Who computes how many of them.</param>
internal sealed record RangesChanged(long Step, int Microbatches, IReadOnlyList<WorkerRange> Ranges) : RunEvent;

/// <summary>A worker's part of a batch.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Microbatches">How many microbatches it computes.</param>
internal sealed record WorkerRange(string Worker, int Microbatches);

/// <summary>
/// What each worker has done with its time since the last such event; about once a second while steps complete, and at the end. Not of a worker that
/// has left the view by then.
/// </summary>
/// <param name="Step">The last step of it.</param>
/// <param name="Seconds">How long that is.</param>
/// <param name="SamplesPerSecond">All samples trained on in it, over its length.</param>
/// <param name="Workers">The view's workers in the order of their ranks; the process itself where it trains alone.</param>
internal sealed record WorkersMeasured(long Step, double Seconds, double SamplesPerSecond, IReadOnlyList<WorkerTimes> Workers) : RunEvent;

/// <summary>What a worker has done with its time. The parts of the time add up to 1.</summary>
/// <param name="Worker">Its name.</param>
/// <param name="Microbatches">Of a whole batch: how many it computes.</param>
/// <param name="SamplesPerSecond">The samples that it has trained on, over the whole time.</param>
/// <param name="Compute">Forward and backward passes.</param>
/// <param name="Exchange">Reducing, sending, and updating the weights after the backward pass.</param>
/// <param name="Waiting">For other members, for work, and for all that is no step.</param>
internal sealed record WorkerTimes(
    string Worker,
    int Microbatches,
    double SamplesPerSecond,
    double Compute,
    double Exchange,
    double Waiting
);

/// <summary>What a worker did in a step or an evaluation, where a trace is kept; not an event for people, and not written as JSON.</summary>
/// <param name="Worker">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsTraining">Whether the step was trained, not evaluated.</param>
/// <param name="Step">The step.</param>
/// <param name="Began">When it began it, on the coordinator's monotonic clock.</param>
/// <param name="Spans">What it did from then on, see <see cref="Collectives.StepTimeline.Spans"/>.</param>
internal sealed record StepTimed(int Worker, string Name, bool IsTraining, long Step, TimeSpan Began, IReadOnlyList<uint> Spans) : RunEvent;

/// <summary>The run was told to stop; its last checkpoint is on disk.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="Run">The run folder.</param>
internal sealed record RunInterrupted(long Step, string Run) : RunEvent;

/// <summary>The run is complete; its model and summary are on disk.</summary>
/// <param name="Run">The run folder.</param>
/// <param name="Summary">How it went.</param>
internal sealed record RunCompleted(string Run, RunSummary Summary) : RunEvent;

/// <summary>A complete run has been trained once more.</summary>
/// <param name="Same">Whether both ended in the same bits.</param>
/// <param name="FirstWorkers">Workers of the run; 0 is the coordinator by itself.</param>
/// <param name="FirstSha256">The hash of its weights.</param>
/// <param name="SecondWorkers">Workers of the second training.</param>
/// <param name="SecondSha256">The hash of the weights of that.</param>
/// <param name="FirstDifference">Where the two part, in a few words; null if they do not.</param>
internal sealed record RunVerified(
    bool Same,
    int FirstWorkers,
    string FirstSha256,
    int SecondWorkers,
    string SecondSha256,
    string? FirstDifference
) : RunEvent;
