using System.Globalization;
using System.Text;

namespace Distributed;

/// <summary>
/// Text out of files, as it is shown to people: characters that end lines, move the cursor, change colours or the direction of writing,
/// or cannot be seen are written as <c>\u001b</c>. Files of results hold the text itself.
/// </summary>
internal static class Printable
{
    /// <summary>Text of one line that shows what it holds.</summary>
    public static string Of(string text)
    {
        if (!text.EnumerateRunes().Any(IsHidden))
            return text;
        var shown = new StringBuilder();
        foreach (var character in text.EnumerateRunes())
            _ = IsHidden(character) ? Escape(shown, character) : shown.Append(character.ToString());
        return shown.ToString();
    }

    private static StringBuilder Escape(StringBuilder shown, Rune character) =>
        character.Value switch
        {
            '\n' => shown.Append("\\n"),
            '\r' => shown.Append("\\r"),
            '\t' => shown.Append("\\t"),
            <= char.MaxValue => shown.Append(CultureInfo.InvariantCulture, $"\\u{character.Value:x4}"),
            _ => shown.Append(CultureInfo.InvariantCulture, $"\\U{character.Value:x8}"),
        };

    private static bool IsHidden(Rune character) =>
        Rune.GetUnicodeCategory(character)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned;
}
