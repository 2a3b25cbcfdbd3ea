namespace Distributed.Shared.Tests.Kernels;

/// <summary>
/// The definitions of the kernels, one scalar operation after the other: what the kernels must match bit for bit, or closely in double.
/// </summary>
internal static class Oracle
{
    /// <summary>One chain of fused multiply-adds per element, from +0, in ascending k.</summary>
    public static float[] Product(float[] left, int rows, int inner, float[] right, int columns)
    {
        var destination = new float[rows * columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                float sum = 0;
                for (var k = 0; k < inner; k++)
                    sum = MathF.FusedMultiplyAdd(left[(i * inner) + k], right[(k * columns) + j], sum);
                destination[(i * columns) + j] = sum;
            }
        }

        return destination;
    }

    public static float[] TransposedProduct(float[] left, int m, float[] right, int n, int rows, int microbatch)
    {
        var destination = new float[m * n];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var leaves = new List<float>();
                for (var start = 0; start < rows; start += microbatch)
                {
                    float sum = 0;
                    for (var r = start; r < Math.Min(rows, start + microbatch); r++)
                        sum = MathF.FusedMultiplyAdd(left[(r * m) + i], right[(r * n) + j], sum);
                    leaves.Add(sum);
                }

                destination[(i * n) + j] = Tree(leaves);
            }
        }

        return destination;
    }

    /// <summary>
    /// The binary tree over the leaves padded to a power of two; an absent right child passes the left one through. Level by level.
    /// </summary>
    public static float Tree(List<float> leaves)
    {
        if (leaves.Count == 0)
            return 0;
        while (leaves.Count > 1)
            leaves = [.. leaves.Chunk(2).Select(pair => pair.Length == 2 ? pair[0] + pair[1] : pair[0])];
        return leaves[0];
    }

    public static float[] Transpose(float[] matrix, int rows, int columns)
    {
        var transposed = new float[matrix.Length];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                transposed[(j * rows) + i] = matrix[(i * columns) + j];
        }

        return transposed;
    }

    /// <summary>Values of both signs and mixed magnitudes, among them zeros: a function of the seed.</summary>
    public static float[] Values(int length, uint seed)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            seed = (seed * 1664525) + 1013904223;
            var value = ((seed >> 8) / (float)(1 << 24)) - 0.5f;
            values[i] = (seed >> 4 & 15) == 0 ? 0 : value * (1 << (int)(seed >> 28 & 7));
        }

        return values;
    }
}
