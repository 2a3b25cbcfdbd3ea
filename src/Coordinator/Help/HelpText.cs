using Distributed.Coordinator.Options;

namespace Distributed.Coordinator.Help;

/// <summary>What the help of one command says.</summary>
/// <param name="Usage">The command line's form.</param>
/// <param name="Purpose">What the command is for, in a few lines.</param>
/// <param name="Entries">The options or commands in the order in which they are shown, each under its heading.</param>
/// <param name="Examples">Command lines to copy, each with what it does.</param>
internal sealed record HelpText(
    string Usage,
    string Purpose,
    IReadOnlyList<HelpEntry> Entries,
    IReadOnlyList<(string Command, string Effect)> Examples
)
{
    private const int Indent = 2;
    private const int FirstColumn = 30;
    private const int Width = 110;

    /// <summary>The entries of a command's options.</summary>
    internal static IReadOnlyList<HelpEntry> EntriesOf<TSettings>(IEnumerable<OptionSpec<TSettings>> options) =>
        [
            .. options.Select(option => new HelpEntry(
                option.Group,
                option.IsSwitch ? option.Name : $"{option.Name} {option.Value}",
                option.IsSwitch
                    ? $"{option.Help} [default: {option.Default}]"
                    : $"{option.Help} [default: {option.Default}; example: {option.Name} {option.Example}]"
            )),
        ];

    /// <summary>Writes the help.</summary>
    internal void WriteTo(TextWriter output)
    {
        output.WriteLine(Purpose);
        output.WriteLine();
        output.WriteLine($"usage: {Usage}");
        foreach (var group in Entries.GroupBy(entry => entry.Heading))
        {
            output.WriteLine();
            output.WriteLine($"{group.Key}:");
            foreach (var entry in group)
                WriteEntry(output, entry);
        }
        WriteExamples(output);
    }

    private void WriteExamples(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("Examples:");
        foreach (var (command, effect) in Examples)
        {
            output.WriteLine($"  {command}");
            output.WriteLine($"      {effect}");
        }
    }

    private static void WriteEntry(TextWriter output, HelpEntry entry)
    {
        var name = new string(' ', Indent) + entry.Name;
        if (name.Length > FirstColumn - Indent)
        {
            output.WriteLine(name);
            name = "";
        }
        foreach (var line in Wrap(entry.Text, Width - FirstColumn))
        {
            output.WriteLine(name.PadRight(FirstColumn) + line);
            name = "";
        }
    }

    private static IEnumerable<string> Wrap(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        yield return line;
    }
}

/// <summary>One entry of a command's help.</summary>
/// <param name="Heading">What it is listed under.</param>
/// <param name="Name">The option with its value, or the command.</param>
/// <param name="Text">What it does.</param>
internal sealed record HelpEntry(string Heading, string Name, string Text);
