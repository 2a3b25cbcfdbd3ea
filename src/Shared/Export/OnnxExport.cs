using Distributed.Training;
using Google.Protobuf;

namespace Distributed.Export;

/// <summary>Takes trained models to other programs.</summary>
public static class OnnxExport
{
    /// <summary>
    /// Writes a model as ONNX, for ONNX Runtime and others: it takes samples as raw as the training data was, and gives what
    /// <see cref="TrainedModel.PredictAll"/> gives. What was at the path is replaced as a whole or not at all.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file; its folder exists.</param>
    /// <exception cref="InputException">The model is too large for a file of this kind.</exception>
    public static void ExportOnnx(this TrainedModel model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        var proto = OnnxModel.Of(model);
        AtomicFile.Write(path, stream => proto.WriteTo(stream));
    }
}
