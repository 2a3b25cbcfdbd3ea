using System.Text;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>The texts that stand for a value that is missing. An empty cell always does.</summary>
internal sealed class GapTexts
{
    private static readonly string[] Usual = ["?", "NA", "N/A", "NaN", "null"];

    private readonly byte[][] _texts;
    private readonly double[] _numbers; // those of the texts that are some

    /// <summary>The usual texts, or those of a list.</summary>
    /// <param name="texts">The texts; null for the usual ones.</param>
    public GapTexts(IReadOnlyList<string>? texts)
    {
        Texts = texts ?? Usual;
        _texts = [.. Texts.Select(Encoding.UTF8.GetBytes)];
        _numbers = [.. _texts.Select(text => CsvNumber.TryParse(text, out var value) ? value : double.NaN).Where(double.IsFinite)];
    }

    /// <summary>The texts, without the empty one.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>Those of the texts that are numbers, such as -999.</summary>
    public IReadOnlyList<double> Numbers => _numbers;

    /// <summary>Whether a number is among them.</summary>
    public bool IncludeNumbers => _numbers.Length > 0;

    /// <summary>Whether a number stands for a gap.</summary>
    public bool Contains(double number) => _numbers.AsSpan().Contains(number);

    /// <summary>Whether a cell's text, without the spaces around it, stands for a gap.</summary>
    public bool Contains(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return true;
        foreach (var gap in _texts)
        {
            if (text.SequenceEqual(gap))
                return true;
        }

        return false;
    }
}
