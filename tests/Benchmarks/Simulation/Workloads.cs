using Distributed.Model;

namespace Distributed.Benchmarks.Simulation;

/// <summary>What is trained in docs/scaling.md, in microbatches of 32.</summary>
internal static class Workloads
{
    private const int Classes = 10;
    private const int RowsOfPass = 16; // microbatches in the 512 rows that a pass takes

    private static readonly SampleShape Image = new(1, 28, 28);

    /// <summary>
    /// Two of the models of docs/performance.md on one core: a quarter of the step of four microbatches, without its update.
    /// </summary>
    public static readonly IReadOnlyList<Workload> Measured =
    [
        new("mlp", Preset("mlp"), 0.43e-3, RowsOfPass),
        new("mlp:2048,2048", Preset("mlp:2048,2048"), 4.65e-3, RowsOfPass),
    ];

    /// <summary>
    /// These, and a large convolutional network whose time is computed: 3 x 4.1e9 multiply-adds a sample on 16 cores of 128e9 a second, at
    /// the 74 % that cnn reaches.
    /// </summary>
    public static readonly IReadOnlyList<Workload> All = [.. Measured, new("resnet50", ResNet50(), 0.26, LargestPass: 1)];

    private static ParameterLayout Preset(string name) => new Network(ModelSpec.Parse(name), Image, Classes).Layout;

    // He et al. 2015: four stages of bottleneck blocks, and 1,000 classes.
    private static ParameterLayout ResNet50()
    {
        List<IReadOnlyList<int>> shapes = [.. Convolution(64, 3, 7)];
        var channels = 64;
        foreach (var (blocks, width) in new[] { (3, 64), (4, 128), (6, 256), (3, 512) })
        {
            for (var block = 0; block < blocks; block++)
            {
                shapes.AddRange([.. Convolution(width, channels, 1), .. Convolution(width, width, 3), .. Convolution(4 * width, width, 1)]);
                shapes.AddRange(block == 0 ? Convolution(4 * width, channels, 1) : []);
                channels = 4 * width;
            }
        }

        shapes.AddRange([
            [1000, channels],
            [1000],
        ]);
        return ParameterLayout.Of(shapes.Select((shape, index) => ($"p{index}", shape)));
    }

    // A convolution without bias, and the normalisation after it.
    private static IReadOnlyList<int>[] Convolution(int filters, int channels, int kernel) =>
        [
            [filters, channels, kernel, kernel],
            [filters],
            [filters],
        ];
}
