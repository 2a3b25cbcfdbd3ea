namespace Distributed.Training;

/// <summary>
/// Where a run's inputs lie. What they are is said by their hashes: equal content may be found elsewhere later, and is the same.
/// </summary>
/// <param name="Data">See <see cref="Distributed.Data.DataOptions.Data"/>.</param>
/// <param name="Test">See <see cref="Distributed.Data.DataOptions.Test"/>.</param>
/// <param name="DataDir">See <see cref="Distributed.Data.DataOptions.DataDir"/>.</param>
/// <param name="InitWeights">See <see cref="TrainingOptions.InitWeights"/>.</param>
/// <param name="Holdout">See <see cref="Distributed.Data.DataOptions.Holdout"/>; null if that is no place, but a fraction.</param>
internal sealed record Places(string Data, string? Test, string? DataDir, string? InitWeights, string? Holdout = null)
{
    /// <summary>The places that options name.</summary>
    public static Places Of(TrainingOptions options) =>
        new(options.Data.Data, options.Data.Test, options.Data.DataDir, options.InitWeights, HoldoutOf(options));

    /// <summary>The same options with their inputs at these places.</summary>
    public TrainingOptions In(TrainingOptions options) =>
        options with
        {
            Data = options.Data with
            {
                Data = Data,
                Test = Test,
                DataDir = DataDir,
                // A fraction in place of a file, or the other way round, is another choice.
                Holdout = Holdout is not null && HoldoutOf(options) is not null ? Holdout : options.Data.Holdout,
            },
            InitWeights = InitWeights,
        };

    private static string? HoldoutOf(TrainingOptions options) => Distributed.Data.Holdout.Of(options.Data)?.Path;
}
