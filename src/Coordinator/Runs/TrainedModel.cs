using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Model;

namespace Distributed.Coordinator.Runs;

/// <summary>A model that has been trained, with the way its inputs are made.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Network">The layers.</param>
/// <param name="Weights">The flat vector of parameters.</param>
/// <param name="Preprocessing">How raw values become inputs.</param>
/// <param name="ClassNames">The classes in the order of the outputs.</param>
/// <param name="TrainedOn">The data of the run beside the file; null if it stands alone.</param>
internal sealed record TrainedModel(
    string Path,
    Network Network,
    float[] Weights,
    Preprocessing Preprocessing,
    IReadOnlyList<string> ClassNames,
    DataOptions? TrainedOn
)
{
    /// <summary>Loads a model.</summary>
    /// <param name="path">A model file or a run folder.</param>
    /// <exception cref="InputException">There is none, or it is not a model of this program.</exception>
    internal static TrainedModel Load(string path)
    {
        var isFolder = Directory.Exists(path);
        var file = isFolder ? RunFolder.ModelPathOf(path) : path;
        if (isFolder && !File.Exists(file))
            throw new InputException($"{path}: holds no trained model; name a complete run or a model.safetensors");
        var folder = isFolder ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var description = ModelFile.Describe(file);
        var network = new Network(ModelSpec.FromJson(description.Model, file), description.Input, description.ClassNames.Count);
        return new TrainedModel(
            file,
            network,
            InitialWeights.Load(file, network.Layout),
            Preprocessing.FromJson(description.Preprocessing, file),
            description.ClassNames,
            RunFolder.Holds(folder) ? RunFolder.ReadConfiguration(folder).Options.Data : null
        );
    }
}
