namespace Distributed.Collectives;

/// <summary>
/// Who computes which blocks of a step's reduction tree, and how the blocks of all workers make the whole: a pure function
/// of the number of microbatches and the number of workers.
/// </summary>
public sealed class ReductionPlan
{
    private readonly int[] _firstPlace;
    private readonly Dictionary<int, int> _placeOfStart;

    /// <summary>Plans a step.</summary>
    /// <param name="microbatches">The step's number of microbatches, at least 1.</param>
    /// <param name="workers">The number of workers, at least 1.</param>
    public ReductionPlan(int microbatches, int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microbatches);
        Microbatches = microbatches;
        Workers = workers;
        var blocks = new List<TreeBlock>();
        _firstPlace = new int[workers + 1];
        for (var rank = 0; rank < workers; rank++)
        {
            var (start, end) = RangeOf(rank);
            blocks.AddRange(ReductionTree.Blocks(start, end, microbatches));
            _firstPlace[rank + 1] = blocks.Count;
        }

        Blocks = blocks;
        Merges = ReductionTree.Merges(blocks);
        _placeOfStart = blocks.Select((block, place) => (block.Start, place)).ToDictionary();
    }

    /// <summary>The step's number of microbatches.</summary>
    public int Microbatches { get; }

    /// <summary>The number of workers.</summary>
    public int Workers { get; }

    /// <summary>The blocks of all workers in ascending order; a block's index here is its place.</summary>
    public IReadOnlyList<TreeBlock> Blocks { get; }

    /// <summary>The additions over places that complete the tree in place 0.</summary>
    public IReadOnlyList<TreeMerge> Merges { get; }

    /// <summary>A worker's microbatches.</summary>
    /// <param name="rank">The worker.</param>
    /// <returns>The range [Start, End), possibly empty.</returns>
    public (int Start, int End) RangeOf(int rank) => Partition.Microbatches(Microbatches, Workers, rank);

    /// <summary>The places of a worker's blocks.</summary>
    /// <param name="rank">The worker.</param>
    /// <returns>The first place and how many follow one another from there.</returns>
    public (int First, int Count) PlacesOf(int rank) => (_firstPlace[rank], _firstPlace[rank + 1] - _firstPlace[rank]);

    /// <summary>Whether a worker holds the block that begins at a microbatch.</summary>
    /// <param name="rank">The worker.</param>
    /// <param name="start">The block's first microbatch.</param>
    /// <param name="place">The block's place.</param>
    public bool Holds(int rank, int start, out int place)
    {
        var (first, count) = PlacesOf(rank);
        return _placeOfStart.TryGetValue(start, out place) && place >= first && place < first + count;
    }
}

/// <summary>Keeps the plans of a view: a run has as many as there are sizes of batches, which is two at most.</summary>
/// <param name="workers">The number of workers.</param>
public sealed class ReductionPlans(int workers)
{
    private readonly Dictionary<int, ReductionPlan> _plans = [];

    /// <summary>The plan for a step.</summary>
    /// <param name="microbatches">The step's number of microbatches.</param>
    public ReductionPlan For(int microbatches)
    {
        if (!_plans.TryGetValue(microbatches, out var plan))
            _plans.Add(microbatches, plan = new ReductionPlan(microbatches, workers));
        return plan;
    }
}
