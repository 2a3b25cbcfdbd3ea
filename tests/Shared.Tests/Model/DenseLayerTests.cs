using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
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
        var layer = new DenseSpec(3).Resolve(new SampleShape(1, 1, 2));
        var executor = layer.CreateExecutor(new ExecutorOptions(MaximumRows: 2, Microbatch: 2, NeedsInputGradient: true, _team));
        float[] input = [1, 2, 3, 4],
            inputGradient = [-7, -7, -7, -7],
            gradient = new float[layer.ParameterLength],
            output = new float[6];
        executor.BindWeights(new float[] { 1, 1, 1, 1, 1, 1, 0, 0, 0 });
        executor.Forward(input, rows: 2, output, Pass.Evaluation);

        List<(int Offset, float[] Gradient, float[] InputGradient)> told = [];
        executor.Backward(
            new BackwardPass
            {
                Input = input,
                Output = output,
                Rows = 2,
                OutputGradient = new float[] { 1, 0, 0, 0, 1, 0 },
                InputGradient = inputGradient,
                ParameterGradient = gradient,
                Pass = Pass.Evaluation,
                Progress = new Watch(offset => told.Add((offset, [.. gradient], [.. inputGradient]))),
            }
        );

        Assert.Equal([1, 1, 1, 1], inputGradient);
        var (offset, complete, notBegun) = Assert.Single(told);
        Assert.Equal(0, offset);
        Assert.Equal([1, 2, 3, 4, 0, 0, 1, 1, 0], complete);
        Assert.Equal([-7, -7, -7, -7], notBegun);
    }

    // So that something can be done with the first half beside the products of the second.
    [Fact]
    public void ALargeGradientThatEndsTheBackwardPassIsCompletedInHalves()
    {
        const int Inputs = 1024,
            Outputs = 1025,
            Half = Outputs / 2;
        var layer = new DenseSpec(Outputs).Resolve(new SampleShape(1, 1, Inputs));
        var executor = layer.CreateExecutor(new ExecutorOptions(MaximumRows: 1, Microbatch: 1, NeedsInputGradient: false, _team));
        float[] input = [.. Enumerable.Range(1, Inputs).Select(i => (float)i)],
            outputGradient = [.. Enumerable.Range(1, Outputs).Select(i => (float)i)];
        float[] gradient = new float[layer.ParameterLength],
            output = new float[Outputs];
        executor.BindWeights(new float[layer.ParameterLength]);
        executor.Forward(input, rows: 1, output, Pass.Evaluation);

        List<(int Offset, float[] Gradient)> told = [];
        executor.Backward(
            new BackwardPass
            {
                Input = input,
                Output = output,
                Rows = 1,
                OutputGradient = outputGradient,
                ParameterGradient = gradient,
                Pass = Pass.Evaluation,
                Progress = new Watch(offset => told.Add((offset, [.. gradient]))),
            }
        );

        float[] expected = [.. outputGradient.SelectMany(g => input.Select(x => g * x)), .. outputGradient];
        Assert.Equal(expected, gradient);
        Assert.Equal([Half * Inputs, 0], told.Select(at => at.Offset));
        Assert.All(told, at => Assert.Equal(expected[at.Offset..], at.Gradient[at.Offset..]));
        Assert.All(told[0].Gradient[..(Half * Inputs)], value => Assert.Equal(0, value));
    }

    private sealed class Watch(Action<int> completed) : IBackwardProgress
    {
        public void CompletedFrom(int offset) => completed(offset);
    }
}
