using System.Globalization;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class ArrayDatasetTests : IDisposable
{
    private static readonly float[][] Features = [.. Enumerable.Range(0, 12).Select(i => new[] { i * 0.25f, (i * i) - 3f })];
    private static readonly string[] Labels = [.. Enumerable.Range(0, 12).Select(i => "cab"[i % 3].ToString())];

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ArraysAreTheDatasetOfACsvFileOfTheSameRows(bool standardize)
    {
        var file = Dataset.Open(new DataOptions { Data = _folder.Write("rows.csv", Csv(Features, Labels)), Standardize = standardize });
        var arrays = Dataset.FromArrays(Features, Labels, new ArrayOptions { Standardize = standardize });
        Assert.Equal(file.Sha256, arrays.Sha256);
        Assert.Equal(["a", "b", "c"], arrays.ClassNames);
    }

    [Fact]
    public void ATestSetCanBeGiven()
    {
        var options = new DataOptions
        {
            Data = _folder.Write("train.csv", Csv(Features[..8], Labels[..8])),
            Test = _folder.Write("test.csv", Csv(Features[8..], Labels[8..])),
        };
        var arrays = Dataset.FromArrays(
            Features[..8],
            Labels[..8],
            new ArrayOptions { TestFeatures = Features[8..], TestLabels = Labels[8..] }
        );
        Assert.Equal(Dataset.Open(options).Sha256, arrays.Sha256);
    }

    [Fact]
    public void NumbersFromZeroAreClassesToo()
    {
        var dataset = Dataset.FromArrays(Features, [.. Enumerable.Range(0, 12).Select(i => i % 2 * 2)]);
        Assert.Equal(["0", "1", "2"], dataset.ClassNames);
        Assert.Equal([0, 2, 0, 2, 2], dataset.Train.Targets[..5].ToArray());
    }

    [Fact]
    public void ASampleCanHaveAShape()
    {
        var shape = new SampleShape(1, 2, 1);
        Assert.Equal(shape, Dataset.FromArrays(Features, Labels, new ArrayOptions { Shape = shape }).Shape);
    }

    [Fact]
    public void ArraysThatDoNotGoTogetherAreTheCallersMistake()
    {
        Refused("12 samples, but 11 labels", () => Dataset.FromArrays(Features, Labels[..11]));
        Refused("a dataset needs samples", () => Dataset.FromArrays(
                [
                    [],
                    [],
                ],
                ["a", "b"]
            ));
        Refused("sample 1 has 1 values, but the first has 2", () => Dataset.FromArrays(
                [
                    [1, 2],
                    [1],
                ],
                ["a", "b"]
            ));
        Refused("sample 0: value 1 is NaN", () => Dataset.FromArrays(
                [
                    [1, float.NaN],
                    [1, 2],
                ],
                ["a", "b"]
            ));
        Refused("4 samples are too few", () => Dataset.FromArrays(Features[..4], Labels[..4]));
        Refused("at least 2 different labels", () => Dataset.FromArrays(Features, Enumerable.Repeat("a", 12).ToList()));
        Refused("the label '-1' is not among", () => Dataset.FromArrays(Features, [-1, .. Enumerable.Range(0, 11)]));
        Refused("the label 'x' is not among the 3 classes", () =>
            Dataset.FromArrays(Features, Labels, Test(2) with { TestLabels = ["x"] })
        );
        Refused("samples of 2 values are not 1x1x3", () => Dataset.FromArrays(Features, Labels, new() { Shape = new(1, 1, 3) }));
    }

    private static ArrayOptions Test(int values) => new() { TestFeatures = [new float[values]], TestLabels = ["a"] };

    private static void Refused(string reason, Func<Dataset> make) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(make).Message, StringComparison.Ordinal);

    private static string Csv(IEnumerable<float[]> features, IEnumerable<string> labels) =>
        string.Concat(
            features.Zip(labels, (values, label) => string.Create(CultureInfo.InvariantCulture, $"{values[0]},{values[1]},{label}\n"))
        );
}
