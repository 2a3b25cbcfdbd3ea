using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>The programs of docs/library.md that train in their own process.</summary>
public sealed class LibraryDocumentTests
{
    private static readonly string[] Programs =
    [
        .. DocumentPrograms
            .Of(Resources.Text("docs/library.md"))
            .Where(program => !program.StartsWith(DocumentPrograms.Cluster, StringComparison.Ordinal)),
    ];

    [Fact]
    public void TheFirstProgramTrainsSavesAndPredictsInUnderTenLines()
    {
        var lines = Programs[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("using "));
        Assert.InRange(lines.Count(), 1, 9);
        const string model = "digits.safetensors"; // in the current folder, as the program says
        File.Delete(model);
        DocumentPrograms.Run(Programs[0]);
        Assert.Equal(64, TrainedModel.Load(model).InputShape.Length);
        File.Delete(model);
    }

    [Fact]
    public void TheOtherProgramsRun()
    {
        const string exported = "digits.onnx";
        File.Delete(exported);
        Assert.All(Programs[1..], DocumentPrograms.Run);
        Assert.True(File.Exists(exported));
        File.Delete(exported);
    }
}
