namespace Distributed.Training;

/// <summary>
/// Options with bad values; the message has a line for each, which names the property, the value and what would be right.
/// </summary>
/// <param name="owner">The options type, which the message puts before each property.</param>
/// <param name="errors">The bad values, at least one.</param>
public sealed class InvalidOptionsException(string owner, IReadOnlyList<OptionError> errors)
    : InputException(string.Join('\n', errors.Select(error => error.Line(path => $"{owner}.{path}"))))
{
    /// <summary>The bad values, for a program that calls them by other names.</summary>
    public IReadOnlyList<OptionError> Errors { get; } = errors;
}
