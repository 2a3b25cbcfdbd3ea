namespace Distributed.Protocol;

/// <summary>A view's place in the life of a run; later ones compare greater.</summary>
/// <param name="Epoch">Raised each time a coordinator takes the run over.</param>
/// <param name="Number">Counts the views inside an epoch, from 1.</param>
internal readonly record struct ViewGeneration(uint Epoch, uint Number) : IComparable<ViewGeneration>
{
    /// <summary>From the wire; an absent message is generation 0.0, older than any view.</summary>
    /// <param name="generation">The message, or null.</param>
    public static ViewGeneration From(Generation? generation) => generation is null ? default : new(generation.Epoch, generation.Number);

    /// <summary>To the wire.</summary>
    public Generation ToMessage() => new() { Epoch = Epoch, Number = Number };

    /// <inheritdoc />
    public int CompareTo(ViewGeneration other) => (Epoch, Number).CompareTo((other.Epoch, other.Number));

    /// <summary>Whether the left one is older.</summary>
    public static bool operator <(ViewGeneration left, ViewGeneration right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left one is newer.</summary>
    public static bool operator >(ViewGeneration left, ViewGeneration right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left one is not newer.</summary>
    public static bool operator <=(ViewGeneration left, ViewGeneration right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left one is not older.</summary>
    public static bool operator >=(ViewGeneration left, ViewGeneration right) => left.CompareTo(right) >= 0;

    /// <summary>The epoch and the number, as in <c>2.7</c>.</summary>
    public override string ToString() => $"{Epoch}.{Number}";
}
