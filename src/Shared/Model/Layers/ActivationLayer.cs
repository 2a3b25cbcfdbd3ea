using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>An activation function, applied to each element of the output of the layer before it.</summary>
internal sealed record ActivationSpec : LayerSpec
{
    /// <summary>Creates a layer that applies a function.</summary>
    /// <param name="function">Any but <see cref="Activation.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such function.</exception>
    public ActivationSpec(Activation function)
    {
        Type = NameOf(function);
        Function = function;
    }

    /// <summary>The function.</summary>
    public Activation Function { get; }

    /// <inheritdoc/>
    public override string Type { get; }

    /// <summary>The name of a function in model files.</summary>
    internal static string NameOf(Activation function) =>
        function switch
        {
            Activation.Relu => "relu",
            Activation.Tanh => "tanh",
            Activation.Sigmoid => "sigmoid",
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, "not an activation function"),
        };

    /// <summary>A pass of its own, where the layer before cannot apply the function in its pass.</summary>
    internal override Layer Resolve(SampleShape input)
    {
        return Function switch
        {
            Activation.Relu => Of<ReluActivation>(),
            Activation.Tanh => Of<TanhActivation>(),
            _ => Of<SigmoidActivation>(),
        };

        Layer Of<TActivation>()
            where TActivation : struct, IActivation =>
            new ElementwiseLayer<ActivationFunction<TActivation>>(input, default, Type, (graph, value) =>
                ActivationFunctions.AddTo(graph, Function, value)
            );
    }
}
