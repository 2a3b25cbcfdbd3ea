using Distributed.Data;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>Data that does not fit in memory is packed.</summary>
public sealed class PackTests
{
    // A heap of 48 MiB. The text takes 60 MB, its columns 100.
    private const string Limit = "DOTNET_GCHeapHardLimit=3000000";

    [Theory]
    [InlineData("big.csv")]
    [InlineData("big.csv.gz")]
    public async Task A_table_of_more_rows_than_memory_is_packed_as_it_is_loaded(string name)
    {
        using var folder = new TempFolder();
        WriteTable(folder["big.csv"]);

        await using var shell = RunningProcess.Shell(
            folder.Path,
            $"gzip -1 -k big.csv; {Limit} $coordinator data inspect --data {name}; echo $?; {Limit} $coordinator data pack {name} packed --holdout 0.1"
        );
        var exit = await shell.ExitAsync();

        Assert.True(exit.Code == 0, exit.ErrorText);
        Assert.Contains("does not fit in memory", Assert.Single(exit.Errors), StringComparison.Ordinal); // so that the limit is one
        var loaded = Dataset.Open(new DataOptions { Data = folder[name], Holdout = "0.1" });
        Assert.Equal(loaded.Sha256, DatasetHash.Compute(Dataset.Open(folder["packed"])));
    }

    private static void WriteTable(string path)
    {
        const int blocks = 100;
        var block = string.Concat(
            Enumerable
                .Range(0, 20_000)
                .Select(row => $"{row % 7919}.{row % 10},word {row % 503},{row % 97},{row % 31}.5,{row % 89}.25,{row % 2}\n")
        );
        using var file = new StreamWriter(path);
        file.Write("a,b,c,d,e,y\n");
        for (var i = 0; i < blocks; i++)
            file.Write(block);
    }
}
