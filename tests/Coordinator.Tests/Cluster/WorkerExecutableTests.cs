using System.Runtime.InteropServices;
using Distributed.Coordinator.Cluster.Hosting;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>Where the worker is found, and how it is started.</summary>
public sealed class WorkerExecutableTests : IDisposable
{
    private static readonly string Suffix = OperatingSystem.IsWindows() ? ".exe" : "";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_executable_beside_the_coordinator_is_started()
    {
        _folder.Write("worker" + Suffix, "");
        _folder.Write("worker.dll", "");
        Assert.Equal([_folder.File("worker" + Suffix)], WorkerExecutable.CommandIn(_folder.Path));
    }

    [Fact]
    public void Without_one_the_runtime_runs_the_assembly()
    {
        _folder.Write("worker.dll", "");
        var command = WorkerExecutable.CommandIn(_folder.Path);
        Assert.True(File.Exists(command[0]), command[0]);
        Assert.Equal(("dotnet" + Suffix, _folder.File("worker.dll")), (Path.GetFileName(command[0]), Assert.Single(command.Skip(1))));
    }

    [Fact]
    public void A_folder_of_its_own_wins_over_another_program_of_that_name()
    {
        _folder.Write("worker" + Suffix, "");
        Directory.CreateDirectory(_folder.File(WorkerExecutable.FolderName));
        var assembly = _folder.Write(Path.Combine(WorkerExecutable.FolderName, "worker.dll"), "");
        Assert.Equal(assembly, WorkerExecutable.CommandIn(_folder.Path)[^1]);
    }

    [Fact]
    public void What_is_missing_is_looked_for_beside_the_coordinator() =>
        Assert.Equal([_folder.File("worker" + Suffix)], WorkerExecutable.CommandIn(_folder.Path));

    [Fact]
    public void A_runtime_that_is_installed_is_told_from_one_that_a_program_brings()
    {
        var framework = RuntimeEnvironment.GetRuntimeDirectory();
        Assert.True(File.Exists(Path.Combine(WorkerExecutable.RuntimeOf(framework)!, "dotnet" + Suffix)));
        Assert.Null(WorkerExecutable.RuntimeOf(_folder.Path));
    }
}
