using Distributed.Shared.Tests.Checkpoints;

namespace Distributed.Shared.Tests.Export;

/// <summary>A model file, gone when the test is over.</summary>
internal sealed class ModelFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ModelFolder(string json)
    {
        Path = _folder.File("model.json");
        File.WriteAllText(Path, json);
    }

    public string Path { get; }

    public void Dispose() => _folder.Dispose();
}
