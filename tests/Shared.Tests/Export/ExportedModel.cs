using Distributed.Export;
using Distributed.Shared.Tests.Checkpoints;
using Distributed.Training;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Distributed.Shared.Tests.Export;

/// <summary>A model that was exported as ONNX, in a session of ONNX Runtime.</summary>
internal sealed class ExportedModel : IDisposable
{
    private readonly InferenceSession _session;

    public ExportedModel(TrainedModel model)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.onnx");
        model.ExportOnnx(path);
        _session = new InferenceSession(File.ReadAllBytes(path));
    }

    public IReadOnlyList<string> Inputs => _session.InputNames;

    public IReadOnlyList<string> Outputs => _session.OutputNames;

    public IReadOnlyDictionary<string, string> Metadata => _session.ModelMetadata.CustomMetadataMap;

    public string Producer => _session.ModelMetadata.ProducerName;

    public Type TypeOf(string input) => _session.InputMetadata[input].ElementType;

    /// <summary>The sizes of an input or output; -1 for a free one.</summary>
    public int[] ShapeOf(string name) => (_session.InputMetadata.GetValueOrDefault(name) ?? _session.OutputMetadata[name]).Dimensions;

    public void Dispose() => _session.Dispose();

    /// <summary>The outputs of a batch.</summary>
    /// <param name="inputs">The name of each input with its values, [batch, ..].</param>
    public Results Run(params IEnumerable<(string Name, Array Values)> inputs)
    {
        using var results = _session.Run([.. inputs.Select(input => Value(input.Name, input.Values))]);
        return new Results(
            results.ToDictionary(
                result => result.Name,
                result =>
                    result.Value switch
                    {
                        Tensor<float> floats => (Array)floats.ToArray(),
                        Tensor<double> doubles => doubles.ToArray(),
                        Tensor<string> texts => texts.ToArray(),
                        _ => throw new NotSupportedException(result.Name),
                    }
            )
        );
    }

    private NamedOnnxValue Value(string name, Array values)
    {
        var sizes = ShapeOf(name);
        sizes[0] = values.Length / sizes[1..].Aggregate(1, (product, size) => product * size);
        return values switch
        {
            byte[] bytes => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<byte>(bytes, sizes)),
            double[] numbers => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<double>(numbers, sizes)),
            string[] texts => NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(texts, sizes)),
            _ => throw new NotSupportedException(name),
        };
    }

    internal sealed class Results(IReadOnlyDictionary<string, Array> values)
    {
        public float[] Floats(string name) => (float[])values[name];

        public double[] Numbers(string name) => (double[])values[name];

        public string[] Texts(string name) => (string[])values[name];
    }
}
