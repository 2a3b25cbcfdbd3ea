using Distributed.Checkpoints;
using Distributed.Export;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class ExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheFormatIsThatOfTheFilesName()
    {
        var run = await TrainedAsync();
        var model = TrainedModel.Load(Path.Combine(run, "model.safetensors"));
        await ExportedAsync(run, "--out", _folder.File("model.onnx"));
        await ExportedAsync(run, "--out", _folder.File("model.safetensors"));
        await ExportedAsync(run, "--out", _folder.File("named"), "--format", "onnx");

        model.ExportOnnx(_folder.File("expected.onnx"));
        var onnx = File.ReadAllBytes(_folder.File("expected.onnx"));
        Assert.Equal(onnx, File.ReadAllBytes(_folder.File("model.onnx")));
        Assert.Equal(onnx, File.ReadAllBytes(_folder.File("named")));
        Assert.Equal(model.WeightsSha256, TrainedModel.Load(_folder.File("model.safetensors")).WeightsSha256);
    }

    [Fact]
    public async Task AModelFileACheckpointAndTheRunAreTheSameModel()
    {
        var run = await TrainedAsync();
        var checkpoint = Directory.GetFiles(Path.Combine(run, "checkpoints"), "*.safetensors").Order(StringComparer.Ordinal).Last();
        await ExportedAsync(run, "--out", _folder.File("run.onnx"));
        await ExportedAsync(Path.Combine(run, "model.safetensors"), "--out", _folder.File("file.onnx"));
        await ExportedAsync(checkpoint, "--out", _folder.File("checkpoint.onnx"));
        await ExportedAsync(checkpoint, "--out", _folder.File("weights.safetensors"));
        var expected = File.ReadAllBytes(_folder.File("run.onnx"));
        Assert.Equal(expected, File.ReadAllBytes(_folder.File("file.onnx")));
        Assert.Equal(expected, File.ReadAllBytes(_folder.File("checkpoint.onnx")));
        // Without the state of the optimizer.
        using var weights = SafeTensorsFile.Open(_folder.File("weights.safetensors"));
        Assert.Equal(["layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"], weights.Tensors.Keys.Order());
    }

    [Fact]
    public async Task AFileThatIsThereIsReplacedAsAWhole()
    {
        var run = await TrainedAsync();
        var path = _folder.Write("model.onnx", new string('x', 1 << 20));
        await ExportedAsync(run, "--out", path);
        await ExportedAsync(run, "--out", _folder.File("other.onnx"));
        Assert.Equal(File.ReadAllBytes(_folder.File("other.onnx")), File.ReadAllBytes(path));
        Assert.False(File.Exists(path + AtomicFile.TemporarySuffix));
    }

    [Fact]
    public async Task AllBadOptionsAreNamedAtOnce()
    {
        var errors = await RefusedAsync("--format", "xml", "--out", _folder.File("missing/model"));
        Assert.Contains(errors, error => error.Contains("MODEL: is missing", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("--format xml: must be onnx or safetensors", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("there is no folder", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.Contains("end it with .onnx or .safetensors, or add --format", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AFileIsNeededAndNotAFolder()
    {
        Assert.Equal(
            "error: --out: is missing; name the file to write, such as --out model.onnx",
            Assert.Single(await RefusedAsync("runs/first"))
        );
        var error = Assert.Single(await RefusedAsync("runs/first", "--format", "onnx", "--out", _folder.Path));
        Assert.StartsWith($"error: --out {_folder.Path}: is a folder; name a file in it", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFolderWithoutAModelIsRefusedWithTheRemedy()
    {
        var error = Assert.Single(await RefusedAsync(_folder.Path, "--out", _folder.File("model.onnx")));
        Assert.EndsWith("name a complete run, one of its checkpoints, or a model.safetensors", error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("model.onnx")));
    }

    [Fact]
    public async Task ACheckpointIsNotWrittenOver()
    {
        var run = await TrainedAsync();
        var checkpoint = Directory.GetFiles(Path.Combine(run, "checkpoints"), "*.safetensors").Order(StringComparer.Ordinal).Last();
        var content = File.ReadAllBytes(checkpoint);
        var error = Assert.Single(await RefusedAsync(checkpoint, "--out", checkpoint));
        Assert.EndsWith("is the model that is exported; name another file", error, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllBytes(checkpoint));
    }

    [Fact]
    public async Task WhatTheSystemRefusesIsToldInALine()
    {
        var run = await TrainedAsync();
        Directory.CreateDirectory(_folder.File("model.onnx.tmp")); // where the unfinished file would be
        var error = Assert.Single(await RefusedAsync(run, "--out", _folder.File("model.onnx")));
        Assert.StartsWith($"error: --out {_folder.File("model.onnx")}: cannot be written", error, StringComparison.Ordinal);
    }

    private static async Task ExportedAsync(params string[] arguments)
    {
        var outcome = await CommandRunner.RunAsync(["export", .. arguments]);
        Assert.Equal((0, ""), (outcome.ExitCode, string.Join('\n', outcome.Errors)));
        Assert.StartsWith($"exported {arguments[0]} to {arguments[2]} as ", outcome.Output, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<string>> RefusedAsync(params string[] arguments)
    {
        var outcome = await CommandRunner.RunAsync(["export", .. arguments]);
        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Output));
        return outcome.Errors;
    }

    private async Task<string> TrainedAsync()
    {
        var run = _folder.File("run");
        Assert.Equal(0, (await CommandRunner.TrainAsync(run, "--steps 12")).ExitCode);
        return run;
    }
}
