using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>What <c>dotnet pack</c> makes, used as somebody else would: from a folder of packages, outside of this repository's settings.</summary>
public sealed class PackageTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Library_workers_and_command_of_the_packages_end_in_the_same_bits()
    {
        var version = $"1.0.0-test.{Guid.NewGuid():N}"; // one that no cache knows
        await PackAsync(version);
        var program = await PublishExampleAsync(version);
        var lines = await LinesAsync(program);
        var hashes = lines.Select(line => line.Split(": ")).ToDictionary(parts => parts[0], parts => parts[1]);
        Assert.Equal(hashes["digits, this process"], hashes["digits, 2 workers"]);
        Assert.Equal(hashes["arrays, this process"], hashes["arrays, 2 workers"]);

        await DotnetAsync(
            "tool",
            "install",
            "Distributed.Coordinator",
            "--version",
            version,
            "--tool-path",
            _folder["tool"],
            "--source",
            Packages
        );
        string[] training = ["train", "--model", "mlp:32", "--epochs", "1", "--workers", "2", "--run", _folder["run"], "--quiet"];
        var result = await LinesAsync(Program("tool", "coordinator"), training);
        Assert.EndsWith($"weights {hashes["digits, this process"]}", Assert.Single(result), StringComparison.Ordinal);
    }

    private string Packages => _folder["packages"];

    // Built apart from what other tests run, and not compiled to machine code, which no package holds.
    private async Task PackAsync(string version)
    {
        foreach (var project in new[] { "Shared", "Coordinator" })
        {
            await DotnetAsync(
                "pack",
                Path.Combine(Executables.Repository, "src", project),
                "--artifacts-path",
                _folder["artifacts"],
                "--output",
                Packages,
                $"-p:Version={version}",
                "-p:ReadyToRun=false",
                "-p:RunAnalyzers=false"
            );
        }

        Assert.Equal(
            from name in new[] { "Cluster", "Coordinator", "Training" }
            from kind in new[] { "nupkg", "snupkg" }
            select $"Distributed.{name}.{version}.{kind}",
            Directory.GetFiles(Packages).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    // What the packages depend on comes from where the solution has it; they themselves go into a cache of the test's own.
    private async Task<string> PublishExampleAsync(string version)
    {
        await DotnetAsync(
            "publish",
            Path.Combine(Executables.Repository, "examples", "library"),
            "--artifacts-path",
            _folder["example"],
            "--output",
            _folder["program"],
            $"-p:DistributedPackages={Packages}",
            $"-p:DistributedVersion={version}",
            $"-p:RestorePackagesPath={_folder["cache"]}",
            $"-p:RestoreFallbackFolders={Executables.PackageCache}"
        );
        return Program("program", "library");
    }

    private string Program(string folder, string name) => Path.Combine(_folder[folder], OperatingSystem.IsWindows() ? name + ".exe" : name);

    // No build server outlives the test.
    private Task<IReadOnlyList<string>> DotnetAsync(params IEnumerable<string> arguments)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Executables.DotnetRoot, "sdk")), "needs the SDK beside the runtime");
        return LinesAsync(Path.Combine(Executables.DotnetRoot, "dotnet"), arguments);
    }

    private async Task<IReadOnlyList<string>> LinesAsync(string program, params IEnumerable<string> arguments)
    {
        await using var process = RunningProcess.Start(
            program,
            _folder.Path,
            arguments,
            environment:
            [
                ("DOTNET_TieredCompilation", "1"),
                ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
                ("DOTNET_NOLOGO", "1"),
                ("MSBUILDDISABLENODEREUSE", "1"),
                ("UseSharedCompilation", "false"),
            ]
        );
        var exit = await process.ExitAsync();
        List<string> lines = [];
        while (process.Lines.TryRead(out var line))
            lines.Add(line);
        Assert.True(exit.Code == 0, string.Join('\n', [.. lines, .. exit.Errors]));
        return lines;
    }
}
