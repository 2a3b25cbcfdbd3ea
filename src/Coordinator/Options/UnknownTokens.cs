using System.CommandLine;

namespace Distributed.Coordinator.Options;

/// <summary>Reports tokens of a command line that no command knows.</summary>
internal static class UnknownTokens
{
    /// <summary>One line for each unknown option, command or value. What follows an unknown option is taken for its value.</summary>
    internal static IReadOnlyList<string> Problems(ParseResult result)
    {
        var command = result.CommandResult.Command;
        var problems = new List<string>();
        var afterOption = false;
        foreach (var token in result.UnmatchedTokens)
        {
            var isOption = token.StartsWith('-');
            if (isOption)
                problems.Add(Unknown(command, token));
            else if (!afterOption)
                problems.Add(Unexpected(command, token));
            afterOption = isOption;
        }
        return problems;
    }

    /// <summary>One line for each option among values of which a command takes any number, and so everything that it does not know.</summary>
    internal static IEnumerable<string> Problems(Command command, IEnumerable<string> values) =>
        values.Where(value => value.StartsWith('-')).Select(value => Unknown(command, value));

    private static string Unknown(Command command, string token) =>
        $"{token}: unknown option{Suggestion.For(token, command.Options.Select(option => option.Name))}";

    private static string Unexpected(Command command, string token) =>
        command.Subcommands.Count > 0
            ? $"{token}: unknown command{Suggestion.For(token, command.Subcommands.Select(known => known.Name))}"
            : $"{token}: unexpected; options begin with two dashes, see {command.Name} --help";
}
