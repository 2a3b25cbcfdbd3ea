using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// What a matrix product does to its destination while a panel of it is still in the cache: add a bias and apply an activation function, or
/// multiply by an activation's gradient. The default does nothing. Elements are independent, so the bits are those of a pass of its own.
/// </summary>
internal readonly unsafe ref struct Epilogue
{
    private readonly delegate* <in EpilogueBlock, void> _apply;
    private readonly ReadOnlySpan<float> _operand;
    private readonly bool _perElement;

    private Epilogue(delegate* <in EpilogueBlock, void> apply, ReadOnlySpan<float> operand, bool perElement)
    {
        _apply = apply;
        _operand = operand;
        _perElement = perElement;
    }

    internal ReadOnlySpan<float> Operand => _operand;

    /// <summary>product[i, j] + bias[j].</summary>
    /// <param name="bias">[columns].</param>
    public static Epilogue AddBias(ReadOnlySpan<float> bias) => OfBias<IdentityActivation>(bias);

    /// <summary>max(product[i, j] + bias[j], 0); NaN stays NaN.</summary>
    /// <param name="bias">[columns].</param>
    public static Epilogue BiasRelu(ReadOnlySpan<float> bias) => OfBias<ReluActivation>(bias);

    /// <summary>tanh(product[i, j] + bias[j]).</summary>
    /// <param name="bias">[columns].</param>
    public static Epilogue BiasTanh(ReadOnlySpan<float> bias) => OfBias<TanhActivation>(bias);

    /// <summary>1 / (1 + exp(-(product[i, j] + bias[j]))).</summary>
    /// <param name="bias">[columns].</param>
    public static Epilogue BiasSigmoid(ReadOnlySpan<float> bias) => OfBias<SigmoidActivation>(bias);

    /// <summary>product[i, j] if output[i, j] &gt; 0, else 0: takes a gradient through the ReLU that gave the output.</summary>
    /// <param name="output">[rows, columns].</param>
    public static Epilogue ReluGradient(ReadOnlySpan<float> output) => OfGradient<ReluActivation>(output);

    /// <summary>product[i, j] (1 - output[i, j]^2).</summary>
    /// <param name="output">[rows, columns].</param>
    public static Epilogue TanhGradient(ReadOnlySpan<float> output) => OfGradient<TanhActivation>(output);

    /// <summary>product[i, j] output[i, j] (1 - output[i, j]).</summary>
    /// <param name="output">[rows, columns].</param>
    public static Epilogue SigmoidGradient(ReadOnlySpan<float> output) => OfGradient<SigmoidActivation>(output);

    internal static Epilogue OfBias<TActivation>(ReadOnlySpan<float> bias)
        where TActivation : struct, IActivation => new(&ApplyBiased<TActivation>, bias, perElement: false);

    internal static Epilogue OfGradient<TActivation>(ReadOnlySpan<float> output)
        where TActivation : struct, IActivation => new(&ApplyGradient<TActivation>, output, perElement: true);

    internal void Check(int rows, int columns)
    {
        var expected = _perElement ? (long)rows * columns : columns;
        if (_apply != null && _operand.Length != expected)
            throw new ArgumentException($"The epilogue of a {rows} x {columns} product takes {expected} values, not {_operand.Length}.");
    }

    internal BoundEpilogue Bind(float* operand, int columns) => new(_apply, operand, _perElement ? columns : 0);

    private static void ApplyBiased<TActivation>(in EpilogueBlock block)
        where TActivation : struct, IActivation => Apply<Biased<TActivation>>(block);

    private static void ApplyGradient<TActivation>(in EpilogueBlock block)
        where TActivation : struct, IActivation => Apply<Gradient<TActivation>>(block);

    /// <summary>
    /// Passes the block on where it lies. A copy would be read in wider pieces than those it has just been written in, and so wait until
    /// all stores before it, those of the tile, have reached the cache: 1 % of a step of mlp:2048,2048.
    /// </summary>
    private static void Apply<TColumn>(in EpilogueBlock block)
        where TColumn : struct, IColumn
    {
        fixed (EpilogueBlock* pinned = &block)
            VectorWidth.Execute(new Columns<TColumn>(pinned));
    }

    /// <summary>What happens to a column of vectors of a block.</summary>
    private interface IColumn
    {
        static abstract void Apply<TLanes, TVector>(in EpilogueBlock block, float* value, float* operand)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged;
    }

    /// <summary>The columns of a block: whole vectors first, then one element at a time.</summary>
    private readonly struct Columns<TColumn>(EpilogueBlock* block) : IVectorized
        where TColumn : struct, IColumn
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var j = 0;
            for (; j <= block->Columns - TLanes.Count; j += TLanes.Count)
                TColumn.Apply<TLanes, TVector>(*block, block->Values + j, block->Operand + j);
            for (; j < block->Columns; j++)
                TColumn.Apply<LanesScalar, float>(*block, block->Values + j, block->Operand + j);
        }
    }

    /// <summary>Column by column, so that a vector of the bias is loaded once.</summary>
    private readonly struct Biased<TActivation> : IColumn
        where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<TLanes, TVector>(in EpilogueBlock block, float* value, float* bias)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var addend = TLanes.Load(bias);
            var stride = block.Stride;
            for (var rows = block.Rows; rows > 0; rows--, value += stride)
                TLanes.Store(TActivation.Forward<TLanes, TVector>(TLanes.Add(TLanes.Load(value), addend)), value);
        }
    }

    private readonly struct Gradient<TActivation> : IColumn
        where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply<TLanes, TVector>(in EpilogueBlock block, float* value, float* output)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var (stride, outputStride) = (block.Stride, block.OperandStride);
            for (var rows = block.Rows; rows > 0; rows--, value += stride, output += outputStride)
                TLanes.Store(TActivation.Backward<TLanes, TVector>(TLanes.Load(value), TLanes.Load(output)), value);
        }
    }
}
