using Distributed.Kernels;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;

namespace Distributed.Benchmarks;

/// <summary>The matrix products of training on operands of their own, each as it is called in a step: packing included.</summary>
internal static class Products
{
    /// <summary>Y[m, n] = X[m, k] . W^T for PyTorch's W[n, k].</summary>
    public static Action Forward(int m, int n, int k, ComputeTeam team)
    {
        (var inputs, var weights, AlignedBuffer outputs) = (Values(m * k), Values(n * k), new(m * n));
        return () => MatrixProduct.MultiplyTransposed(inputs.Span, m, weights.Span, k, n, outputs.Span, team);
    }

    /// <summary>dX[m, n] = dY[m, k] . W for PyTorch's W[k, n].</summary>
    public static Action InputGradient(int m, int n, int k, ComputeTeam team)
    {
        (var gradient, var weights, AlignedBuffer result) = (Values(m * k), Values(k * n), new(m * n));
        return () => MatrixProduct.Multiply(gradient.Span, m, weights.Span, k, n, result.Span, team);
    }

    /// <summary>dW[m, n] = dY[samples, m]^T . X[samples, n]: a chain inside a microbatch, the tree above.</summary>
    public static Action WeightGradient(int m, int n, int samples, int microbatch, ComputeTeam team)
    {
        (var gradient, var inputs, AlignedBuffer result) = (Values(samples * m), Values(samples * n), new(m * n));
        return () => MatrixProduct.TransposedProduct(gradient.Span, m, inputs.Span, n, samples, microbatch, result.Span, team);
    }

    /// <summary>Numbers of both signs, at most a half.</summary>
    public static AlignedBuffer Values(int length)
    {
        var values = new AlignedBuffer(length);
        for (var i = 0; i < length; i++)
            values.Span[i] = ((i * 7919L % 1009) / 1009f) - 0.5f;
        return values;
    }
}
