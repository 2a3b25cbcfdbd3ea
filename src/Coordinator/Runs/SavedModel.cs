using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>A trained model that a command line names, with the data of its run.</summary>
/// <param name="Model">The model.</param>
/// <param name="TrainedOn">The data of the run that the file belongs to; null if it stands alone.</param>
internal sealed record SavedModel(TrainedModel Model, DataOptions? TrainedOn)
{
    /// <summary>Loads a model.</summary>
    /// <param name="path">A run folder, a checkpoint of a run, or a model file.</param>
    /// <exception cref="InputException">There is none, or it is not a model of this program.</exception>
    internal static SavedModel Load(string path)
    {
        if (Directory.Exists(path))
            return LoadRun(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (RunFolder.Holds(folder))
            return new SavedModel(TrainedModel.Load(path), DataOf(folder));
        return Path.GetDirectoryName(folder) is { } run && RunFolder.Holds(run)
            ? new SavedModel(TrainedModel.Load(path, Describe(run)), DataOf(run))
            : new SavedModel(TrainedModel.Load(path), TrainedOn: null);
    }

    private static SavedModel LoadRun(string path)
    {
        var file = RunFolder.ModelPathOf(path);
        if (!File.Exists(file))
        {
            throw new InputException(
                $"{path}: holds no trained model; name a complete run, one of its checkpoints, or a model.safetensors"
            );
        }

        return new SavedModel(TrainedModel.Load(file), RunFolder.Holds(path) ? DataOf(path) : null);
    }

    private static DataOptions DataOf(string run) => RunFolder.ReadOptions(run).Data;

    /// <summary>What a checkpoint's run says of its model: by the trained model beside it, or by the data that it is trained on.</summary>
    private static ModelDescription Describe(string run)
    {
        var file = RunFolder.ModelPathOf(run);
        if (File.Exists(file))
            return ModelFile.Describe(file);
        var configuration = RunFolder.ReadConfiguration(run);
        var dataset = DatasetLoader.Load(DataOf(run));
        return dataset.Sha256 == configuration.DatasetSha256
            ? RunPreparation.Describe(configuration, dataset)
            : throw new InputException($"{run}: its data has changed: SHA-256 {dataset.Sha256}, not {configuration.DatasetSha256}");
    }
}
