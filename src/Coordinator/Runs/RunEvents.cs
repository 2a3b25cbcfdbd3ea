namespace Distributed.Coordinator.Runs;

/// <summary>Something that happened in a run. Times are the observer's matter; an event says nothing that differs between two equal runs but who did the work.</summary>
public abstract record RunEvent;

/// <summary>The first step is about to begin: every worker is ready.</summary>
/// <param name="FirstStep">The first step that this process trains, from 1.</param>
/// <param name="TotalSteps">The run's last step.</param>
/// <param name="Workers">Workers taking part; 0 when the coordinator process trains by itself.</param>
/// <param name="Transport">How gradients travel: <c>none</c>, <c>grpc</c> or <c>shm</c>.</param>
public sealed record RunStarted(long FirstStep, long TotalSteps, int Workers, string Transport) : RunEvent;

/// <summary>A worker has joined.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Address">Where it can be reached.</param>
/// <param name="Workers">Workers that are now there.</param>
public sealed record WorkerJoined(string Worker, string Address, int Workers) : RunEvent;

/// <summary>A worker has left or died.</summary>
/// <param name="Worker">The worker's name.</param>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="Workers">Workers that are still there.</param>
public sealed record WorkerLeft(string Worker, string Reason, int Workers) : RunEvent;

/// <summary>A step is complete everywhere. Reported for every step, in order.</summary>
/// <param name="Step">The step, from 1.</param>
/// <param name="Epoch">The epoch that it belongs to, from 1.</param>
/// <param name="Loss">The mean loss per sample before the update: the tree's sum divided by the samples, the same bits in every run.</param>
/// <param name="LearningRate">The rate of this step's update.</param>
/// <param name="Samples">Samples in the batch.</param>
public sealed record StepCompleted(long Step, long Epoch, float Loss, float LearningRate, int Samples) : RunEvent;

/// <summary>The test set has been evaluated; reported after its step and before that step's checkpoint.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="TestLoss">The mean loss per sample.</param>
/// <param name="TestAccuracy">The part of the samples, 0 to 1, whose class is the first largest logit.</param>
public sealed record Evaluated(long Step, double TestLoss, double TestAccuracy) : RunEvent;

/// <summary>A checkpoint is complete and on disk.</summary>
/// <param name="Step">Steps completed.</param>
/// <param name="Path">The file.</param>
public sealed record CheckpointSaved(long Step, string Path) : RunEvent;

/// <summary>Something a person should know that stops nothing.</summary>
/// <param name="Message">One line with the remedy.</param>
public sealed record RunWarning(string Message) : RunEvent;
