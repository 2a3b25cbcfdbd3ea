using Distributed.Kernels;
using Distributed.Model;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class DenseLayerTests : IDisposable
{
    private readonly ComputeTeam _team = new(1);

    public void Dispose() => _team.Dispose();

    // So that it can travel while the layer's second product is computed.
    [Fact]
    public void TheGradientOfTheParametersIsCompleteBeforeTheInputsIsBegun()
    {
        Layer layer = new DenseSpec(3).Resolve(new SampleShape(1, 1, 2));
        LayerExecutor executor = layer.CreateExecutor(new ExecutorOptions(MaximumRows: 2, Microbatch: 2, NeedsInputGradient: true, _team));
        float[] input = [1, 2, 3, 4], inputGradient = [-7, -7, -7, -7], gradient = new float[layer.ParameterLength], output = new float[6];
        executor.BindWeights(new float[] { 1, 1, 1, 1, 1, 1, 0, 0, 0 });
        executor.Forward(input, rows: 2, output, Pass.Evaluation);

        List<(int Offset, float[] Gradient, float[] InputGradient)> told = [];
        executor.Backward(input, output, 2, new float[] { 1, 0, 0, 0, 1, 0 }, inputGradient, gradient, Pass.Evaluation, new Watch(offset => told.Add((offset, [.. gradient], [.. inputGradient]))));

        Assert.Equal([1, 1, 1, 1], inputGradient);
        (int offset, float[] complete, float[] notBegun) = Assert.Single(told);
        Assert.Equal(0, offset);
        Assert.Equal([1, 2, 3, 4, 0, 0, 1, 1, 0], complete);
        Assert.Equal([-7, -7, -7, -7], notBegun);
    }

    private sealed class Watch(Action<int> completed) : IBackwardProgress
    {
        public void CompletedFrom(int offset) => completed(offset);
    }
}
