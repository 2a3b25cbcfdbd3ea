using System.Xml.Linq;
using Xunit;

namespace Distributed.Shared.Tests.Architecture;

/// <summary>The direction of dependencies, read from the sources themselves.</summary>
public sealed class ArchitectureTests
{
    private const string Sources = "src/Shared/";
    private const string Projects = "projects/";

    private static readonly string[] PackagesOfTheUser =
    [
        "Grpc.AspNetCore",
        "Google.Protobuf",
        "Grpc.Tools",
        "Microsoft.Extensions.Hosting",
    ];

    [Fact]
    public void Every_folder_uses_only_what_its_arrows_allow()
    {
        var violations = Files(Sources)
            .Where(file => file.Name.Contains('/', StringComparison.Ordinal))
            .SelectMany(file => Arrows.Violations(FolderOf(file.Name), file.Text).Select(used => $"{file.Name} uses {used}"));
        Assert.Empty(violations);
    }

    [Fact]
    public void Every_folder_is_known_and_is_the_namespace_of_its_files()
    {
        var files = Files(Sources).ToList();
        Assert.NotEmpty(files);
        Assert.Equal(
            Arrows.Direct.Keys.Order(),
            files.Where(file => file.Name.Contains('/', StringComparison.Ordinal)).Select(file => FolderOf(file.Name)).Distinct().Order()
        );
        Assert.All(files, file => Assert.Contains($"\nnamespace {NamespaceOf(file.Name)};\n", "\n" + file.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Coordinator_and_worker_use_the_shared_library_and_not_each_other()
    {
        Assert.Equal([("Shared", true)], References("Worker"));
        Assert.Equal([("Shared", true), ("Worker", false)], References("Coordinator"));
        Assert.Empty(References("Shared"));
    }

    [Fact]
    public void The_packages_that_the_user_named_are_used()
    {
        var used = Files(Projects)
            .SelectMany(project => XDocument.Parse(project.Text).Descendants("PackageReference"))
            .Select(package => package.Attribute("Include")!.Value);
        Assert.Subset(used.ToHashSet(), PackagesOfTheUser.ToHashSet());
    }

    // The checker itself.
    [Theory]
    [InlineData("Kernels", "using Distributed.Model;", "Model")]
    [InlineData("Kernels", "using static Distributed.Training.Optimizer;", "Training")]
    [InlineData("Random", "using Lanes = Distributed.Kernels.ILanes;", "Kernels")]
    [InlineData("Model", "var x = global::Distributed.Data.Digits.Load();", "Data")]
    [InlineData("Data", "var x = Model.Network.Empty;", "Model")]
    [InlineData("Checkpoints", "using Distributed.Protocol;", "Protocol")]
    public void An_arrow_that_is_not_allowed_is_found(string folder, string source, string used) =>
        Assert.Equal([used], Arrows.Violations(folder, source));

    [Theory]
    [InlineData("Training", "using Distributed.Random;\nusing Distributed.Protocol;")]
    [InlineData("Model", "using Distributed.Kernels;\nnamespace Distributed.Model;")]
    [InlineData("Kernels", "// not Distributed.Model\nvar x = settings.Model.Layers + this.Data.Count;")]
    [InlineData("Random", "throw new Distributed.InputException(text);")]
    public void What_is_allowed_is_not(string folder, string source) => Assert.Empty(Arrows.Violations(folder, source));

    private static string FolderOf(string file) => file[..file.IndexOf('/', StringComparison.Ordinal)];

    private static string NamespaceOf(string file) => string.Join('.', ["Distributed", .. file.Split('/')[..^1]]);

    private static IEnumerable<(string Project, bool IsVisible)> References(string project)
    {
        var text = Files(Projects).Single(file => file.Name == $"{project}.csproj").Text;
        return XDocument
            .Parse(text)
            .Descendants("ProjectReference")
            .Select(reference =>
                (
                    reference.Attribute("Include")!.Value.Split('/')[^1].Replace(".csproj", "", StringComparison.Ordinal),
                    reference.Attribute("ReferenceOutputAssembly")?.Value != "false"
                )
            )
            .Order();
    }

    private static IEnumerable<(string Name, string Text)> Files(string prefix)
    {
        var assembly = typeof(ArchitectureTests).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return (name[prefix.Length..], reader.ReadToEnd().ReplaceLineEndings("\n"));
        }
    }
}
