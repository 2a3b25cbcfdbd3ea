using Distributed.Data;

namespace Distributed.Worker.Sessions;

/// <summary>
/// Whether this worker holds the run's data: what its own options name, or a named dataset. Paths never come from the wire.
/// </summary>
internal static class LocalDataset
{
    /// <summary>The dataset of a hash, or null if this worker does not have it.</summary>
    /// <param name="options">The worker's own data options.</param>
    /// <param name="name">The run's dataset by name.</param>
    /// <param name="sha256">The hash that counts.</param>
    public static Dataset? Find(DataOptions options, string name, string sha256)
    {
        InputFile.RefusePipes();
        var isNamed = DatasetLoader.List(options).Any(known => known.Name == name);
        return TryLoad(isNamed && options.Data == new DataOptions().Data ? options with { Data = name } : options, sha256);
    }

    private static Dataset? TryLoad(DataOptions options, string sha256)
    {
        try
        {
            var dataset = DatasetLoader.Load(options);
            return dataset.Sha256 == sha256 ? dataset : null;
        }
        catch (InputException)
        {
            // A worker without the data is an ordinary case: it gets samples.
            return null;
        }
    }
}
