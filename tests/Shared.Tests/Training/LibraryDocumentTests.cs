using System.Reflection;
using System.Text.RegularExpressions;
using Distributed.Training;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>The programs of docs/library.md, compiled as a user's project would compile them, and run.</summary>
public sealed partial class LibraryDocumentTests
{
    // What <ImplicitUsings>enable</ImplicitUsings> gives to a project of the plain SDK.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly string[] Programs =
    [
        .. Program().Matches(Resources.Text("docs/library.md").ReplaceLineEndings("\n")).Select(match => match.Groups["text"].Value),
    ];

    [Fact]
    public void TheFirstProgramTrainsSavesAndPredictsInUnderTenLines()
    {
        var lines = Programs[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("using "));
        Assert.InRange(lines.Count(), 1, 9);
        const string model = "digits.safetensors"; // in the current folder, as the program says
        File.Delete(model);
        Run(Programs[0]);
        Assert.Equal(64, TrainedModel.Load(model).InputShape.Length);
        File.Delete(model);
    }

    [Fact]
    public void TheOtherProgramsRun()
    {
        const string exported = "digits.onnx";
        File.Delete(exported);
        Assert.All(Programs[1..], Run);
        Assert.True(File.Exists(exported));
        File.Delete(exported);
    }

    private static void Run(string program)
    {
        using var stream = new MemoryStream();
        var emitted = CSharpCompilation
            .Create(
                "LibraryProgram",
                [Parse(ImplicitUsings), Parse(program)],
                References(),
                new CSharpCompilationOptions(OutputKind.ConsoleApplication)
            )
            .Emit(stream);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        var main = Assembly.Load(stream.ToArray()).EntryPoint!;
        main.Invoke(
            obj: null,
            BindingFlags.DoNotWrapExceptions,
            binder: null,
            main.GetParameters().Length == 0 ? [] : [Array.Empty<string>()],
            culture: null
        );
    }

    private static SyntaxTree Parse(string text) => CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Latest));

    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));

    [GeneratedRegex("```csharp\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Program();
}
