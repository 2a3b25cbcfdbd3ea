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
    /// <param name="load">Reads the dataset, once it is known that the folder can be written.</param>
    /// <param name="isTable">Whether its samples are rows of a table.</param>
    /// <param name="folder">The folder, which must not exist, or be empty but for an earlier attempt.</param>
    /// <exception cref="InputException">The folder holds something else, or cannot be written.</exception>
    public static Dataset Write(Func<Dataset> load, bool isTable, string folder)
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
                WriteAlone(load, isTable, path, isNew);
            DirectoryFlush.Flush(Path.GetDirectoryName(path) ?? path);
            return Open(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.In(folder, $"cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static void WriteAlone(Func<Dataset> load, bool isTable, string folder, bool isNew)
    {
        try
        {
            PackFiles.Delete(folder);
            WriteFiles(load(), isTable, folder);
        }
        catch
        {
            TryDelete(folder, isNew);
            throw;
        }
    }

    private static void WriteFiles(Dataset dataset, bool isTable, string folder)
    {
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
            Train = WriteSet(dataset.Train, folder, PackFiles.Train),
            Test = WriteSet(dataset.Test, folder, PackFiles.Test),
            Holdout = dataset.Holdout is { } holdout ? WriteSet(holdout, folder, PackFiles.Holdout) : null,
        };
        // All bits on disk are read back: a disk that lies is found now, and not after days of training.
        var hash = Of(folder, manifest, sha256: null).Sha256;
        if (hash != dataset.Sha256)
            throw new IOException($"what was written has the hash {hash} instead of {dataset.Sha256}");
        manifest.Write(folder);
        DirectoryFlush.Flush(folder);
    }

    private static PackedSet WriteSet(SampleSet samples, string folder, string name)
    {
        const int blockBytes = 1 << 20;
        using var writer = new PackSetWriter(folder, name);
        var most = Math.Max(1, blockBytes / samples.BytesPerSample);
        var features = new byte[most * samples.BytesPerSample];
        for (var first = 0; first < samples.Count; first += most)
        {
            var count = Math.Min(most, samples.Count - first);
            for (var i = 0; i < count; i++)
                samples.CopyRaw(first + i, features.AsSpan(i * samples.BytesPerSample, samples.BytesPerSample));
            writer.Add(
                features.AsSpan(0, count * samples.BytesPerSample),
                samples.Targets.Slice(first * samples.TargetWidth, count * samples.TargetWidth),
                count
            );
        }

        return writer.Complete();
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
