using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Random;
using Distributed.Training;

namespace Distributed.Shared.Tests.Training;

/// <summary>One small model with the hash of its weights after a few steps, on digits unless it is told otherwise.</summary>
/// <param name="Layers">The model file's layers, without the last one to the classes.</param>
/// <param name="Optimizer">The rule.</param>
/// <param name="Hash">The first sixteen digits of the weights' SHA-256.</param>
internal sealed record GoldenModel(string Layers, OptimizerOptions Optimizer, string Hash)
{
    private const int Steps = 4;

    private static readonly Dataset Digits = DatasetLoader.Load(new DataOptions());

    /// <summary>The last columns of the data.</summary>
    public IReadOnlyList<CategoryColumn> Categories { get; init; } = [];

    /// <summary>The part of each target that is spread over all classes.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>What it is trained on.</summary>
    public Dataset Data { get; init; } = Digits;

    /// <summary>What is minimised where numbers are predicted.</summary>
    public RegressionLoss? Loss { get; init; }

    /// <summary>What the samples of each class count for.</summary>
    public ClassWeights? ClassWeights { get; init; }

    /// <summary>Trains the model and returns as many digits of its hash as are kept.</summary>
    public string Train(int threads)
    {
        InputColumns columns = new(Data.Shape, Categories);
        var model = ModelSpec
            .FromJson($$"""{"layers":[{{Layers}}]}""", "the golden model")
            .Fitted(columns, new TrainingColumns(Data.Train));
        var options = new TrainingOptions
        {
            BatchSize = 48,
            Microbatch = 7,
            Steps = Steps,
            Optimizer = Optimizer,
            LabelSmoothing = LabelSmoothing,
            Loss = Loss,
            ClassWeights = ClassWeights,
        };
        var network = new Network(model, columns, Data.OutputWidth);
        var configuration = RunConfiguration.Resolve(options, Data, model.ToJson(), initWeightsSha256: null);
        using var trainer = new LocalTrainer(
            TrainingSettings.Of(configuration, network, configuration.CreateObjective(Data)),
            Data,
            configuration.Batches(Data.Train.Count),
            threads
        );
        trainer.State.Restore(InitialState.Of(configuration, network, weights: null));
        while (trainer.State.Step < Steps)
            trainer.Step();
        return WeightsHash.Compute(trainer.State.Weights.Span)[..Hash.Length];
    }
}

/// <summary>The models by name: one for each kind of layer and for each rule of the optimizers.</summary>
internal static class GoldenModels
{
    private const string Hidden = """{"type":"dense","units":19},{"type":"relu"}""";
    private const string Image = """{"type":"conv2d","filters":5,"kernel":3,"padding":"same"},{"type":"relu"}""";
    private const string Square = """{"type":"conv2d","filters":5,"kernel":[3,1],"padding":[1,0],"bias":false}""";
    private const string Strided = """{"type":"conv2d","filters":18,"kernel":3,"stride":2,"padding":1},{"type":"tanh"}""";
    private const string Projection = """{"type":"conv2d","filters":18,"kernel":1,"stride":2}""";

    private const string Convolution = """{"type":"conv2d","filters":19,"kernel":3,"padding":1,"bias":false}""";

    private const string Residual = """
        {"type":"residual","layers":[{"type":"dense","units":19},{"type":"relu"},{"type":"residual","layers":[{"type":"tanh"},{"type":"dense","units":19}]}],
        "shortcut":[{"type":"dense","units":19}]}
        """;

    private const string Convolutions = """
        {"type":"conv2d","filters":5,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"maxpool","kernel":2},
        {"type":"conv2d","filters":18,"kernel":[2,3],"padding":1,"bias":false},{"type":"tanh"},{"type":"maxpool","kernel":3,"stride":2,"padding":1}
        """;

    private const string ResidualImages = """
        {"type":"conv2d","filters":6,"kernel":3,"padding":1,"bias":false},{"type":"batchnorm"},{"type":"relu"},
        {"type":"residual","layers":[{"type":"conv2d","filters":17,"kernel":3,"stride":2,"padding":1,"bias":false},{"type":"batchnorm"}],
        "shortcut":[{"type":"conv2d","filters":17,"kernel":1,"stride":2,"bias":false},{"type":"batchnorm"}]},
        {"type":"relu"},{"type":"globalavgpool"}
        """;

    private const string LayerNorm = """
        {"type":"conv2d","filters":6,"kernel":3,"stride":2},{"type":"avgpool","kernel":2,"stride":1,"padding":1},{"type":"layernorm"},
        {"type":"dense","units":19},{"type":"layernorm"},{"type":"gelu"}
        """;

    private static readonly OptimizerOptions Momentum = new SgdOptions();

    private static readonly IReadOnlyList<CategoryColumn> Categories = [new("a", 5), new("b", 300)];

    /// <summary>Three numbers, of which one is mostly 0 and one always 2, and two ids, of which the class is a function.</summary>
    private static readonly Dataset Table = CreateTable();

    public static IReadOnlyDictionary<string, GoldenModel> All { get; } =
        new Dictionary<string, GoldenModel>
        {
            ["dense relu"] = new(
                """{"type":"dense","units":37},{"type":"relu"},{"type":"dense","units":18},{"type":"relu"}""",
                Momentum,
                "d59516c6172f49cb"
            ),
            ["dense tanh"] = new("""{"type":"dense","units":21},{"type":"tanh"}""", Momentum, "e443ce0420f431fe"),
            ["dense sigmoid"] = new("""{"type":"dense","units":21},{"type":"sigmoid"}""", Momentum, "d80a5a6ccc644c18"),
            ["leakyrelu"] = new("""{"type":"dense","units":21},{"type":"leakyrelu","slope":0.2}""", Momentum, "fe8cc11ef9268ceb"),
            ["gelu"] = new("""{"type":"dense","units":21},{"type":"gelu"}""", Momentum, "5f2f60f2098cdfa1"),
            ["flatten and dropout"] = new(
                """{"type":"flatten"},{"type":"dense","units":21},{"type":"relu"},{"type":"dropout","rate":0.4}""",
                Momentum,
                "7fc76c77034c0a17"
            ),
            ["maxpool"] = new($$"""{{Convolution}},{"type":"relu"},{"type":"maxpool","kernel":2}""", Momentum, "56831b1274f523c5"),
            ["maxpool, overlapping"] = new(
                $$"""{{Convolution}},{"type":"maxpool","kernel":3,"stride":2,"padding":1}""",
                Momentum,
                "3c8b9d1ae3a4c9f8"
            ),
            ["avgpool"] = new(
                $$"""{{Convolution}},{"type":"tanh"},{"type":"avgpool","kernel":3,"stride":2,"padding":1}""",
                Momentum,
                "ebda87c6aee4393e"
            ),
            ["batchnorm of channels"] = new($$"""{{Convolution}},{"type":"batchnorm"},{"type":"relu"}""", Momentum, "1549aca264a3f87c"),
            ["batchnorm of features"] = new($$"""{{Hidden}},{"type":"batchnorm"}""", Momentum, "90f70b3e7965e923"),
            ["layernorm"] = new($$"""{"type":"layernorm"},{{Hidden}},{"type":"layernorm"}""", Momentum, "a70eccda90bb8803"),
            ["smoothed labels"] = new(Hidden, Momentum, "35f0ecafea2de3b9") { LabelSmoothing = 0.1 },
            ["embedding"] = new($$"""{"type":"embedding"},{{Hidden}}""", Momentum, "8ab2cf7b9659ee1c")
            {
                Data = Table,
                Categories = Categories,
            },
            ["piecewise and embedding"] = new(
                $$"""{"type":"piecewise","bins":7},{"type":"embedding","dimension":19},{{Hidden}}""",
                new AdamWOptions { WeightDecay = 0.01 },
                "6ae781b494b7c73b"
            )
            {
                Data = Table,
                Categories = Categories,
            },
            ["piecewise"] = new($$"""{"type":"piecewise","bins":5,"over":"rows"},{{Hidden}}""", Momentum, "9b8a61f0c1e1860d"),
            ["class weights"] = new(Hidden, Momentum, "73512da5ea236e91")
            {
                ClassWeights = ClassWeights.Of([.. Enumerable.Range(1, 10).Select(number => number / 5.0)]),
            },
            ["weights of samples"] = new(Hidden, Momentum, "45fdadf9e59a982f") { Data = NumberRun.Weighted },
            ["squared loss of numbers"] = new(Hidden, Momentum, "9150d18718b76882") { Data = NumberRun.Data },
            ["absolute loss of numbers"] = new(Hidden, Momentum, "7dc46ffae939cfbd")
            {
                Data = NumberRun.Data,
                Loss = RegressionLoss.Absolute,
            },
            ["Huber loss of numbers"] = new(Hidden, Momentum, "9ec2b12bf1687c72") { Data = NumberRun.Data, Loss = RegressionLoss.Huber },
            ["residual"] = new(Residual, Momentum, "196234598e78ae26"),
            ["convolution and maximum"] = new(Convolutions, Momentum, "a1df37a30864025a"),
            ["residual with batch normalisation"] = new(ResidualImages, Momentum, "7f6efdb796a754a7"),
            ["layer normalisation and mean"] = new(LayerNorm, new AdamWOptions(), "a5aa6e8938d00fdd"),
            ["conv2d"] = new($"{Image},{Strided}", Momentum, "12e704971d62fbe4"),
            ["conv2d and global average pooling"] = new($$"""{{Image}},{"type":"globalavgpool"}""", Momentum, "1fbeb14c59e46844"),
            ["residual of images"] = new(
                $$"""{{Image}},{"type":"residual","layers":[{{Square}},{"type":"gelu"}]}""",
                Momentum,
                "1a2a468b60539ca1"
            ),
            ["residual of images with a shortcut"] = new(
                $$"""{{Image}},{"type":"residual","layers":[{{Strided}}],"shortcut":[{{Projection}}]}""",
                Momentum,
                "045f29dd61f4de10"
            ),
            ["sgd without momentum"] = new(Hidden, new SgdOptions { Momentum = 0, WeightDecay = 0.01 }, "7bc73fc484979db2"),
            ["sgd by Nesterov, clipped"] = new(
                Hidden,
                new SgdOptions
                {
                    Nesterov = true,
                    WeightDecay = 0.01,
                    ClipNorm = 0.5,
                },
                "32796754b182bf35"
            ),
            ["adam"] = new(Hidden, new AdamOptions { WeightDecay = 0.01 }, "d6545fd61a75a9e1"),
            ["adamw"] = new(Hidden, new AdamWOptions { WeightDecay = 0.01 }, "12c8d9771720c8be"),
            ["adagrad"] = new(Hidden, new AdagradOptions(), "ff9d6242d618670d"),
            ["adagrad over rows"] = new("""{"type":"embedding"}""", new AdagradOptions(), "4f8d12b2733f5c28")
            {
                Data = Table,
                Categories = Categories,
            },
        };

    private static Dataset CreateTable()
    {
        CounterRandom random = new(1, RandomPurpose.Augmentation, 0);
        float[][] rows =
        [
            .. Enumerable
                .Range(0, 300)
                .Select(row => (ulong)row * 4)
                .Select(i =>
                    new[]
                    {
                        random.Uniform(i) - 0.5f,
                        random.Below(i + 1, 9) == 0 ? random.Uniform(i + 1) * 30 : 0,
                        2,
                        random.Below(i + 2, 5),
                        random.Below(i + 3, 300),
                    }
                ),
        ];
        return Dataset.FromArrays(rows, [.. rows.Select(row => ((int)row[3] + (int)row[4]) % 3)], new ArrayOptions { Standardize = false });
    }
}
