using Distributed.Checkpoints;
using Xunit;

namespace Distributed.Shared.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private static readonly string[] Moments = ["exp_avg", "exp_avg_sq"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ACheckpointComesBackAsItWas()
    {
        var store = Store();
        Save(store, 7);
        var loaded = store.LoadLatest(Moments, NothingSkipped)!;
        Assert.Equal(7, loaded.Step);
        Assert.Equal(SmallLayout.Values(7), loaded.Weights.ToArray());
        Assert.Equal(Moments, loaded.Moments.Select(moment => moment.Name));
        Assert.Equal(SmallLayout.Values(107), loaded.Moments[0].Values.ToArray());
        Assert.Equal(SmallLayout.Values(207), loaded.Moments[1].Values.ToArray());
    }

    [Fact]
    public void ParametersAndOptimizerStateStandUnderTheirNames()
    {
        var store = Store();
        Save(store, 1);
        using var file = SafeTensorsFile.Open(store.PathOf(1));
        Assert.Equal(
            [
                "layers.0.bias",
                "layers.0.weight",
                "optimizer.exp_avg.layers.0.bias",
                "optimizer.exp_avg.layers.0.weight",
                "optimizer.exp_avg_sq.layers.0.bias",
                "optimizer.exp_avg_sq.layers.0.weight",
            ],
            file.Tensors.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal("1", file.Metadata["step"]);
    }

    [Fact]
    public void AnEmptyFolderHasNoCheckpoint() => Assert.Null(Store().LoadLatest(Moments, NothingSkipped));

    [Fact]
    public void OnlyTheNewestAreKept()
    {
        var store = Store();
        foreach (var step in new long[] { 2, 9, 10, 100 })
            Save(store, step);
        Assert.Equal([9, 10, 100], store.Steps);
    }

    [Fact]
    public void TheBestIsKeptBesideTheNewest()
    {
        var store = Store(keep: 2);
        foreach (var step in new long[] { 1, 2, 3, 4, 5 })
            Save(store, step, best: 2);
        Assert.Equal([2, 4, 5], store.Steps);
        Save(store, 6, best: 5);
        Assert.Equal([5, 6], store.Steps);
    }

    [Fact]
    public void NothingIsDeletedWhereNothingWasWritten()
    {
        foreach (var step in new long[] { 1, 2, 3 })
            Save(Store(), step);
        Store(keep: 1).Prune();
        Assert.Equal([1, 2, 3], Store().Steps);
    }

    // The disk is full: what has been written so far of the file takes up room, too.
    [Fact]
    public void AWriteThatFailsHarmsNothingAndTheNextOneIsWritten()
    {
        var isFull = false;
        var store = new CheckpointStore(_folder.Path, new CheckpointFormat(SmallLayout.Layout, "config"), keep: 1, write: (path, content) =>
            AtomicFile.Write(path, stream =>
            {
                content(stream);
                if (isFull)
                    throw new IOException("No space left on device");
            })
        );
        Save(store, 1);
        var intact = File.ReadAllBytes(store.PathOf(1));
        isFull = true;
        Assert.Throws<IOException>(() => Save(store, 2));
        store.Prune();
        Assert.Equal([store.PathOf(1)], Directory.GetFiles(_folder.Path));
        Assert.Equal(intact, File.ReadAllBytes(store.PathOf(1)));
        isFull = false;
        Save(store, 3);
        Assert.Equal([store.PathOf(3)], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void EveryFlippedBitIsNoticedAndTheCheckpointBeforeIsUsed()
    {
        var format = new CheckpointFormat(Distributed.Model.ParameterLayout.Of([("w", [2])]), "config"); // a small header: all bits of it
        var store = new CheckpointStore(_folder.Path, format);
        float[] values = [1, 2];
        store.Save(1, values, [("m", values)]);
        store.Save(2, values, [("m", values)]);
        var intact = File.ReadAllBytes(store.PathOf(2));
        foreach (var bit in Enumerable.Range(0, 8 * intact.Length))
        {
            byte[] damaged = [.. intact];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(store.PathOf(2), damaged);
            Assert.Throws<DamagedCheckpointException>(() => format.Read(store.PathOf(2), 2, ["m"]));
        }

        var skipped = new List<string>();
        Assert.Equal(1, store.LoadLatest(["m"], skipped.Add)!.Step);
        Assert.Contains(store.PathOf(2), Assert.Single(skipped), StringComparison.Ordinal);
    }

    [Fact]
    public void ADamagedTensorIsNamed()
    {
        var store = Store();
        Save(store, 1);
        Save(store, 2);
        var damaged = File.ReadAllBytes(store.PathOf(2));
        damaged[^1] ^= 1;
        File.WriteAllBytes(store.PathOf(2), damaged);
        Assert.Contains("'optimizer.exp_avg_sq.layers.0.bias'", AssertFallsBack(store), StringComparison.Ordinal);
    }

    // They have one checksum of all data.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ACheckpointOfAnEarlierVersionIsRead(bool hasTensorHashes)
    {
        var store = Store();
        Save(store, 1);
        WriteAsBefore(store.PathOf(2), 2, hasTensorHashes);
        Assert.Equal(SmallLayout.Values(2), store.LoadLatest([], NothingSkipped)!.Weights.ToArray());
        var damaged = File.ReadAllBytes(store.PathOf(2));
        damaged[^1] ^= 1;
        File.WriteAllBytes(store.PathOf(2), damaged);
        AssertFallsBack(store);
    }

    // A machine that crashes has written any number of the file's pages, under the temporary name, or, on a file system that renames
    // before it writes, under the final one.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhereverACrashCutsTheLastWriteTheNewestWholeCheckpointIsUsed(bool isRenamed)
    {
        const int page = 4096;
        var layout = Distributed.Model.ParameterLayout.Of([("layers.0.weight", [100, 90]), ("layers.0.bias", [100])]);
        var store = new CheckpointStore(_folder.Path, new CheckpointFormat(layout, "config"));
        foreach (var step in new[] { 1, 2 })
            store.Save(step, Filled(step), [("momentum_buffer", Filled(-step))]);
        var whole = File.ReadAllBytes(store.PathOf(2));
        var last = isRenamed ? store.PathOf(2) : store.PathOf(2) + AtomicFile.TemporarySuffix;
        File.Delete(store.PathOf(2));
        for (var length = 0; length < whole.Length; length += page)
        {
            File.WriteAllBytes(last, whole[..length]);
            AssertGoesOn(1);
            byte[] unwritten = [.. whole[..length], .. new byte[whole.Length - length]]; // the length is known, the pages are not
            File.WriteAllBytes(last, unwritten);
            AssertGoesOn(1);
        }

        File.WriteAllBytes(last, whole); // flushed: the rename decides
        AssertGoesOn(isRenamed ? 2 : 1);

        float[] Filled(float value) => [.. Enumerable.Repeat(value, layout.Length)];

        void AssertGoesOn(int step)
        {
            var skipped = new List<string>();
            var resumed = new CheckpointStore(_folder.Path, new CheckpointFormat(layout, "config"));
            var start = resumed.LoadLatest(["momentum_buffer"], skipped.Add)!;
            Assert.Equal(step, start.Step);
            Assert.Equal(Filled(step), start.Weights.ToArray());
            Assert.Equal(isRenamed && step == 1 ? 1 : 0, skipped.Count);
        }
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(1, 2)]
    public void TheNewestOfOwnAndEmergencyCheckpointsIsUsed(long emergency, long expected)
    {
        var elsewhere = Directory.CreateDirectory(_folder.File("elsewhere")).FullName;
        var store = StoreWith(elsewhere);
        Save(store, 2);
        EmergencyFile.Write(elsewhere, Format(), State(emergency) with { Records = new byte[] { 1, 2, 3 } });
        var start = store.LoadLatest(Moments, NothingSkipped)!;
        Assert.Equal(expected, start.Step);
        Assert.Equal(expected == emergency ? [1, 2, 3] : [], start.Records.ToArray());
    }

    [Theory]
    [InlineData(0u, 1u, 2)]
    [InlineData(1u, 1u, 3)]
    [InlineData(2u, 1u, 3)]
    public void AnEmergencyCheckpointCountsIfTheRunHasNotGoneBackSince(uint left, uint lineage, long expected)
    {
        var store = StoreWith(_folder.Path);
        Save(store, 2);
        var path = EmergencyFile.Write(_folder.Path, Format(), State(3) with { Lineage = left });
        var skipped = new List<string>();
        Assert.Equal(expected, store.LoadLatest(Moments, skipped.Add, lineage)!.Step);
        Assert.All(skipped, line => Assert.StartsWith($"skipped {path}, ", line, StringComparison.Ordinal));
        Assert.Equal(expected == 2 ? 1 : 0, skipped.Count);
    }

    [Fact]
    public void ADamagedEmergencyCheckpointIsSkippedAndStays()
    {
        var store = StoreWith(_folder.Path);
        Save(store, 2);
        var path = EmergencyFile.Write(_folder.Path, Format(), State(3));
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        var skipped = new List<string>();
        Assert.Equal(2, store.LoadLatest(Moments, skipped.Add)!.Step);
        Assert.Contains(path, Assert.Single(skipped), StringComparison.Ordinal);
        Save(store, 4);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void AnEmergencyCheckpointOfAnotherConfigurationIsRefusedByName()
    {
        var store = StoreWith(_folder.Path);
        Save(store, 2);
        var path = EmergencyFile.Write(_folder.Path, new CheckpointFormat(SmallLayout.Layout, "other"), State(3));
        var refusal = Assert.Throws<InputException>(() => store.LoadLatest(Moments, NothingSkipped));
        Assert.Contains($"{path}: its configuration hash is other, this run's is config", refusal.Message, StringComparison.Ordinal);
        Save(store, 4);
        Assert.Equal(4, store.LoadLatest(Moments, NothingSkipped)!.Step); // it is the user's matter from here on
    }

    [Fact]
    public void AnotherRunsEmergencyCheckpointIsNotOverwritten()
    {
        var path = EmergencyFile.Write(_folder.Path, Format(), State(3));
        var before = File.ReadAllBytes(path);
        Assert.Throws<InputException>(() => EmergencyFile.Write(_folder.Path, new CheckpointFormat(SmallLayout.Layout, "other"), State(3)));
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void ATruncatedCheckpointIsSkippedAtAnyLength()
    {
        var store = Store();
        Save(store, 1);
        Save(store, 2);
        var intact = File.ReadAllBytes(store.PathOf(2));
        for (var length = 0; length < intact.Length; length++)
        {
            File.WriteAllBytes(store.PathOf(2), intact[..length]);
            AssertFallsBack(store);
        }
    }

    [Fact]
    public void ACheckpointUnderAnotherStepIsDamaged()
    {
        var store = Store();
        Save(store, 1);
        File.Copy(store.PathOf(1), store.PathOf(2));
        AssertFallsBack(store);
    }

    [Fact]
    public void WhatACrashLeftHalfWrittenIsIgnoredAndCleanedUp()
    {
        var store = Store();
        Save(store, 1);
        var leftover = store.PathOf(2) + AtomicFile.TemporarySuffix;
        File.WriteAllBytes(leftover, [1, 2, 3]);
        Assert.Equal(1, store.LoadLatest(Moments, NothingSkipped)!.Step);
        Save(store, 3);
        Assert.False(File.Exists(leftover));
    }

    [Fact]
    public void ADamagedLaterCheckpointDoesNotPushOutAGoodOne()
    {
        var store = Store(keep: 1);
        Save(store, 10);
        File.WriteAllBytes(store.PathOf(10), []);
        store = Store(keep: 1); // of the process that goes on with the run
        Save(store, 9);
        Assert.Equal([9], store.Steps);
        Assert.Equal(9, store.LoadLatest(Moments, NothingSkipped)!.Step);
    }

    // Snapshots are sent beside the training, and one may overtake another.
    [Fact]
    public void AnEarlierCheckpointThatComesLateDoesNotPushOutTheNewest()
    {
        var store = Store(keep: 2);
        foreach (var step in new[] { 10, 30, 20 })
            Save(store, step);
        Assert.Equal([20, 30], store.Steps);
        Assert.Equal(30, store.LoadLatest(Moments, NothingSkipped)!.Step);
    }

    // As on a network's file system that is away for a while.
    [Fact]
    public void ACheckpointThatCannotBeReadIsSaidAndStays()
    {
        Save(Store(), 1);
        var store = Store(keep: 1);
        File.CreateSymbolicLink(store.PathOf(2), store.PathOf(2)); // reading fails with ELOOP, also for root
        AssertFallsBack(store);
        Save(store, 3);
        Assert.Equal([2, 3], store.Steps);
    }

    [Fact]
    public void ACheckpointOfAnotherConfigurationIsRefusedAndNotSkipped()
    {
        Save(Store(), 1);
        var other = new CheckpointStore(_folder.Path, new CheckpointFormat(SmallLayout.Layout, "other"));
        var refusal = Assert.Throws<InputException>(() => other.LoadLatest(Moments, NothingSkipped));
        Assert.Contains("configuration hash is config, this run's is other", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FilesThatAreNoCheckpointsAreLeftAlone()
    {
        var stranger = _folder.File("step-x.safetensors");
        File.WriteAllText(stranger, "mine");
        var store = Store(keep: 1);
        Save(store, 1);
        Save(store, 2);
        Assert.Equal([2], store.Steps);
        Assert.True(File.Exists(stranger));
    }

    private static void NothingSkipped(string message) => Assert.Fail(message);

    private static string AssertFallsBack(CheckpointStore store)
    {
        var skipped = new List<string>();
        Assert.Equal(1, store.LoadLatest(Moments, skipped.Add)!.Step);
        var line = Assert.Single(skipped);
        Assert.Contains(store.PathOf(2), line, StringComparison.Ordinal);
        return line;
    }

    private static void Save(CheckpointStore store, long step, long? best = null)
    {
        var state = State(step);
        store.Save(state.Step, state.Weights, state.Moments);
        store.Prune(best);
    }

    private static Checkpoint State(long step) =>
        new(step, SmallLayout.Values(step), [("exp_avg", SmallLayout.Values(100 + step)), ("exp_avg_sq", SmallLayout.Values(200 + step))]);

    private static void WriteAsBefore(string path, long step, bool hasTensorHashes)
    {
        var values = SmallLayout.Values(step);
        var tensors = SmallLayout.Layout.Tensors(values).ToList();
        var metadata = new Dictionary<string, string>
        {
            ["step"] = $"{step}",
            ["numericsVersion"] = $"{NumericsVersion.Current}",
            ["configurationHash"] = "config",
        };
        if (hasTensorHashes)
        {
            metadata.Add(HeaderSeal.Key, HeaderSeal.Blank);
            foreach (var tensor in tensors)
                metadata.Add($"sha256:{tensor.Name}", WeightsHash.Compute(tensor.Values.Span));
        }
        else
        {
            metadata.Add("dataSha256", WeightsHash.Compute(values));
        }

        using var stream = File.Create(path);
        SafeTensorsWriter.Write(stream, tensors, metadata);
    }

    private static CheckpointFormat Format() => new(SmallLayout.Layout, "config");

    private CheckpointStore StoreWith(string emergencyFolder) => new(_folder.Path, Format(), emergencyFolders: [emergencyFolder]);

    private CheckpointStore Store(int keep = CheckpointStore.DefaultKeep) => new(_folder.Path, Format(), keep);
}
