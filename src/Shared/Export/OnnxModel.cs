using System.Globalization;
using System.Text.Json;
using Distributed.Checkpoints;
using Distributed.Graphs;
using Distributed.Model;
using Distributed.Training;
using Onnx;

namespace Distributed.Export;

/// <summary>A trained model as ONNX: raw values in, predictions out.</summary>
internal static class OnnxModel
{
    /// <summary>The version of ONNX's own operators; docs/decisions/0027-onnx-opset-17.md has the reasons.</summary>
    public const int Opset = 17;

    /// <summary>The version of the operators of <see cref="MachineLearning"/>.</summary>
    public const int MachineLearningOpset = 3;

    /// <summary>The domain of the operators that take words; only models with words need it.</summary>
    public const string MachineLearning = "ai.onnx.ml";

    /// <summary>
    /// The most values of all parameters: a file is one protobuf message, of up to 2 GiB, and words and edges need room beside them.
    /// </summary>
    public const int MostParameters = (int.MaxValue - (128 << 20)) / sizeof(float);

    private const int IrVersion = 8; // that of opset 17

    /// <summary>Writes a model down.</summary>
    /// <exception cref="InputException">It is too large for a file of this kind.</exception>
    public static ModelProto Of(TrainedModel model)
    {
        RequireRoom(model.Name, model.Network.Layout.Length);
        var graph = new OnnxGraph();
        var input = new OnnxInputs(graph, model).Add();
        var output = LayerSequence.AddTo(model.Network.Layers, graph, input, Parameters(graph, model));
        model.Objective.AddTo(graph, output, model.ClassNames);
        var proto = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "distributed",
            ProducerVersion = typeof(OnnxModel).Assembly.GetName().Version!.ToString(),
            Graph = graph.Proto,
            OpsetImport = { new OperatorSetIdProto { Version = Opset } },
        };
        if (graph.Proto.Node.Any(node => node.Domain == MachineLearning))
            proto.OpsetImport.Add(new OperatorSetIdProto { Domain = MachineLearning, Version = MachineLearningOpset });
        foreach (var (key, value) in Metadata(model))
            proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return proto;
    }

    /// <summary>Refuses a model that is too large.</summary>
    /// <exception cref="InputException">It is.</exception>
    public static void RequireRoom(string model, int parameters)
    {
        if (parameters > MostParameters)
        {
            throw new InputException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{model}: {parameters:N0} parameters do not fit in an ONNX file, which holds {MostParameters:N0}; "
                        + $"export it as safetensors"
                )
            );
        }
    }

    private static GraphValue[] Parameters(OnnxGraph graph, TrainedModel model) =>
        [
            .. model.Network.Layout.Parameters.Select(parameter =>
                graph.Parameter(parameter.Name, parameter.Shape, model.Weights.Span.Slice(parameter.Offset, parameter.Length))
            ),
        ];

    private static IEnumerable<(string Key, string Value)> Metadata(TrainedModel model)
    {
        yield return ("numericsVersion", NumericsVersion.Current.ToString(CultureInfo.InvariantCulture));
        yield return ("weightsSha256", model.WeightsSha256);
        if (model.Description.DatasetSha256 is { } dataset)
            yield return ("datasetSha256", dataset);
        yield return model.Targets is { } targets
            ? ("targets", JsonSerializer.Serialize(targets.Names))
            : ("classes", JsonSerializer.Serialize(model.ClassNames));
    }
}
