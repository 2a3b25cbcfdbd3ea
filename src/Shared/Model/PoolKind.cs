namespace Distributed.Model;

/// <summary>What a pooling layer makes of a window.</summary>
public enum PoolKind
{
    /// <summary>The largest element; padding never wins.</summary>
    Max = 0,

    /// <summary>The mean of the elements; padding does not count as elements.</summary>
    Average,
}
