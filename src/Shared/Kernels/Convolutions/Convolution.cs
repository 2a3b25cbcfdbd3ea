using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Convolutions;

/// <summary>
/// A two-dimensional convolution with everything that its passes need, reserved once. Images are stored channels-last, [height, width,
/// channels], so that the kernels read them in place. Every sum is one chain of fused multiply-adds from +0 in a fixed order, to which taps
/// in the padding add no term; its bits depend on the operands alone: not on threads, vector width, tiles or how many images a call has.
/// </summary>
internal sealed unsafe class Convolution
{
    private readonly ConvolutionShape _shape;
    private readonly int _maximumRows;
    private readonly int _microbatch;
    private readonly ConvolutionMap _forward;
    private readonly ConvolutionWeights _forwardWeights;
    private readonly ConvolutionMap? _backward;
    private readonly ConvolutionWeights? _backwardWeights;
    private readonly ConvolutionGradientMap _gradient;
    private readonly AlignedBuffer _slots;
    private readonly AlignedBuffer[] _threadSlots; // of the threads but the first, which adds to the pass's own

    /// <summary>Reserves weights, tables and sums.</summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="maximumRows">The most images in one call, at least one.</param>
    /// <param name="microbatch">Images of a microbatch, at least one.</param>
    /// <param name="inputGradient">Whether <see cref="InputGradient"/> will be asked for.</param>
    /// <param name="threads">The most threads that take rows of a pass by themselves at the same time.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is below one, the padding is negative, or the kernel does not fit.</exception>
    /// <exception cref="OverflowException">Packed weights or sums do not fit in one array.</exception>
    public Convolution(in ConvolutionShape shape, int maximumRows, int microbatch, bool inputGradient, int threads = 1)
        : this(shape, maximumRows, microbatch, inputGradient, threads, MachineTile.Rows()) { }

    internal Convolution(in ConvolutionShape shape, int maximumRows, int microbatch, bool inputGradient, int threads, int gradientTileRows)
    {
        shape.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        _shape = shape;
        _maximumRows = maximumRows;
        _microbatch = microbatch;
        _forward = ConvolutionMap.OfOutput(shape);
        _forwardWeights = new ConvolutionWeights(shape, mirrored: false);
        _backward = inputGradient ? ConvolutionMap.OfInput(shape) : null;
        _backwardWeights = inputGradient ? new ConvolutionWeights(shape, mirrored: true) : null;
        _gradient = new ConvolutionGradientMap(shape, gradientTileRows);
        var microbatches = ((maximumRows - 1) / microbatch) + 1;
        _slots = Stack(microbatches);
        _threadSlots = microbatches < threads ? [] : [.. Enumerable.Range(1, threads - 1).Select(_ => Stack(microbatches / threads))];
    }

    /// <summary>Takes new weights; they are copied.</summary>
    /// <param name="weights">[filters, channels, kernel height, kernel width].</param>
    /// <param name="bias">[filters], or empty: then nothing is added.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public void BindWeights(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, ComputeTeam team)
    {
        CheckLength(weights.Length, 1, _shape.WeightLength, nameof(weights));
        CheckLength(bias.Length, bias.IsEmpty ? 0 : 1, _shape.Filters, nameof(bias));
        _forwardWeights.Pack(weights, team);
        _forwardWeights.PackBias(bias);
        _backwardWeights?.Pack(weights, team);
    }

    /// <summary>
    /// output = activation(chain + bias), where each output element's chain runs over its taps in the order (kh, kw, channel).
    /// </summary>
    /// <param name="input">[rows, height, width, channels].</param>
    /// <param name="rows">Images.</param>
    /// <param name="output">[rows, output height, output width, filters]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <typeparam name="TActivation">The function.</typeparam>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    internal void Forward<TActivation>(ReadOnlySpan<float> input, int rows, Span<float> output, ComputeTeam team)
        where TActivation : struct, IActivation
    {
        CheckLength(input.Length, rows, _shape.InputLength, nameof(input));
        CheckLength(output.Length, rows, _shape.OutputLength, nameof(output));
        fixed (
            float* source = input,
                destination = output
        )
        {
            team.Run(VectorizedWork.Of(ForwardWork<TActivation>(source, rows, destination)));
        }

        GC.KeepAlive(this);
    }

    /// <summary>
    /// The gradient with respect to the input. Each element's chain runs over the outputs that it reaches, in the order (oy, ox, filter).
    /// </summary>
    /// <param name="outputGradient">[rows, output height, output width, filters].</param>
    /// <param name="rows">Images.</param>
    /// <param name="inputGradient">[rows, height, width, channels]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    /// <exception cref="InvalidOperationException">The constructor was told that no one would ask.</exception>
    public void InputGradient(ReadOnlySpan<float> outputGradient, int rows, Span<float> inputGradient, ComputeTeam team)
    {
        if (_backward is null)
            throw new InvalidOperationException("This convolution was made without the input's gradient.");
        CheckLength(outputGradient.Length, rows, _shape.OutputLength, nameof(outputGradient));
        CheckLength(inputGradient.Length, rows, _shape.InputLength, nameof(inputGradient));
        fixed (
            float* source = outputGradient,
                destination = inputGradient
        )
        {
            team.Run(VectorizedWork.Of(BackwardWork(source, rows, destination)));
        }

        GC.KeepAlive(this);
    }

    /// <summary>
    /// The gradients with respect to weights and biases: for each one a chain over the pixels of a microbatch that it takes part in, in the
    /// order (image, oy, ox), and across microbatches the binary tree of <see cref="MatrixProduct.TransposedProduct"/>.
    /// </summary>
    /// <param name="input">[rows, height, width, channels].</param>
    /// <param name="outputGradient">[rows, output height, output width, filters].</param>
    /// <param name="rows">Images, at least one and at most those that there is room for.</param>
    /// <param name="weightGradient">[filters, channels, kernel height, kernel width]; overwritten.</param>
    /// <param name="biasGradient">[filters]; overwritten. Empty where there are no biases.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public void ParameterGradient(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> outputGradient,
        int rows,
        Span<float> weightGradient,
        Span<float> biasGradient,
        ComputeTeam team
    ) => ParameterGradient(input, outputGradient, rows, 0, rows, weightGradient, biasGradient, team);

    /// <summary>
    /// One row block of
    /// <see cref="ParameterGradient(ReadOnlySpan{float}, ReadOnlySpan{float}, int, Span{float}, Span{float}, ComputeTeam)"/>: calls for
    /// consecutive rows, from row 0 on, give the same bits as one call, however the rows are cut into blocks.
    /// </summary>
    /// <param name="input">[rows, height, width, channels].</param>
    /// <param name="outputGradient">[rows, output height, output width, filters].</param>
    /// <param name="rows">Images of this call, at least one.</param>
    /// <param name="rowsBefore">Images of the pass in the calls before this one.</param>
    /// <param name="passRows">Images of the pass, at most those that there is room for.</param>
    /// <param name="weightGradient">[filters, channels, kernel height, kernel width]; overwritten by the last call.</param>
    /// <param name="biasGradient">[filters]; overwritten by the last call. Empty where there are no biases.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape, or the rows do not fit the pass.</exception>
    internal void ParameterGradient(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> outputGradient,
        int rows,
        int rowsBefore,
        int passRows,
        Span<float> weightGradient,
        Span<float> biasGradient,
        ComputeTeam team
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(rowsBefore);
        CheckLength(input.Length, rows, _shape.InputLength, nameof(input));
        CheckLength(outputGradient.Length, rows, _shape.OutputLength, nameof(outputGradient));
        CheckLength(weightGradient.Length, 1, _shape.WeightLength, nameof(weightGradient));
        CheckLength(biasGradient.Length, biasGradient.IsEmpty ? 0 : 1, _shape.Filters, nameof(biasGradient));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(passRows, _maximumRows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, passRows - rowsBefore);
        var scratch = team.Scratch(ConvolutionGradientWork.ScratchLength(_shape, _microbatch));
        fixed (
            float* source = input,
                gradient = outputGradient,
                weights = weightGradient,
                biases = biasGradient
        )
        {
            var work = GradientWork(source, gradient, rows, weights, biases, scratch);
            (work.ImagesBefore, work.PassImages) = (rowsBefore, passRows);
            team.Run(VectorizedWork.Of(work));
        }

        GC.KeepAlive(this);
        GC.KeepAlive(team);
    }

    /// <summary>
    /// As <see cref="ParameterGradient(ReadOnlySpan{float}, ReadOnlySpan{float}, int, int, int, Span{float}, Span{float}, ComputeTeam)"/>
    /// for the rows of one thread, as a pass of its own, whose sums stay here until <see cref="MergeThreadGradients"/>. Several threads may
    /// call it at the same time, each for its own rows.
    /// </summary>
    /// <param name="input">[rows, height, width, channels].</param>
    /// <param name="outputGradient">[rows, output height, output width, filters].</param>
    /// <param name="rows">Images of this call, at least one.</param>
    /// <param name="rowsBefore">Images of the thread in the calls before this one.</param>
    /// <param name="thread">The thread's rows, which begin with a microbatch.</param>
    /// <param name="hasBias">Whether there are biases.</param>
    /// <param name="team">The team whose chunk the caller runs.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape, or the rows do not fit the thread's.</exception>
    internal void ThreadGradient(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> outputGradient,
        int rows,
        int rowsBefore,
        in ThreadRows thread,
        bool hasBias,
        ComputeTeam team
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(rowsBefore);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, thread.Rows - rowsBefore);
        CheckLength(input.Length, rows, _shape.InputLength, nameof(input));
        CheckLength(outputGradient.Length, rows, _shape.OutputLength, nameof(outputGradient));
        var scratch = team.Scratch(ConvolutionGradientWork.ScratchLength(_shape, _microbatch));
        fixed (
            float* source = input,
                gradient = outputGradient
        )
        {
            var work = GradientWork(source, gradient, rows, null, null, scratch);
            (work.ImagesBefore, work.PassImages, work.HasBiases) = (rowsBefore, thread.Rows, hasBias);
            work.Slots = thread.Thread == 0 ? work.SlotOf(thread.FirstRow / _microbatch) : _threadSlots[thread.Thread - 1].Pointer;
            team.Run(VectorizedWork.Of(work));
        }

        GC.KeepAlive(this);
        GC.KeepAlive(team);
    }

    /// <summary>Adds the sums of a segment's threads to those of the pass before it, along the tree.</summary>
    /// <param name="segment">The segment; all rows of its threads have gone through <see cref="ThreadGradient"/>.</param>
    /// <param name="passRows">Images of the pass.</param>
    /// <param name="weightGradient">[filters, channels, kernel height, kernel width]; overwritten if the segment ends the pass.</param>
    /// <param name="biasGradient">[filters]; overwritten likewise. Empty where there are no biases.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape, or the segment does not fit the pass.</exception>
    internal void MergeThreadGradients(
        in PassSegment segment,
        int passRows,
        Span<float> weightGradient,
        Span<float> biasGradient,
        ComputeTeam team
    )
    {
        CheckLength(weightGradient.Length, 1, _shape.WeightLength, nameof(weightGradient));
        CheckLength(biasGradient.Length, biasGradient.IsEmpty ? 0 : 1, _shape.Filters, nameof(biasGradient));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(passRows, _maximumRows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segment.EndRow, passRows);
        var slots = stackalloc float*[segment.Threads];
        slots[0] = null; // the first adds to the pass's own stack
        for (var thread = 1; thread < segment.Threads; thread++)
            slots[thread] = _threadSlots[thread - 1].Pointer;
        fixed (
            float* weights = weightGradient,
                biases = biasGradient
        )
        {
            var sums = GradientWork(null, null, 0, weights, biases, null);
            (sums.ImagesBefore, sums.PassImages) = (segment.EndRow, passRows);
            var (first, count) = (segment.FirstRow / _microbatch, segment.RowsPerThread / _microbatch);
            team.Run(VectorizedWork.Of(new ConvolutionMergeWork(sums, first, count, slots, segment.Threads)));
        }

        GC.KeepAlive(this);
    }

    internal ConvolutionProductWork<TActivation> ForwardWork<TActivation>(float* input, int rows, float* output)
        where TActivation : struct, IActivation =>
        new()
        {
            Classes = _forward.Classes.Pointer,
            ClassCount = _forward.Classes.Length,
            Pixels = _forward.Pixels.Pointer,
            Runs = _forward.Runs.Pointer,
            Source = input,
            SourceLength = _shape.InputLength,
            Panels = _forwardWeights.Panels,
            PanelLength = _forwardWeights.PanelLength,
            Destination = output,
            DestinationLength = _shape.OutputLength,
            Columns = _shape.Filters,
            Images = rows,
            Bias = _forwardWeights.Bias,
        };

    internal ConvolutionProductWork<IdentityActivation> BackwardWork(float* outputGradient, int rows, float* inputGradient) =>
        new()
        {
            Classes = _backward!.Classes.Pointer,
            ClassCount = _backward.Classes.Length,
            Pixels = _backward.Pixels.Pointer,
            Runs = _backward.Runs.Pointer,
            Source = outputGradient,
            SourceLength = _shape.OutputLength,
            Panels = _backwardWeights!.Panels,
            PanelLength = _backwardWeights.PanelLength,
            Destination = inputGradient,
            DestinationLength = _shape.InputLength,
            Columns = _shape.Channels,
            Images = rows,
        };

    internal ConvolutionGradientWork GradientWork(
        float* input,
        float* outputGradient,
        int rows,
        float* weightGradient,
        float* biasGradient,
        float* scratch
    ) =>
        new()
        {
            Shape = _shape,
            Offsets = _gradient.Offsets.Pointer,
            Runs = _gradient.Runs.Pointer,
            Tiles = _gradient.Tiles.Pointer,
            TileRows = _gradient.TileRows,
            Input = input,
            OutputGradient = outputGradient,
            Images = rows,
            PassImages = rows,
            Microbatch = _microbatch,
            Slots = _slots.Pointer,
            WeightGradient = weightGradient,
            BiasGradient = biasGradient,
            HasBiases = biasGradient != null,
            Scratch = scratch,
        };

    private AlignedBuffer Stack(int microbatches) => new(checked((int)ConvolutionGradientWork.StackLength(_shape, microbatches)));

    private static void CheckLength(int length, int rows, int rowLength, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (length != (long)rows * rowLength)
            throw new ArgumentException($"{rows} rows of {rowLength} have {(long)rows * rowLength} elements, not {length}.", name);
    }

    /// <summary>Asks the machine's vectors how many rows a tile has.</summary>
    private readonly struct MachineTile(int* rows) : IVectorized
    {
        public static int Rows()
        {
            int rows;
            VectorWidth.Execute(new MachineTile(&rows));
            return rows;
        }

        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => *rows = TileGrid.FullRows<TLanes, TVector>();
    }
}
