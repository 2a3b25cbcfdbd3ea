using System.Globalization;

namespace Distributed.Data;

/// <summary>
/// What judges a training while it goes on, apart from the test set: every so many samples of the training part, or a file of its own.
/// Nothing is fitted on it.
/// </summary>
/// <param name="Fraction">The part of the training part, above 0 and below 1; 0 if it is a file.</param>
/// <param name="Path">The file or folder; null if it is a fraction.</param>
internal readonly record struct Holdout(decimal Fraction, string? Path)
{
    /// <summary>What stands in a run's configuration where the data itself says what is held out, as packs and arrays do.</summary>
    public const string OfTheData = "(of the data)";

    /// <summary>What options ask for; null for none, or for what the data itself says.</summary>
    /// <exception cref="InputException">The fraction is out of range.</exception>
    public static Holdout? Of(DataOptions options)
    {
        try
        {
            return options.Holdout is { } text and not OfTheData ? Parse(text) : null;
        }
        catch (InputException problem)
        {
            throw new InputException($"{nameof(DataOptions)}.{nameof(DataOptions.Holdout)} {options.Holdout}: {problem.Message}", problem);
        }
    }

    /// <summary>Reads a fraction or a path. A file whose name is a number is named with its folder: <c>./0.2</c>.</summary>
    /// <exception cref="InputException">The fraction is out of range.</exception>
    public static Holdout Parse(string text)
    {
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var fraction))
            return new Holdout(0, text);
        return fraction is > 0 and < 1
            ? new Holdout(fraction, Path: null)
            : throw new InputException("must be a fraction above 0 and below 1, or the path of a file");
    }

    /// <summary>The fraction in its shortest form, or the path.</summary>
    public override string ToString() => Path ?? Fraction.ToString("0.############################", CultureInfo.InvariantCulture);
}
