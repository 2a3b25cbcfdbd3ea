using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Distributed.Shared.Tests;

/// <summary>The programs of docs/library.md, compiled as a user's project would compile them.</summary>
internal static partial class DocumentPrograms
{
    /// <summary>What a program begins with that trains on workers.</summary>
    public const string Cluster = "using Distributed.Cluster;\n";

    // What <ImplicitUsings>enable</ImplicitUsings> gives to a project of the plain SDK.
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>The programs of a document, in order.</summary>
    public static IEnumerable<string> Of(string document) =>
        Program().Matches(document.ReplaceLineEndings("\n")).Select(match => match.Groups["text"].Value);

    /// <summary>Compiles a program against all that the test has, and runs it.</summary>
    public static void Run(string program)
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
