namespace Distributed.Objectives;

/// <summary>A figure of an evaluation.</summary>
/// <param name="Name">One word in lower case, such as <c>accuracy</c>.</param>
/// <param name="Value">The figure over all samples.</param>
public readonly record struct Metric(string Name, double Value);
