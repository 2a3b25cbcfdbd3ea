using System.Globalization;

namespace Distributed.Coordinator.Options;

/// <summary>Parses the texts of options. A bad text is an <see cref="InputException"/> that says what would be right.</summary>
internal static class OptionText
{
    /// <summary>A whole number of an integer type.</summary>
    internal static T WholeNumber<T>(string text)
        where T : struct, System.Numerics.IBinaryInteger<T>, System.Numerics.IMinMaxValue<T>
    {
        if (T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        var isLarge = System.Numerics.BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        throw new InputException(isLarge ? $"must be from {T.MinValue} to {T.MaxValue}" : "must be a whole number");
    }

    /// <summary>A finite number with a point.</summary>
    internal static double Number(string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            return number;
        throw new InputException("must be a number, such as 0.1");
    }

    /// <summary>One of the names of an enumeration, in lower case.</summary>
    internal static T Choice<T>(string text)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Name(value) == text)
                return value;
        }
        throw new InputException($"must be {Choices<T>(" or ")}");
    }

    /// <summary>The one of several things that has a name.</summary>
    internal static T Choice<T>(string text, IReadOnlyList<T> known, Func<T, string> name) =>
        known.FirstOrDefault(candidate => name(candidate) == text)
        ?? throw new InputException($"must be {string.Join(" or ", known.Select(name))}");

    /// <summary>All names of an enumeration, in lower case.</summary>
    internal static string Choices<T>(string separator = "|")
        where T : struct, Enum => string.Join(separator, Enum.GetValues<T>().Select(Name));

    /// <summary>A value's name as the command line writes it.</summary>
    internal static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary><c>on</c> or <c>off</c>.</summary>
    internal static bool OnOff(string text) =>
        text switch
        {
            "on" => true,
            "off" => false,
            _ => throw new InputException("must be on or off"),
        };

    /// <summary>The text of a switch.</summary>
    internal static bool Switch(string text) =>
        text switch
        {
            "true" => true,
            "false" => false,
            _ => throw new InputException("must be true or false"),
        };

    /// <summary>A text that is not empty.</summary>
    internal static string NotEmpty(string text) => string.IsNullOrWhiteSpace(text) ? throw new InputException("must not be empty") : text;
}
