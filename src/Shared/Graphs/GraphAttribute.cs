namespace Distributed.Graphs;

/// <summary>An attribute of an operator: an integer, a float, or a list of integers or texts, of which one is there.</summary>
internal readonly record struct GraphAttribute
{
    private GraphAttribute(string name) => Name = name;

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>An integer.</summary>
    public long? Integer { get; private init; }

    /// <summary>A float.</summary>
    public float? Number { get; private init; }

    /// <summary>Integers.</summary>
    public IReadOnlyList<long>? Integers { get; private init; }

    /// <summary>Texts.</summary>
    public IReadOnlyList<string>? Texts { get; private init; }

    /// <summary>An integer.</summary>
    public static GraphAttribute Of(string name, long value) => new(name) { Integer = value };

    /// <summary>A float.</summary>
    public static GraphAttribute Of(string name, float value) => new(name) { Number = value };

    /// <summary>Integers.</summary>
    public static GraphAttribute Of(string name, IReadOnlyList<long> values) => new(name) { Integers = values };

    /// <summary>Texts.</summary>
    public static GraphAttribute Of(string name, IReadOnlyList<string> values) => new(name) { Texts = values };
}
