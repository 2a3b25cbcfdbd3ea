using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>What is done to one sample.</summary>
internal interface IRowKernel
{
    /// <summary>Treats one row.</summary>
    void Apply<TLanes, TVector>(int row)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>Goes over all rows, which share nothing; parts are ranges of them.</summary>
internal readonly struct LayerNormalizationWork<TKernel>(TKernel kernel, int rows) : IPartitionedWork
    where TKernel : unmanaged, IRowKernel
{
    private readonly TKernel _kernel = kernel;

    public void Execute(int part, int parts)
    {
        var (start, end) = ChunkRange.Of(rows, 1, part, parts);
        VectorWidth.Execute(new Rows(_kernel, start, end));
    }

    /// <summary>A range of rows, for one vector width.</summary>
    internal readonly struct Rows(TKernel kernel, int start, int end) : IVectorized
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var operation = kernel;
            for (var row = start; row < end; row++)
                operation.Apply<TLanes, TVector>(row);
        }
    }
}
