namespace Distributed.Coordinator.Options;

/// <summary>
/// One option of a command: the only place that knows its name, what its help says, and how its text becomes a value, whether that text
/// comes from the command line or from a configuration file.
/// </summary>
/// <param name="Name">The name with its dashes.</param>
/// <param name="Value">What stands for its value in the help, in brackets if it can be left out; null for a switch.</param>
/// <param name="Group">The heading under which the help lists it.</param>
/// <param name="Help">What it does, in one sentence.</param>
/// <param name="Default">The default as the help shows it.</param>
/// <param name="Example">A value as one would type it; empty for a switch.</param>
/// <param name="Apply">
/// The settings with the text's value set; throws an <see cref="InputException"/> that says what a value must be.
/// </param>
/// <param name="Property">
/// The path of the property that it sets, where a library type with a validation of its own has it: errors of that property are shown under
/// the option's name.
/// </param>
internal sealed record OptionSpec<TSettings>(
    string Name,
    string? Value,
    string Group,
    string Help,
    string Default,
    string Example,
    Func<TSettings, string, TSettings> Apply,
    string? Property = null
)
{
    /// <summary>The text of a switch that is on.</summary>
    internal const string On = "true";

    /// <summary>Whether the option may stand without its value, as a switch does.</summary>
    internal bool IsValueOptional => IsSwitch || Value!.StartsWith('[');

    /// <summary>Whether the option is a switch.</summary>
    internal bool IsSwitch => Value is null;

    /// <summary>The same option as a change that larger settings hold, to be made where the settings to change are known.</summary>
    /// <param name="example">Any settings, on which a value is tried at once.</param>
    /// <param name="get">Takes the changes so far out of the larger settings.</param>
    /// <param name="set">Puts them back with this one.</param>
    internal OptionSpec<TOuter> Deferred<TOuter>(
        TSettings example,
        Func<TOuter, Func<TSettings, TSettings>> get,
        Func<TOuter, Func<TSettings, TSettings>, TOuter> set
    ) => new(Name, Value, Group, Help, Default, Example, (outer, text) =>
        {
            _ = Apply(example, text);
            var before = get(outer);
            return set(outer, settings => Apply(before(settings), text));
        });

    /// <summary>The same option as a part of larger settings.</summary>
    /// <param name="get">Takes this option's settings out of the larger ones.</param>
    /// <param name="set">Puts them back.</param>
    /// <param name="property">The property that holds them, where paths of properties begin with it.</param>
    internal OptionSpec<TOuter> Within<TOuter>(Func<TOuter, TSettings> get, Func<TOuter, TSettings, TOuter> set, string? property = null) =>
        new(
            Name,
            Value,
            Group,
            Help,
            Default,
            Example,
            (outer, text) => set(outer, Apply(get(outer), text)),
            property is null || Property is null ? Property : $"{property}.{Property}"
        );
}
