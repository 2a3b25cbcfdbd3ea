using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Objectives;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class EmbeddingLayerTests : IDisposable
{
    private const string Layers = """{"type":"embedding","dimensions":[3,20]},{"type":"dense","units":9},{"type":"relu"}""";

    private static readonly InputColumns Columns = new(new SampleShape(1, 1, 4), [new("colour", 5), new("size", 300)]);

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData("""{"type":"embedding","dimension":0}""", "'dimension' is 0: use a whole number from 1 to 4096")]
    [InlineData("""{"type":"embedding","dimensions":[]}""", "'dimensions' is []: use a list of whole numbers, one for each column")]
    [InlineData("""{"type":"embedding","dimensions":4}""", "'dimensions' is 4: use a list of whole numbers")]
    [InlineData("""{"type":"embedding","dimensions":[4,1.5]}""", "'dimensions[1]' is 1.5: use a whole number from 1 to 4096")]
    [InlineData("""{"type":"embedding","dimensions":[4097]}""", "'dimensions[0]' is 4097: use a whole number from 1 to 4096")]
    [InlineData("""{"type":"embedding","dimensions":[4],"dimension":4}""", "it has both 'dimension' and 'dimensions': keep one")]
    [InlineData("""{"type":"embedding","units":4}""", "'units' is not a property of embedding: it has type, dimension, dimensions")]
    public void BadPropertiesAreNamed(string layer, string expected) =>
        Assert.Contains("layers[0]: " + expected, Assert.Throws<InputException>(() => Read(layer)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"type":"embedding","dimensions":[4]}""", "'dimensions' has 1 numbers, but the data has 2 columns of categories")]
    [InlineData("""{"type":"embedding"},{"type":"embedding"}""", "it takes the columns of the data as they are")]
    [InlineData("""{"type":"embedding"},{"type":"piecewise","edges":[[0,1]]}""", "layers[1] (piecewise): it takes the columns")]
    [InlineData("""{"type":"dense","units":3},{"type":"embedding"}""", "column 'colour' holds categories")]
    [InlineData("", "column 'colour' holds categories, which it would take for numbers: put an embedding before it")]
    public void AModelThatDoesNotFitTheColumnsIsRefused(string layers, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<InputException>(() => new Network(Read(layers), Columns, 3)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("""{"type":"embedding"}""", "layers[0] (embedding): the data has no columns of categories: leave the layer out")]
    [InlineData("""{"type":"dense","units":3},{"type":"embedding"}""", "put it before all other layers")]
    [InlineData("""{"type":"residual","layers":[{"type":"embedding"}]}""", "put it before all other layers")]
    public void DataWithoutCategoriesHasNothingToEmbed(string layers, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<InputException>(() => new Network(Read(layers), new SampleShape(1, 1, 4), 3)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void NumbersOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("dimension", () => new EmbeddingSpec(0));
        Assert.Throws<ArgumentOutOfRangeException>("dimensions", () => new EmbeddingSpec([3, 4097]));
        Assert.Throws<ArgumentException>("dimensions", () => new EmbeddingSpec([]));
    }

    [Fact]
    public void ATableThatIsTooLargeIsNamed()
    {
        InputColumns columns = new(new SampleShape(1, 1, 1), [new CategoryColumn("user", CategoryColumn.MaximumSize)]);
        var message = Assert
            .Throws<InputException>(() => new Network(Read("""{"type":"embedding","dimension":4096}"""), columns, 3))
            .Message;
        Assert.Contains("layers.0.user.weight of shape [16777216, 4096]", message, StringComparison.Ordinal);
    }

    [Fact]
    public void EachColumnHasATableOfItsOwnName()
    {
        Network network = new(Read("""{"type":"piecewise","edges":[[0,1,2],[0,1]]},""" + Layers), Columns, 3);
        Assert.Equal(
            ["layers.0.colour.weight@0[5,3]", "layers.0.size.weight@15[300,20]", "layers.1.weight@6015[9,26]"],
            network
                .Layout.Parameters.Take(3)
                .Select(parameter => $"{parameter.Name}@{parameter.Offset}[{string.Join(',', parameter.Shape)}]")
        );
        Assert.StartsWith(
            "1x1x4 -> piecewise of 2 columns in 3 -> embedding of 2 columns in 23 -> ",
            network.Describe(),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(7, 5)]
    [InlineData(29, 16)]
    [InlineData(100_000, 16)]
    public void DimensionsFollowFromTheNumberOfCategories(int size, int dimension)
    {
        InputColumns columns = new(new SampleShape(1, 1, 1), [new CategoryColumn("a", size)]);
        Assert.Equal([size, dimension], new Network(Read("""{"type":"embedding"}"""), columns, 3).Layout.Parameters[0].Shape);
    }

    [Fact]
    public void TablesBeginWithTheVarianceOfAStandardisedNumber()
    {
        Network network = new(Read(Layers), Columns, 3);
        var weights = new float[network.Layout.Length];
        network.InitializeWeights(5, weights);
        var table = network.Layout.Parameters[1];
        double[] values = [.. weights.Skip(table.Offset).Take(table.Length).Select(value => (double)value)];
        Assert.Equal(0, values.Average(), 0.05);
        Assert.Equal(1, values.Average(value => value * value), 0.05);
    }

    [Fact]
    public void ThreadsAndBlocksGiveTheSameBits()
    {
        SmallProblem problem = new(Layers, Columns, classes: 3, rows: 1100); // enough to be shared
        using ComputeTeam alone = new(1),
            three = new(3);
        var (sums, gradient) = problem.Run(microbatch: 8, alone);
        foreach (var team in (ComputeTeam[])[_team, three])
        {
            var (others, other) = problem.Run(microbatch: 8, team);
            Assert.Equal(sums, others);
            BitAssert.Equal(gradient, other, $"{team.Threads} threads");
        }

        foreach (var blockMicrobatches in (int[])[1, 2, 16])
        {
            var (others, other) = problem.RunInBlocks(microbatch: 8, blockMicrobatches, _team);
            Assert.Equal(sums, others);
            BitAssert.Equal(gradient, other, $"blocks of {blockMicrobatches} microbatches");
        }
    }

    [Fact]
    public void EvaluationTakesTheSameRowsOfTheTables()
    {
        SmallProblem problem = new(Layers, Columns, classes: 3, rows: 21);
        NetworkExecutor executor = new(problem.Network, problem.Objective, microbatch: 4, maximumRows: 21, _team);
        executor.BindWeights(problem.Weights);
        Assert.Equal(problem.Run(microbatch: 4, _team).Sums, executor.Forward(problem.Inputs, problem.Labels));
    }

    [Fact]
    public void AnIdOutsideOfItsTableIsTheCallersFault()
    {
        SmallProblem problem = new(Layers, Columns, classes: 3, rows: 5);
        problem.Inputs[3] = 300;
        Assert.Contains(
            "sample 0 has 300 as an id in column 1",
            Assert.Throws<ArgumentException>(() => problem.Run(microbatch: 4, _team)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void AWarmedStepAllocatesNothing()
    {
        SmallProblem problem = new("""{"type":"piecewise","edges":[[0,1,2],[0,1]]},""" + Layers, Columns, classes: 3, rows: 1100);
        NetworkExecutor executor = new(problem.Network, new Classification(3), microbatch: 8, maximumRows: 1100, _team);
        var gradient = new float[problem.Weights.Length];
        AllocationAssert.NothingOnceWarm(
            () =>
            {
                executor.BindWeights(problem.Weights);
                executor.ForwardBackward(problem.Inputs, problem.Labels, Pass.OfStep(seed: 3, step: 1, firstSample: 0), gradient);
                executor.Forward(problem.Inputs, problem.Labels);
            },
            _team
        );
    }

    private static ModelSpec Read(string layers) => ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");
}
