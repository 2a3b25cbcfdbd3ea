using System.Globalization;
using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>
/// What a table takes from values of .NET types: a number, or the text that a CSV file would have in their place, so that both give the same
/// dataset.
/// </summary>
internal static class CellTypes
{
    private const int LongestNumber = 64;

    // Below this a float that is a whole number is written without rounding.
    private const float LargestInteger = 1 << 24;

    /// <summary>What is made of values of a type that is known only at run time.</summary>
    public interface IVisitor<out TResult>
    {
        /// <summary>Takes the type.</summary>
        TResult Visit<T>()
            where T : struct;
    }

    /// <summary>Whether values of a type are numbers.</summary>
    public static bool AreNumbers(Type type) =>
        type == typeof(decimal)
        || type == typeof(Half)
        || (type.IsPrimitive && type != typeof(bool) && type != typeof(char) && type != typeof(nint) && type != typeof(nuint));

    /// <summary>Why a column of a type cannot be read, with the remedy; null if it can.</summary>
    public static string? Refusal(Type type)
    {
        if (AreNumbers(type) || type == typeof(bool) || type == typeof(char) || type == typeof(string) || type.IsEnum)
            return null;
        return type switch
        {
            _ when type == typeof(DateTime) || type == typeof(DateTimeOffset) || type == typeof(DateOnly) =>
                "it holds dates; leave it out with --ignore, or replace it by numbers such as year, month and weekday",
            _ when type == typeof(TimeSpan) || type == typeof(TimeOnly) =>
                "it holds times; leave it out with --ignore, or replace it by a number such as seconds",
            _ when type == typeof(byte[]) || type == typeof(ReadOnlyMemory<byte>) =>
                "it holds bytes; leave it out with --ignore, or write text as strings",
            _ when type == typeof(Guid) => "it holds identifiers; leave it out with --ignore",
            _ when type == typeof(List<>) => "it holds several values in a row; leave it out with --ignore, or make columns of them",
            _ => $"it holds values of the type {type.Name}, not single numbers or texts; leave it out with --ignore",
        };
    }

    /// <summary>Calls a visitor for a type of numbers, <see cref="bool"/> or <see cref="char"/>.</summary>
    public static TResult Visit<TResult>(Type type, IVisitor<TResult> visitor) =>
        Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => visitor.Visit<bool>(),
            TypeCode.Char => visitor.Visit<char>(),
            TypeCode.SByte => visitor.Visit<sbyte>(),
            TypeCode.Byte => visitor.Visit<byte>(),
            TypeCode.Int16 => visitor.Visit<short>(),
            TypeCode.UInt16 => visitor.Visit<ushort>(),
            TypeCode.Int32 => visitor.Visit<int>(),
            TypeCode.UInt32 => visitor.Visit<uint>(),
            TypeCode.Int64 => visitor.Visit<long>(),
            TypeCode.UInt64 => visitor.Visit<ulong>(),
            TypeCode.Single => visitor.Visit<float>(),
            TypeCode.Double => visitor.Visit<double>(),
            TypeCode.Decimal => visitor.Visit<decimal>(),
            _ when type == typeof(Half) => visitor.Visit<Half>(),
            _ => throw new ArgumentException($"values of {type} are not read as such", nameof(type)),
        };

    /// <summary>The double nearest to the decimal text of a number: 0.1 for the float 0.1, whose value is another one.</summary>
    public static double ToNumber<T>(T value)
        where T : struct =>
        value switch
        {
            double number => number,
            float number when MathF.Abs(number) <= LargestInteger && float.IsInteger(number) => number,
            float number => Nearest(number),
            Half number => Nearest(number),
            decimal number => Nearest(number),
            sbyte number => number,
            byte number => number,
            short number => number,
            ushort number => number,
            int number => number,
            uint number => number,
            long number => number,
            ulong number => number,
            _ => throw new ArgumentException($"{typeof(T)} is no number", nameof(value)),
        };

    /// <summary>The text of a value, as .NET and pandas write it; null for a number that is none.</summary>
    public static string? ToText<T>(T value)
        where T : struct =>
        value switch
        {
            double number when double.IsNaN(number) => null,
            float number when float.IsNaN(number) => null,
            Half number when Half.IsNaN(number) => null,
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString(),
        };

    private static double Nearest<T>(T value)
        where T : IUtf8SpanFormattable
    {
        Span<byte> text = stackalloc byte[LongestNumber];
        value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        return CsvNumber.TryParse(text[..length], out var number) ? number : double.NaN;
    }
}
