namespace Distributed.Model;

/// <summary>A layer that stands before all others and knows which values of a sample are ids of categories.</summary>
internal abstract record InputLayerSpec : LayerSpec
{
    /// <summary>Checks the layer against the columns and settles its sizes.</summary>
    /// <param name="input">What samples are made of as the layer before leaves them.</param>
    /// <returns>The layer, and what samples are made of behind it.</returns>
    /// <exception cref="InputException">The layer cannot take this input; its place is put before the message.</exception>
    internal abstract (Layer Layer, InputColumns Output) Resolve(InputColumns input);

    /// <inheritdoc />
    internal sealed override Layer Resolve(SampleShape input) =>
        throw new InputException("it takes the columns of the data as they are: put it before all other layers");
}
