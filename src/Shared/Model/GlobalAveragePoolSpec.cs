namespace Distributed.Model;

/// <summary>The mean of each channel over the whole image, of whatever size, as <c>torch.nn.AdaptiveAvgPool2d(1)</c> computes it.</summary>
public sealed record GlobalAveragePoolSpec : LayerSpec
{
    internal const string TypeName = "globalavgpool";

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal override Layer Resolve(SampleShape input) => new GlobalAveragePoolLayer(input);
}
