using Distributed.Random;

namespace Distributed.Data;

/// <summary>
/// Which samples each step trains on: a pure function of (seed, step) that any machine can evaluate at any step. Every sample is
/// used exactly once in an epoch; the last batch of an epoch may be short. Safe for concurrent use.
/// </summary>
/// <remarks>
/// An epoch's order is the Fisher-Yates shuffle (R. Durstenfeld, 1964) of 0..n-1 that swaps position i, from n-1 down to 1, with
/// <c>Below(i, i + 1)</c> of the sequence (seed, <see cref="RandomPurpose.Shuffle"/>, epoch). With blocks, they are shuffled so by
/// <see cref="RandomPurpose.ShuffleBlocks"/>, and follow one another; inside each, position j from the block's first sample f is swapped with
/// <c>Below(f + j, j + 1)</c> of the first sequence. One block of all samples is the shuffle without blocks.
/// </remarks>
internal sealed class BatchPlan
{
    private readonly ulong _seed;
    private readonly int _sampleCount;
    private readonly int _batchSize;
    private readonly int _microbatch;
    private readonly bool _shuffle;
    private readonly int _block;

    // The order of the epoch asked for last. Replaced as a whole, so a reader sees one epoch or the other.
    private volatile EpochOrder? _latest;

    /// <summary>Describes a plan.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="sampleCount">Number of training samples, at least 1.</param>
    /// <param name="batchSize">Samples in a batch over all workers, at least 1; the last batch of an epoch may have fewer.</param>
    /// <param name="microbatch">Samples in a microbatch, from 1 to the batch size; the last microbatch of a batch may have fewer.</param>
    /// <param name="shuffle">Whether each epoch has an order of its own; otherwise samples are taken in file order.</param>
    /// <param name="block">
    /// Consecutive samples that are shuffled among themselves, so that those of a batch lie near each other; null for all of them.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    public BatchPlan(ulong seed, int sampleCount, int batchSize, int microbatch, bool shuffle, int? block = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microbatch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(microbatch, batchSize);
        if (block is int size)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(block));
        _seed = seed;
        _sampleCount = sampleCount;
        _batchSize = batchSize;
        _microbatch = microbatch;
        _shuffle = shuffle;
        _block = Math.Min(block ?? sampleCount, sampleCount);
        StepsPerEpoch = Batch.CeilingDivide(sampleCount, batchSize);
    }

    /// <summary>Consecutive samples that are shuffled among themselves.</summary>
    public int Block => _block;

    /// <summary>Number of steps, and of batches, in an epoch.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>The number of microbatches in every batch but the last of an epoch, which may have fewer.</summary>
    public int MostMicrobatches => Batch.CeilingDivide(Math.Min(_batchSize, _sampleCount), _microbatch);

    /// <summary>The epoch of a step; both are counted from 1.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    public long Epoch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(step);
        return ((step - 1) / StepsPerEpoch) + 1;
    }

    /// <summary>The batch of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is below 1.</exception>
    public Batch Of(long step)
    {
        ReadOnlyMemory<int> order = Order(Epoch(step)).Indices;
        var start = StartOf(step);
        var length = (int)Math.Min(_batchSize, _sampleCount - start);
        return new Batch(order.Slice((int)start, length), _microbatch);
    }

    /// <summary>The blocks from which a step takes samples, and those that follow until the same epoch is one block farther.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="blocks">Receives the blocks, in the order of the samples: the first one has the samples 0 to below <see cref="Block"/>.</param>
    public void AddBlocksNear(long step, ISet<int> blocks)
    {
        var order = Order(Epoch(step));
        var start = StartOf(step);
        var end = Math.Min(start + _batchSize + _block, _sampleCount);
        // Blocks are whole but for the last of the file, wherever it comes: what is behind it lies nearer by what it lacks.
        for (var place = start; place < end; place = order.EndOfBlockAt(place))
            blocks.Add(order.Indices[place] / _block);
    }

    // Its first place in the order of its epoch.
    private long StartOf(long step) => (step - 1) % StepsPerEpoch * _batchSize;

    private EpochOrder Order(long epoch)
    {
        var key = _shuffle ? epoch : 0;
        var latest = _latest;
        if (latest is null || latest.Epoch != key)
        {
            latest = _shuffle ? Shuffled(epoch) : FileOrder();
            _latest = latest;
        }

        return latest;
    }

    private EpochOrder FileOrder()
    {
        var indices = new int[_sampleCount];
        Number(indices, 0);
        return new EpochOrder(Epoch: 0, indices, _block, _sampleCount);
    }

    private EpochOrder Shuffled(long epoch)
    {
        var inside = new CounterRandom(_seed, RandomPurpose.Shuffle, (ulong)epoch);
        var indices = new int[_sampleCount];
        int filled = 0,
            endOfLast = 0;
        foreach (var block in Blocks(epoch))
        {
            var first = block * _block; // below the number of samples
            var samples = indices.AsSpan(filled, Math.Min(_block, _sampleCount - first));
            Number(samples, first);
            Shuffle(samples, inside, (ulong)first);
            filled += samples.Length;
            if (first + samples.Length == _sampleCount)
                endOfLast = filled;
        }

        return new EpochOrder(epoch, indices, _block, endOfLast);
    }

    private int[] Blocks(long epoch) =>
        Shuffled(Batch.CeilingDivide(_sampleCount, _block), new CounterRandom(_seed, RandomPurpose.ShuffleBlocks, (ulong)epoch));

    /// <summary>The numbers from 0 to below a count in an order that draws decide, from position 0 on.</summary>
    internal static int[] Shuffled(int count, CounterRandom random)
    {
        var numbers = new int[count];
        Number(numbers, 0);
        Shuffle(numbers, random, 0);
        return numbers;
    }

    private static void Number(Span<int> places, int first)
    {
        for (var i = 0; i < places.Length; i++)
            places[i] = first + i;
    }

    private static void Shuffle(Span<int> places, CounterRandom random, ulong first)
    {
        for (var i = places.Length - 1; i > 0; i--)
        {
            var other = (int)random.Below(first + (ulong)i, (uint)i + 1);
            (places[i], places[other]) = (places[other], places[i]);
        }
    }

    /// <summary>The order of an epoch.</summary>
    /// <param name="Epoch">Which; 0 for the order of the file.</param>
    /// <param name="Indices">[samples].</param>
    /// <param name="Block">Samples of a block.</param>
    /// <param name="EndOfLast">The place behind the file's last block, the one that may be short.</param>
    private sealed record EpochOrder(long Epoch, int[] Indices, int Block, int EndOfLast)
    {
        /// <summary>The place behind the block of a place.</summary>
        public long EndOfBlockAt(long place)
        {
            var start = place < EndOfLast ? 0 : EndOfLast;
            var end = start + (((place - start) / Block) + 1) * Block;
            return place < EndOfLast ? Math.Min(end, EndOfLast) : end;
        }
    }
}
