using Distributed.Model;

namespace Distributed.Shared.Tests.Checkpoints;

/// <summary>Two parameters and numbers to fill them.</summary>
internal static class SmallLayout
{
    public static ParameterLayout Layout { get; } = ParameterLayout.Of([("layers.0.weight", [3, 2]), ("layers.0.bias", [3])]);

    public static float[] Values(float first) => [.. Enumerable.Range(0, Layout.Length).Select(index => first + index)];
}
