using Distributed.Kernels;
using Distributed.Kernels.Products;

namespace Distributed.Model;

/// <summary>
/// Weights of dense layers as products read them, for executors whose weights never change again. They are as large as the weights, and
/// packed when the first executor asks for them. Safe for concurrent use.
/// </summary>
internal sealed class PackedWeights
{
    private readonly Dictionary<ReadOnlyMemory<float>, AlignedBuffer> _packed = []; // by the place of the weights, not by their values

    /// <summary>The packed form of weights.</summary>
    /// <param name="weight">[outputs, inputs].</param>
    /// <param name="inputs">The length of each chain.</param>
    /// <param name="outputs">Columns of the product.</param>
    /// <returns>For <see cref="MatrixProduct.MultiplyPacked"/>; null where they do not fit in one array.</returns>
    public AlignedBuffer? Of(ReadOnlyMemory<float> weight, int inputs, int outputs)
    {
        var length = MatrixProduct.PackedLength(inputs, outputs);
        if (length > AlignedBuffer.MaxLength)
            return null;
        lock (_packed)
        {
            if (_packed.TryGetValue(weight, out var known))
                return known;
            var packed = new AlignedBuffer((int)length);
            MatrixProduct.PackTransposed(weight.Span, inputs, outputs, packed.Span);
            _packed.Add(weight, packed);
            return packed;
        }
    }
}
