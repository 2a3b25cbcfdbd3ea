using System.Text;
using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Csv;

/// <summary>Text of CSV cells.</summary>
internal static class CsvText
{
    private const int LongestShown = 40;

    // No character takes more bytes than this in UTF-8, so that what is cut off would not be shown anyway.
    private const int LongestShownBytes = 4 * (LongestShown + 1);

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A cell's text: what stands between the quotes, or else without the spaces around it.</summary>
    /// <exception cref="InputException">It is not UTF-8.</exception>
    public static string Of(CsvCell cell, long place, RowPlaces places)
    {
        try
        {
            var text = Strict.GetString(cell.Text);
            return cell.IsQuoted ? text.Replace("\"\"", "\"", StringComparison.Ordinal) : text.Trim();
        }
        catch (DecoderFallbackException e)
        {
            throw places.Refuse(place, "the text is not UTF-8; save the file in that encoding", e);
        }
    }

    /// <summary>Text for a message: one short line, in which nothing is hidden.</summary>
    public static string Shorten(ReadOnlySpan<byte> text) =>
        Shorten(Encoding.UTF8.GetString(text[..Math.Min(text.Length, LongestShownBytes)]));

    /// <inheritdoc cref="Shorten(ReadOnlySpan{byte})"/>
    public static string Shorten(string text)
    {
        var shown = text.Trim(' ');
        if (shown.Length <= LongestShown)
            return Printable.Of(shown);
        var length = char.IsHighSurrogate(shown[LongestShown - 1]) ? LongestShown - 1 : LongestShown;
        return Printable.Of(shown[..length]) + "...";
    }
}
