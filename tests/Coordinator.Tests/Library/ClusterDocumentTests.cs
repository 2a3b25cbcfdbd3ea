using Distributed.Shared.Tests;
using Xunit;

namespace Distributed.Coordinator.Tests.Library;

/// <summary>The programs of docs/library.md that train on workers.</summary>
public sealed class ClusterDocumentTests
{
    [Fact]
    public void They_run()
    {
        const string run = "run-of-the-document"; // in the current folder, as a program says
        if (Directory.Exists(run))
            Directory.Delete(run, recursive: true);
        using var text = new StreamReader(typeof(ClusterDocumentTests).Assembly.GetManifestResourceStream("docs/library.md")!);
        string[] programs =
        [
            .. DocumentPrograms
                .Of(text.ReadToEnd())
                .Where(program => program.StartsWith(DocumentPrograms.Cluster, StringComparison.Ordinal)),
        ];
        Assert.Equal(2, programs.Length);
        Assert.All(programs, program => DocumentPrograms.Run(program.Replace("\"runs/digits\"", $"\"{run}\"", StringComparison.Ordinal)));
        Assert.True(File.Exists(Path.Combine(run, "model.safetensors")));
        Directory.Delete(run, recursive: true);
    }
}
