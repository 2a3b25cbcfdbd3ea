namespace Distributed.Cluster;

/// <summary>Who reduces the gradients.</summary>
public enum Exchange
{
    /// <summary>The workers, each owning a slice.</summary>
    Peers = 0,

    /// <summary>The coordinator, for networks in which workers cannot reach each other.</summary>
    Coordinator,
}
