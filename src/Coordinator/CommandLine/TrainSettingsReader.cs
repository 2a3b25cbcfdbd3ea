using System.CommandLine;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.CommandLine;

/// <summary>
/// Puts the settings of <c>train</c> together: defaults, or on resume the run's own; over them the configuration file; over that the
/// command line.
/// </summary>
/// <param name="table">The options.</param>
internal sealed class TrainSettingsReader(OptionTable<TrainSettings> table)
{
    private static readonly string[] LengthOptions = ["--epochs", "--steps"];

    /// <summary>Reads and validates all settings.</summary>
    /// <exception cref="InputException">One line for every bad option.</exception>
    internal TrainSettings Read(ParseResult result)
    {
        List<string> problems = [.. UnknownTokens.Problems(result)];
        var typed = table.Given(result, problems);
        var filed = typed.FirstOrDefault(option => option.Name == ConfigurationFile.OptionName) is { } file
            ? ConfigurationFile.Read(file.Text, table, problems)
            : [];
        var settings = Overlay(new TrainSettings(), filed, typed, problems);
        if (settings is { Resume: true, Run: { } run } && problems.Count == 0)
            settings = Overlay(Begun(run), filed, typed, problems);
        problems.AddRange(settings.Validate());
        ThrowIfAny(problems);
        return settings;
    }

    /// <summary>What a run began with; only what a command changes of it can be bad.</summary>
    private static TrainSettings Begun(string run) => new() { Training = RunFolder.ReadConfiguration(run).ToOptions() };

    private TrainSettings Overlay(
        TrainSettings settings,
        IReadOnlyList<GivenOption> filed,
        IReadOnlyList<GivenOption> typed,
        List<string> problems
    ) => Overlay(Overlay(settings, filed, problems), typed, problems);

    /// <summary>
    /// A source that says how long the run is says so alone: its epochs replace the steps of the source below, and the other way round.
    /// </summary>
    private TrainSettings Overlay(TrainSettings settings, IReadOnlyList<GivenOption> given, List<string> problems)
    {
        if (given.Any(option => LengthOptions.Contains(option.Name)))
            settings = settings with { Training = settings.Training with { Epochs = null, Steps = null } };
        return table.Apply(settings, given, problems);
    }

    private static void ThrowIfAny(List<string> problems)
    {
        if (problems.Count > 0)
            throw new InputException(string.Join('\n', problems.Distinct()));
    }
}
