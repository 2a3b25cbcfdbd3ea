namespace Distributed.Data;

/// <summary>Finds out what kind of data a path holds, and reads it.</summary>
internal static class DataPath
{
    private const int SniffedBytes = 1024;

    /// <summary>Reads the dataset that the options name by path.</summary>
    /// <exception cref="InputException">There is no such path, or the data is bad.</exception>
    public static Dataset Load(DataOptions options)
    {
        var path = Resolve(options.Data, options.DataDir);
        var testPath = options.Test is null ? null : Resolve(options.Test, options.DataDir);
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        if (IsCsv(path))
            return CsvDataset.Read(name, path, RequireCsv(testPath, path), options);

        RequireNoCsvOptions(options, path);
        var train = ReadTrain(path);
        return ByteDataset.Create(name, path, train, testPath is null ? FindTest(path) : ReadTest(testPath), ByteDataset.ImageDivisor);
    }

    /// <summary>Refuses options that only CSV has.</summary>
    public static void RequireNoCsvOptions(DataOptions options, string name)
    {
        var option =
            options.LabelColumn is not null ? $"--label-column {options.LabelColumn}"
            : options.Header is not null ? "--header"
            : null;
        if (option is not null)
            throw new InputException($"{option} does not go with {name}, which is not CSV; leave it out");
    }

    private static string Resolve(string path, string? dataDir)
    {
        string[] candidates = dataDir is null ? [path] : [path, Path.Combine(dataDir, path)];
        var places = string.Join(" nor ", candidates);
        return candidates.FirstOrDefault(Path.Exists)
            ?? throw new InputException(
                $"there is no dataset '{path}': neither a name ({Digits.Name}, {FashionMnist.Name}) nor {places} on this machine"
            );
    }

    private static ByteSamples ReadTrain(string path)
    {
        if (!Directory.Exists(path))
            return ReadFile(path);
        if (IdxPair.FindImages(path, "train") is string images)
            return IdxPair.Read(images);
        if (CifarFile.FindTrain(path) is { Count: > 0 } batches)
            return CifarFile.Read(batches);
        throw FileErrors.In(
            path,
            "the folder holds neither train-images-idx3-ubyte nor data_batch_1.bin nor train.bin; for CSV, name the file"
        );
    }

    private static ByteSamples ReadTest(string path)
    {
        if (IsCsv(path))
            throw FileErrors.In(path, "a CSV file cannot test a model trained on images; --test needs the format of --data");
        return Directory.Exists(path) ? FindTest(path) ?? ReadTrain(path) : ReadFile(path);
    }

    private static ByteSamples? FindTest(string path)
    {
        if (!Directory.Exists(path))
            return null;
        if (IdxPair.FindImages(path, "t10k") is string images)
            return IdxPair.Read(images);
        return CifarFile.FindTest(path) is { Count: > 0 } found ? CifarFile.Read(found) : null;
    }

    private static ByteSamples ReadFile(string path) =>
        CifarFile.IsName(Path.GetFileName(path)) ? CifarFile.Read([path]) : IdxPair.Read(path);

    private static string? RequireCsv(string? testPath, string path) =>
        testPath is null || IsCsv(testPath)
            ? testPath
            : throw FileErrors.In(testPath, $"not a CSV file, but {path} is one; --test needs the format of --data");

    /// <summary>Whether a file is text: neither named as IDX or CIFAR nor starting as IDX.</summary>
    private static bool IsCsv(string path)
    {
        var name = Path.GetFileName(path);
        if (Directory.Exists(path) || CifarFile.IsName(name) || name.Contains("idx", StringComparison.OrdinalIgnoreCase))
            return false;
        ReadOnlySpan<byte> start = FileContent.ReadStart(path, SniffedBytes);
        if (start is [0, 0, ..])
            return false;
        if (start.Contains((byte)0))
            throw FileErrors.In(path, "the format is not known; an IDX pair, CIFAR binary files or CSV (in UTF-8) can be read");
        return true;
    }
}
