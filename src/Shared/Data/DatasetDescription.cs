namespace Distributed.Data;

/// <summary>A dataset that can be asked for by name: what it is, and where it is or how to get it.</summary>
internal sealed record DatasetDescription
{
    /// <summary>The name to ask for it by.</summary>
    public required string Name { get; init; }

    /// <summary>What it shows, in a few words.</summary>
    public required string Summary { get; init; }

    /// <summary>The shape of each sample.</summary>
    public required SampleShape Shape { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Number of training samples.</summary>
    public required int TrainSamples { get; init; }

    /// <summary>Number of test samples.</summary>
    public required int TestSamples { get; init; }

    /// <summary>Where it was found, or null if it is not here.</summary>
    public required string? Location { get; init; }

    /// <summary>How to get it, or null if it is here.</summary>
    public required string? Remedy { get; init; }
}
