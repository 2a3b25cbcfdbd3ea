using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>
/// Runs a <see cref="ResidualLayer"/>: Y = f(X) + s(X), where s is the shortcut or nothing. With G the gradient with respect to Y, both
/// branches get G, and the gradients that they hand back are added: dX = df(G) + ds(G), in this order.
/// </summary>
internal sealed class ResidualExecutor : LayerExecutor
{
    private readonly ExecutorOptions _options;
    private readonly SequenceExecutor _layers;
    private readonly SequenceExecutor? _shortcut;
    private readonly int _layersLength; // parameters of f, which lie before those of the shortcut
    private readonly AlignedBuffer _shortcutOutputGradient;
    private readonly AlignedBuffer _shortcutInputGradient;

    /// <summary>Reserves both branches.</summary>
    internal ResidualExecutor(ResidualLayer layer, ExecutorOptions options)
        : base(layer)
    {
        _options = options;
        _layers = new SequenceExecutor(layer.Layers, options);
        var streams = layer.Layers.Sum(inner => inner.RandomStreams);
        _shortcut =
            layer.Shortcut.Count == 0
                ? null
                : new SequenceExecutor(layer.Shortcut, options with { FirstRandomStream = options.FirstRandomStream + streams });
        _layersLength = layer.Layers.Sum(inner => inner.ParameterLength);
        _shortcutOutputGradient = Reserve(options.MaximumRows, layer.OutputLength);
        _shortcutInputGradient = Reserve(options.MaximumRows, _shortcut is null ? 0 : layer.InputLength);
    }

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        _layers.BindWeights(parameters[.._layersLength]);
        _shortcut?.BindWeights(parameters[_layersLength..]);
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        ReadOnlySpan<float> inner = _layers.Forward(input, rows, pass);
        var beside = _shortcut is null ? input : _shortcut.Forward(input, rows, pass);
        ReductionKernels.Add(inner, beside, output, _options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> output,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress
    )
    {
        // A backward pass may overwrite the gradient that it starts from, so the second branch needs its own.
        var beside = _shortcutOutputGradient.Span[..outputGradient.Length];
        outputGradient.CopyTo(beside);
        _layers.Backward(input, rows, outputGradient, inputGradient, parameterGradient[.._layersLength], pass, progress: null);
        if (_shortcut is not null)
        {
            var shortcutGradient = _shortcutInputGradient.Span[..inputGradient.Length];
            _shortcut.Backward(input, rows, beside, shortcutGradient, parameterGradient[_layersLength..], pass, progress: null);
            beside = shortcutGradient;
        }

        if (_options.NeedsInputGradient)
            ReductionKernels.Add(inputGradient, beside, inputGradient, _options.Team);
    }
}
