namespace Distributed.Data.Packs;

/// <summary>
/// A dataset in a folder of its own, ready to be trained on where it lies: memory holds what is used, however large it is. It has the hash
/// of what it was packed from, and so trains the same weights.
/// </summary>
internal static class DatasetPack
{
    /// <summary>Opens a pack.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InputException">It is damaged, or of another version.</exception>
    public static Dataset Open(string folder)
    {
        var manifest = PackManifest.Read(folder);
        return Of(folder, manifest, manifest.Sha256);
    }

    /// <summary>
    /// Packs a dataset. The description that makes a folder a pack is written last, once all of it is on disk; what an earlier attempt has left there
    /// is replaced.
    /// </summary>
    /// <param name="load">Loads the dataset into a place, once it is known that the folder can be written.</param>
    /// <param name="isTable">Whether its samples are rows of a table.</param>
    /// <param name="folder">The folder, which must not exist, or be empty but for an earlier attempt.</param>
    /// <param name="blockBytes">Bytes of samples that are encoded at a time; null for the usual number.</param>
    /// <exception cref="InputException">The folder holds something else, or cannot be written.</exception>
    public static Dataset Write(Func<Workspace, Dataset> load, bool isTable, string folder, int? blockBytes = null)
    {
        if (!BitConverter.IsLittleEndian)
            throw new InputException("packs are little-endian, as this machine is not: pack and train on another one");
        var path = Path.GetFullPath(folder);
        var isNew = !Directory.Exists(path);
        if (File.Exists(path) || (!isNew && !PackFiles.AreUnfinished(path)))
            throw FileErrors.In(folder, "exists already; name another folder, or delete it");
        try
        {
            Directory.CreateDirectory(path);
            using (PackFiles.Lock(path))
                WriteAlone(load, isTable, path, isNew, blockBytes);
            DirectoryFlush.Flush(Path.GetDirectoryName(path) ?? path);
            return Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.In(folder, $"cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static void WriteAlone(Func<Workspace, Dataset> load, bool isTable, string folder, bool isNew, int? blockBytes)
    {
        try
        {
            PackFiles.Delete(folder);
            using var workspace = new PackWorkspace(folder, blockBytes);
            WriteManifest(Packed(load(workspace), workspace), workspace, isTable, folder);
        }
        catch
        {
            TryDelete(folder, isNew);
            throw;
        }
    }

    // What was loaded into the workspace has the hash of what was read back: a disk that lies is found now, and not after days of training.
    private static void WriteManifest(Dataset dataset, PackWorkspace workspace, bool isTable, string folder)
    {
        var sets = workspace.Sets;
        PackManifest manifest = new()
        {
            Format = PackManifest.CurrentFormat,
            Name = dataset.Name,
            Sha256 = dataset.Sha256,
            Shape = [dataset.Shape.Channels, dataset.Shape.Height, dataset.Shape.Width],
            IsTable = isTable,
            Classes = dataset.ClassNames,
            Targets = dataset.Targets,
            Columns = dataset.Columns,
            Preprocessing = dataset.Preprocessing.ToJson(),
            TargetWidth = dataset.Train.TargetWidth,
            Train = sets[DataPart.Train],
            Test = sets[DataPart.Test],
            Holdout = sets.GetValueOrDefault(DataPart.Holdout),
        };
        manifest.Write(folder);
    }

    // What was loaded elsewhere is copied: a pack, or what a program has made.
    private static Dataset Packed(Dataset dataset, PackWorkspace workspace)
    {
        if (workspace.Sets.Count > 0)
            return dataset;
        var copy = new Dataset(
            dataset.Name,
            dataset.Location,
            dataset.Shape,
            dataset.ClassNames,
            dataset.Preprocessing,
            workspace.Keep(DataPart.Train, dataset.Train),
            workspace.Keep(DataPart.Test, dataset.Test),
            dataset.Targets,
            dataset.Holdout is { } holdout ? workspace.Keep(DataPart.Holdout, holdout) : null
        )
        {
            Columns = dataset.Columns,
        };
        return copy.Sha256 == dataset.Sha256
            ? copy
            : throw new IOException($"what was written has the hash {copy.Sha256} instead of {dataset.Sha256}");
    }

    private static Dataset Of(string folder, PackManifest manifest, string? sha256)
    {
        var preprocessing = Preprocessing.FromJson(manifest.Preprocessing, Path.Combine(folder, PackManifest.FileName));
        var decoder = new SampleDecoder(preprocessing, manifest.SampleShape);
        return new Dataset(
            manifest.Name,
            folder,
            manifest.SampleShape,
            manifest.Classes,
            preprocessing,
            Set(PackFiles.Train, manifest.Train),
            Set(PackFiles.Test, manifest.Test),
            manifest.Targets,
            manifest.Holdout is { } holdout ? Set(PackFiles.Holdout, holdout) : null,
            sha256
        )
        {
            Columns = manifest.Columns,
        };

        SampleSet Set(string name, PackedSet set) =>
            new(decoder, PackedSamples.Open(folder, name, set, decoder.BytesPerSample, manifest.TargetWidth), manifest.TargetWidth);
    }

    // What cannot be written may not be deleted either; the first of the two says why.
    private static void TryDelete(string folder, bool isNew)
    {
        try
        {
            PackFiles.Delete(folder);
            if (isNew)
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next attempt deletes it.
        }
    }
}
