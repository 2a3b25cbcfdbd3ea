using System.CommandLine;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Options;

/// <summary>
/// Puts the settings of <c>train</c> together: defaults, or on resume the run's own; over them the configuration file; over that the
/// command line.
/// </summary>
/// <param name="table">The options.</param>
internal sealed class TrainSettingsReader(OptionTable<TrainSettings> table)
{
    private static readonly string[] LengthOptions = ["--epochs", "--steps"];
    private const string ModelOption = "--model";
    private static readonly string[] DefaultsFollow = [ModelOption, "--data", "--data-dir"];
    private static readonly string[] FolderOptions = ["--run", "--resume"];

    /// <summary>Reads and validates all settings.</summary>
    /// <exception cref="InputException">One line for every bad option.</exception>
    internal TrainSettings Read(ParseResult result)
    {
        List<string> problems = [.. UnknownTokens.Problems(result)];
        var typed = table.Values(result, problems);
        var filed = typed.FirstOrDefault(option => option.Name == ConfigurationFile.OptionName) is { } file
            ? ConfigurationFile.Read(file.Text!, table, problems)
            : [];
        var values = table.Overlay(SetsLength(typed) ? [.. filed.Where(value => !IsLength(value))] : filed, typed);
        var settings = table.Apply(Start(values, problems), values, problems);
        if (Begins(settings))
            settings = settings with { Resume = false };
        problems.AddRange(settings.Validate(table));
        ThrowIfAny(problems);
        return settings;
    }

    /// <summary>The defaults, or what the run that is resumed began with. A length that is given replaces the one there.</summary>
    private TrainSettings Start(IReadOnlyList<OptionValue> values, List<string> problems)
    {
        var folder = table.Apply(new TrainSettings(), values.Where(value => FolderOptions.Contains(value.Name)), []);
        var training = Defaults(values);
        if (folder is { Resume: true, Run: { } run } && !Begins(folder))
        {
            try
            {
                training = RunFolder.ReadOptions(run);
            }
            catch (InputException exception)
            {
                problems.Add(exception.Message);
            }
        }

        return new TrainSettings { Training = SetsLength(values) ? training with { Epochs = null, Steps = null } : training };
    }

    /// <summary>The defaults for the model that is named, or else for the data.</summary>
    private TrainingOptions Defaults(IReadOnlyList<OptionValue> values)
    {
        var named = table.Apply(new TrainSettings(), values.Where(value => DefaultsFollow.Contains(value.Name)), []).Training;
        var isTable = values.Any(value => value.Name == ModelOption)
            ? named.Model == TrainingOptions.ForTables.Model
            : DatasetLoader.IsTable(named.Data);
        return isTable ? TrainingOptions.ForTables : new TrainingOptions();
    }

    private static bool Begins(TrainSettings settings) => settings is { MayBegin: true, Run: { } run } && !RunFolder.Holds(run);

    // A source that says how long the run is says so alone: its epochs replace the steps of the source below, and the other way round.
    private static bool SetsLength(IReadOnlyList<OptionValue> values) => values.Any(IsLength);

    private static bool IsLength(OptionValue value) => LengthOptions.Contains(value.Name);

    private static void ThrowIfAny(List<string> problems)
    {
        if (problems.Count > 0)
            throw new InputException(string.Join('\n', problems.Distinct()));
    }
}
