using Distributed.Data;
using Distributed.Worker.Sessions;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

public sealed class LocalDatasetTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("worker-");

    [Fact]
    public void The_runs_dataset_is_found_by_its_hash()
    {
        var digits = DatasetLoader.Load(new DataOptions());
        Assert.Equal(digits.Sha256, LocalDataset.Find(new DataOptions(), "digits", digits.Sha256)!.Sha256);
        Assert.Null(LocalDataset.Find(new DataOptions(), "digits", new string('0', 64)));
    }

    [Fact]
    public void A_file_of_the_workers_own_counts_whatever_the_run_calls_it()
    {
        var options = new DataOptions { Data = Csv() };
        var own = DatasetLoader.Load(options);
        Assert.NotNull(LocalDataset.Find(options, "elsewhere.csv", own.Sha256));
        Assert.Null(LocalDataset.Find(options with { Standardize = false }, "elsewhere.csv", own.Sha256));
    }

    [Fact]
    public void A_name_from_the_wire_is_never_a_path()
    {
        var path = Csv();
        var hash = DatasetLoader.Load(new DataOptions { Data = path }).Sha256;
        Assert.Null(LocalDataset.Find(new DataOptions(), path, hash));
    }

    [Fact]
    public void Data_that_is_missing_or_damaged_is_an_ordinary_case()
    {
        Assert.Null(
            LocalDataset.Find(new DataOptions { Data = Path.Combine(_folder.FullName, "missing.csv") }, "missing.csv", new string('0', 64))
        );
        var damaged = Path.Combine(_folder.FullName, "damaged.csv");
        File.WriteAllText(damaged, "1,2,a\n3\n");
        Assert.Null(LocalDataset.Find(new DataOptions { Data = damaged }, "damaged.csv", new string('0', 64)));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Csv()
    {
        var path = Path.Combine(_folder.FullName, "own.csv");
        File.WriteAllText(path, string.Concat(Enumerable.Range(0, 10).Select(row => $"{row}.5,{row % 3},{row % 2}\n")));
        return path;
    }
}
