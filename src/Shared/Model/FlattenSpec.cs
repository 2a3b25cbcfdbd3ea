namespace Distributed.Model;

/// <summary>Takes each sample as one vector, channel by channel, as <c>torch.nn.Flatten</c> does.</summary>
public sealed record FlattenSpec : LayerSpec
{
    internal const string TypeName = "flatten";

    /// <inheritdoc/>
    public override string Type => TypeName;

    internal override Layer Resolve(SampleShape input) => new FlattenLayer(input);
}
