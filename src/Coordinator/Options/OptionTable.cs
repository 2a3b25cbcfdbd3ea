using System.CommandLine;
using System.CommandLine.Parsing;
using Distributed.Training;

namespace Distributed.Coordinator.Options;

/// <summary>The options of one command, and how texts become its settings.</summary>
/// <param name="specs">The options in the order of the help.</param>
internal sealed class OptionTable<TSettings>(IReadOnlyList<OptionSpec<TSettings>> specs)
{
    /// <summary>The options in the order of the help.</summary>
    internal IReadOnlyList<OptionSpec<TSettings>> Specs => specs;

    /// <summary>
    /// Adds the options to the parser, which only tells names from values: values are checked by the options, in one way for all.
    /// </summary>
    internal void AddTo(Command command)
    {
        foreach (var spec in specs)
            command.Add(Parsed(spec));
    }

    /// <summary>The options that the command line sets.</summary>
    /// <param name="result">The parsed command line.</param>
    /// <param name="problems">Takes a line for every option without a value or with more than one.</param>
    internal IReadOnlyList<OptionValue> Values(ParseResult result, ICollection<string> problems)
    {
        var values = new List<OptionValue>();
        foreach (var spec in specs)
        {
            if (result.GetResult(spec.Name) is not OptionResult { Implicit: false } found)
                continue;
            if (spec.IsSwitch)
                values.Add(new OptionValue(spec.Name, Text: null));
            else if (spec.IsValueOptional && found.Tokens.Count == 0)
                values.Add(new OptionValue(spec.Name, Text: null));
            else if (found.Tokens.Count == 1 && found.IdentifierTokenCount == 1)
                values.Add(new OptionValue(spec.Name, found.Tokens[0].Value));
            else if (found.IdentifierTokenCount > 1)
                problems.Add($"{spec.Name}: is given {found.IdentifierTokenCount} times; give it once");
            else
                problems.Add($"{spec.Name}: needs a value, such as {spec.Name} {spec.Example}");
        }
        return values;
    }

    /// <summary>Sets values one after the other; later ones win.</summary>
    /// <param name="settings">What to start from.</param>
    /// <param name="values">The options that are set; all of them are of this table.</param>
    /// <param name="problems">Takes a line for every bad value.</param>
    internal TSettings Apply(TSettings settings, IEnumerable<OptionValue> values, ICollection<string> problems)
    {
        foreach (var value in values)
        {
            try
            {
                settings = Find(value.Name)!.Apply(settings, value.Text ?? OptionSpec<TSettings>.On);
            }
            catch (InputException exception)
            {
                problems.Add($"{value.Label}: {exception.Message}");
            }
        }
        return settings;
    }

    /// <summary>Texts of errors, with properties called by their options.</summary>
    internal IEnumerable<string> Lines(IEnumerable<OptionError> errors) =>
        errors.Select(error => error.Line(path => specs.FirstOrDefault(spec => spec.Property == path)?.Name ?? path));

    /// <summary>The values of two sources in the order of the table, so that an option finds set what it depends on.</summary>
    /// <param name="below">The values of a source.</param>
    /// <param name="above">Those of another, which win.</param>
    internal IReadOnlyList<OptionValue> Overlay(IReadOnlyList<OptionValue> below, IReadOnlyList<OptionValue> above) =>
        [
            .. from spec in specs
            let value = above.FirstOrDefault(value => value.Name == spec.Name) ?? below.FirstOrDefault(value => value.Name == spec.Name)
            where value is not null
            select value,
        ];

    /// <summary>The option of this name, or null.</summary>
    internal OptionSpec<TSettings>? Find(string name) => specs.FirstOrDefault(spec => spec.Name == name);

    private static Option Parsed(OptionSpec<TSettings> spec) =>
        spec.IsSwitch
            ? new Option<bool>(spec.Name) { Arity = ArgumentArity.Zero, Description = spec.Help }
            : new Option<string[]>(spec.Name)
            {
                Arity = ArgumentArity.ZeroOrMore,
                Description = spec.Help,
                HelpName = spec.Value,
            };
}
