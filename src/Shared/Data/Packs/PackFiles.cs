namespace Distributed.Data.Packs;

/// <summary>The files that hold one set of a packed dataset.</summary>
/// <param name="Features">The stored samples, one after the other.</param>
/// <param name="Targets">Their targets, 32-bit words.</param>
/// <param name="Pages">The hash of each page of the features, 64 bits each.</param>
internal sealed record PackFiles(string Features, string Targets, string Pages)
{
    /// <summary>The training set.</summary>
    public const string Train = "train";

    /// <summary>The test set.</summary>
    public const string Test = "test";

    /// <summary>What is held out.</summary>
    public const string Holdout = "holdout";

    /// <summary>The files of a set.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="set">Which set.</param>
    public static PackFiles Of(string folder, string set)
    {
        var path = Path.Combine(folder, set);
        return new PackFiles(path + ".features", path + ".targets", path + ".pages");
    }
}
