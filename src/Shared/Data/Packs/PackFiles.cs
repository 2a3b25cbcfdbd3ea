using System.Globalization;

namespace Distributed.Data.Packs;

/// <summary>The files that hold one set of a packed dataset.</summary>
/// <param name="Features">The stored samples, one after the other.</param>
/// <param name="Targets">Their targets, 32-bit words.</param>
/// <param name="Pages">The hash of each page of the features, 64 bits each.</param>
internal sealed record PackFiles(string Features, string Targets, string Pages)
{
    private const string LockName = "packing.lock";
    private const string ScratchPrefix = "packing-";
    private const string ScratchSuffix = ".scratch";

    /// <summary>The training set.</summary>
    public const string Train = "train";

    /// <summary>The test set.</summary>
    public const string Test = "test";

    /// <summary>What is held out.</summary>
    public const string Holdout = "holdout";

    /// <summary>What the files of a part are called.</summary>
    public static string NameOf(DataPart part) =>
        part switch
        {
            DataPart.Train => Train,
            DataPart.Test => Test,
            _ => Holdout,
        };

    /// <summary>A file that exists only while the folder is packed.</summary>
    /// <param name="number">Which one.</param>
    public static string ScratchName(int number) => string.Create(CultureInfo.InvariantCulture, $"{ScratchPrefix}{number}{ScratchSuffix}");

    /// <summary>The files of a set.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="set">Which set.</param>
    public static PackFiles Of(string folder, string set)
    {
        var path = Path.Combine(folder, set);
        return new PackFiles(path + ".features", path + ".targets", path + ".pages");
    }

    /// <summary>Whether a folder has been packed into, perhaps not to the end.</summary>
    public static bool AreBegun(string folder) => File.Exists(Path.Combine(folder, LockName)) || File.Exists(Of(folder, Train).Pages);

    /// <summary>Whether a folder has nothing but what an attempt to pack that did not come to its end may have left.</summary>
    public static bool AreUnfinished(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).All(entry => File.Exists(entry) && IsOwn(Path.GetFileName(entry)));

    /// <summary>Deletes what an attempt to pack has left.</summary>
    public static void Delete(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            if (Path.GetFileName(file) is var name && name != LockName && IsOwn(name))
                File.Delete(file);
        }
    }

    /// <summary>Keeps others from packing into the folder.</summary>
    /// <exception cref="IOException">Somebody does.</exception>
    public static FileStream Lock(string folder) =>
        new(Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);

    private static bool IsOwn(string name) =>
        name is LockName or PackManifest.TemporaryName
        || (name.StartsWith(ScratchPrefix, StringComparison.Ordinal) && name.EndsWith(ScratchSuffix, StringComparison.Ordinal))
        || (
            Path.GetFileNameWithoutExtension(name) is Train or Test or Holdout
            && Path.GetExtension(name) is ".features" or ".targets" or ".pages"
        );
}
