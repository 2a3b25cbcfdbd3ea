using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class DatasetHashTests : IDisposable
{
    private const string Rows = "x,y,kind\n1,10,b\n2,20,a\n3,30,b\n4,40,a\n100,1000,c\n";

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_hash_of_a_small_table_never_changes() =>
        Assert.Equal("144311f660e137f567abd20dd56870edd415c7a878270bb650d797b8978e281a", Hash(Rows));

    [Theory]
    [InlineData("x,y,kind\n1,10,b\n2,20,a\n3,30,b\n4,40,a\n100,1001,c\n")]
    [InlineData("x,y,kind\n1,10,b\n2,20,a\n3,30,b\n4,41,a\n100,1000,c\n")]
    [InlineData("x,y,kind\n1,10,b\n2,20,a\n3,30,b\n4,40,b\n100,1000,c\n")]
    [InlineData("x,y,kind\n1,10,b\n2,20,a\n3,30,b\n4,40,a\n100,1000,d\n")]
    [InlineData("x,y,kind\n2,20,a\n1,10,b\n3,30,b\n4,40,a\n100,1000,c\n")]
    public void A_change_of_a_value_a_label_a_class_or_the_order_changes_it(string text) => Assert.NotEqual(Hash(Rows), Hash(text));

    [Fact]
    public void A_change_of_the_preprocessing_changes_it() =>
        Assert.NotEqual(Hash(Rows), Hash(Rows, new DataOptions { Standardize = false }));

    [Fact]
    public void The_names_of_files_and_features_do_not_matter() =>
        Assert.Equal(Hash(Rows), Hash(Rows.Replace("x,y", "u,v", StringComparison.Ordinal), name: "b.csv"));

    private string Hash(string text, DataOptions? options = null, string name = "a.csv") =>
        DatasetLoader.Load((options ?? new DataOptions()) with { Data = _folder.Write(name, text) }).Sha256;
}
