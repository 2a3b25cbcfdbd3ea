namespace Distributed.Collectives;

/// <summary>Who owns the slices of a bucket: completes the reduction tree there and publishes the result.</summary>
internal enum SliceOwners
{
    /// <summary>The workers, each of them one slice of every bucket.</summary>
    Workers = 0,

    /// <summary>A parameter server alone: one more member, after the workers, that holds no microbatches.</summary>
    ParameterServer,
}

/// <summary>
/// Who computes which nodes of a step's reduction tree, how the nodes of all workers make the whole, and who owns which slice
/// of which bucket: a pure function of the number of microbatches, the workers' shares of them, the buckets, and the owners.
/// </summary>
internal sealed class ReductionPlan
{
    private readonly SliceOwners _owners;
    private readonly (int Start, int End)[] _ranges;
    private readonly int[] _firstPlace;
    private readonly int[] _holder;
    private readonly Dictionary<int, int> _placeOfStart;

    /// <summary>Plans a step of workers with equal shares, without an exchange.</summary>
    /// <param name="microbatches">The step's number of microbatches, at least 1.</param>
    /// <param name="workers">The number of workers, at least 1.</param>
    public ReductionPlan(int microbatches, int workers)
        : this(microbatches, Shares.Equal(workers), []) { }

    /// <summary>Plans a step.</summary>
    /// <param name="microbatches">The step's number of microbatches, at least 1.</param>
    /// <param name="shares">The workers' shares of the microbatches, see <see cref="Shares.RangeOf"/>.</param>
    /// <param name="buckets">
    /// What is exchanged as one, in the order in which it becomes ready; the part of the vector that lies last first.
    /// </param>
    /// <param name="owners">Who owns the slices.</param>
    public ReductionPlan(
        int microbatches,
        IReadOnlyList<int> shares,
        IReadOnlyList<Bucket> buckets,
        SliceOwners owners = SliceOwners.Workers
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microbatches);
        ArgumentNullException.ThrowIfNull(shares);
        Microbatches = microbatches;
        Workers = shares.Count;
        Members = Workers + (owners == SliceOwners.ParameterServer ? 1 : 0);
        Buckets = buckets;
        _owners = owners;
        var nodes = new List<TreeNode>();
        _ranges = [.. Enumerable.Range(0, Workers).Select(rank => Shares.RangeOf(microbatches, shares, rank))];
        _firstPlace = new int[Members + 1];
        for (var rank = 0; rank < Members; rank++)
        {
            if (rank < Workers)
                nodes.AddRange(ReductionTree.Nodes(_ranges[rank].Start, _ranges[rank].End, microbatches));
            _firstPlace[rank + 1] = nodes.Count;
        }

        _holder = [.. Enumerable.Range(0, Workers).SelectMany(rank => Enumerable.Repeat(rank, PlacesOf(rank).Count))];
        Nodes = nodes;
        Merges = ReductionTree.Merges(nodes);
        _placeOfStart = nodes.Select((node, place) => (node.Start, place)).ToDictionary();
    }

    private ReductionPlan(ReductionPlan plan, int start)
    {
        (Microbatches, Workers, Members, Nodes, Merges) = (plan.Microbatches, plan.Workers, plan.Members, plan.Nodes, plan.Merges);
        (_owners, _ranges, _firstPlace) = (plan._owners, plan._ranges, plan._firstPlace);
        (_holder, _placeOfStart) = (plan._holder, plan._placeOfStart);
        Buckets = [.. plan.Buckets.Select(bucket => new Bucket(Math.Max(bucket.Start, start), Math.Max(bucket.End, start)))];
    }

    /// <summary>The same plan of a step whose gradient has nothing before an element: buckets are shorter there, or empty.</summary>
    /// <param name="start">The element, a multiple of <see cref="SliceRange.Alignment"/> and below the end of the first bucket.</param>
    public ReductionPlan StartingAt(int start)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(start % SliceRange.Alignment, 0, nameof(start));
        return start == 0 ? this : new(this, start);
    }

    /// <summary>The step's number of microbatches.</summary>
    public int Microbatches { get; }

    /// <summary>The number of workers, which hold the microbatches.</summary>
    public int Workers { get; }

    /// <summary>The number of members that exchange: the workers, and the parameter server if there is one.</summary>
    public int Members { get; }

    /// <summary>The pieces of the flat vector in the order in which they are exchanged.</summary>
    public IReadOnlyList<Bucket> Buckets { get; }

    /// <summary>The nodes of all workers in ascending order; a node's index here is its place.</summary>
    public IReadOnlyList<TreeNode> Nodes { get; }

    /// <summary>The additions over places that complete the tree in place 0.</summary>
    public IReadOnlyList<TreeMerge> Merges { get; }

    /// <summary>A worker's microbatches.</summary>
    /// <param name="rank">The worker.</param>
    /// <returns>The range [Start, End), possibly empty.</returns>
    public (int Start, int End) RangeOf(int rank) => _ranges[rank];

    /// <summary>The places of a member's nodes.</summary>
    /// <param name="rank">The member.</param>
    /// <returns>The first place and the number of consecutive places; 0 for a parameter server.</returns>
    public (int First, int Count) PlacesOf(int rank) => (_firstPlace[rank], _firstPlace[rank + 1] - _firstPlace[rank]);

    /// <summary>The worker that computes the node at a place.</summary>
    /// <param name="place">The node's place.</param>
    public int HolderOf(int place) => _holder[place];

    /// <summary>The place of the node that begins at a microbatch, or -1 if none does.</summary>
    /// <param name="start">The node's first microbatch.</param>
    public int PlaceOf(int start) => _placeOfStart.GetValueOrDefault(start, -1);

    /// <summary>Whether a member owns slices.</summary>
    /// <param name="rank">The member.</param>
    public bool IsOwner(int rank) => _owners == SliceOwners.Workers || rank == Workers;

    /// <summary>Whether two members exchange anything: at least one of them owns slices.</summary>
    public bool Exchange(int rank, int peer) => rank != peer && (IsOwner(rank) || IsOwner(peer));

    /// <summary>The part of a bucket that a member owns: it completes the tree there.</summary>
    /// <param name="bucket">The bucket's index.</param>
    /// <param name="owner">The member.</param>
    /// <returns>The elements [Start, End) of the flat vector; none for members that own nothing of a bucket.</returns>
    public Bucket SliceOf(int bucket, int owner)
    {
        var whole = Buckets[bucket];
        if (_owners == SliceOwners.ParameterServer)
            return owner == Workers ? whole : new Bucket(whole.Start, whole.Start);
        var (start, end) = SliceRange.Of(whole.Length, Workers, owner);
        return new Bucket(whole.Start + start, whole.Start + end);
    }

    /// <summary>The bucket that an element of the flat vector belongs to, or -1 if there is no such element.</summary>
    /// <param name="offset">The element.</param>
    public int BucketAt(long offset)
    {
        var (low, high) = (0, Buckets.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = offset < Buckets[middle].Start ? (middle + 1, high) : (low, middle);
        }

        return low < Buckets.Count && offset >= 0 && offset < Buckets[low].End ? low : -1;
    }

    /// <summary>The elements that a member owns in all buckets together.</summary>
    /// <param name="owner">The member.</param>
    public int OwnedElements(int owner) => Enumerable.Range(0, Buckets.Count).Sum(bucket => SliceOf(bucket, owner).Length);

    /// <summary>
    /// The bytes of gradient and weights that a member sends in the step: each of its nodes to the owners of the other slices, and
    /// its own slices to every worker that needs them. Between workers with one node each that is twice the vector for any number of
    /// workers, less what a worker keeps for itself; every further node of an unaligned range adds the vector once more.
    /// </summary>
    /// <param name="rank">The member.</param>
    public long BytesSentBy(int rank)
    {
        long own = OwnedElements(rank),
            whole = Buckets.Sum(bucket => (long)bucket.Length);
        return sizeof(float) * ((PlacesOf(rank).Count * (whole - own)) + ((Members - 1) * own));
    }
}

/// <summary>
/// Keeps the plans of a view, for one thread at a time: a run has as many as there are sizes of batches, which is two at most.
/// </summary>
/// <param name="shares">The workers' shares of the microbatches, in order of rank.</param>
/// <param name="buckets">What is exchanged as one.</param>
/// <param name="owners">Who owns the slices.</param>
internal sealed class ReductionPlans(IReadOnlyList<int> shares, IReadOnlyList<Bucket> buckets, SliceOwners owners = SliceOwners.Workers)
{
    private readonly Dictionary<int, ReductionPlan> _plans = [];

    /// <summary>The plan for a step.</summary>
    /// <param name="microbatches">The step's number of microbatches.</param>
    /// <param name="start">Where the step's gradient begins in the flat vector.</param>
    public ReductionPlan For(int microbatches, int start = 0)
    {
        if (!_plans.TryGetValue(microbatches, out var plan))
            _plans.Add(microbatches, plan = new ReductionPlan(microbatches, shares, buckets, owners));
        return plan.StartingAt(start);
    }
}
