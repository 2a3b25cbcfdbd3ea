namespace Distributed;

/// <summary>What a sample is made of as a network sees it: numbers, and behind them one id for each column of categories.</summary>
/// <param name="Shape">The shape of a sample; 1 x 1 x width where there are categories.</param>
/// <param name="Categories">The columns of categories, in the order of their ids; empty for samples of numbers alone.</param>
internal sealed record InputColumns(SampleShape Shape, IReadOnlyList<CategoryColumn> Categories)
{
    /// <summary>How many of a sample's values are numbers: the first ones.</summary>
    public int NumberCount => Shape.Length - Categories.Count;

    /// <summary>Samples of numbers alone.</summary>
    public static implicit operator InputColumns(SampleShape shape) => Of(shape);

    /// <summary>Samples of numbers alone.</summary>
    /// <param name="shape">The shape of a sample.</param>
    public static InputColumns Of(SampleShape shape) => new(shape, []);
}
