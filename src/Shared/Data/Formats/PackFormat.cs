using Distributed.Data.Packs;

namespace Distributed.Data.Formats;

/// <summary>A folder that <c>data pack</c> has written.</summary>
internal sealed class PackFormat : DataFormat
{
    /// <inheritdoc />
    public override string Summary => "a packed folder";

    /// <inheritdoc />
    public override bool Recognizes(DataFile file) => file.Name == PackManifest.FileName;

    /// <inheritdoc />
    public override IReadOnlyList<string> FindTrain(string folder)
    {
        var path = Path.Combine(folder, PackManifest.FileName);
        if (File.Exists(path))
            return [path];
        return PackFiles.AreBegun(folder)
            ? throw FileErrors.In(folder, $"there is no {PackManifest.FileName}: it was not packed to the end; pack the data again")
            : [];
    }

    /// <inheritdoc />
    public override bool IsDecided => true;

    /// <inheritdoc />
    public override bool IsTable(DataFiles files) => PackManifest.Read(FolderOf(files)).IsTable;

    /// <inheritdoc />
    public override Dataset? Complete(DataFiles files) => DatasetPack.Open(FolderOf(files));

    /// <inheritdoc />
    public override Dataset Read(string name, DataFiles train, DataFiles? test, DataOptions options)
    {
        var (folder, asked) = (FolderOf(train), options.Task);
        var dataset = DatasetPack.Open(folder);
        return asked is null || asked == dataset.Task
            ? dataset
            : throw FileErrors.In(
                folder,
                $"--task {asked.ToString()!.ToLowerInvariant()}: it was packed for {dataset.Task.ToString().ToLowerInvariant()}; leave it out, or pack the data again with it"
            );
    }

    /// <inheritdoc />
    public override RawSamples ReadInputs(DataFiles files, ModelInputs inputs, DataOptions options) =>
        new DatasetSamples(DatasetPack.Open(FolderOf(files)), inputs);

    /// <inheritdoc />
    public override SampleSet ReadLabelled(DataFiles files, ModelInputs inputs, IReadOnlyList<string> classNames, DataOptions options) =>
        LabelledData.Of(DatasetPack.Open(FolderOf(files)), inputs, classNames).Test;

    private static string FolderOf(DataFiles files) => Path.GetDirectoryName(Path.GetFullPath(files.Files[0]))!;
}
