using Distributed.Model;

namespace Distributed.Training;

/// <summary>How much memory a run's numbers take in one worker: a pure function of its settings.</summary>
internal static class ReplicaMemory
{
    private const int Gradients = 1;
    private const int States = 2; // the one that a step reads, and the spare that it writes

    /// <summary>
    /// Bytes of weights and optimizer state, twice since there is a spare, of one gradient, and of the activations of a pass. Copies that
    /// are made to send a snapshot, gradients of further blocks, and the data are not counted.
    /// </summary>
    /// <param name="settings">The run's settings.</param>
    /// <param name="rows">
    /// The most samples that the worker has in a step, at least 1; a pass takes no more than is good for the machine.
    /// </param>
    public static long Bytes(TrainingSettings settings, int rows)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        var moments = settings.Optimizer.CreateOptimizer().MomentNames.Count;
        var vectors = Gradients + (States * (1 + moments));
        var inOnePass = Math.Min(rows, NetworkExecutor.RowsInOnePass(settings.Network, settings.Microbatch));
        return sizeof(float) * (((long)vectors * settings.Network.Layout.Length) + (inOnePass * settings.Network.ActivationLength));
    }
}
