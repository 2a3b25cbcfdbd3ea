using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Export;

namespace Distributed.Coordinator.Commands;

/// <summary><c>export</c>: a trained model for other programs.</summary>
/// <param name="console">Where to write.</param>
internal sealed class ExportCommand(CommandConsole console)
{
    /// <summary>Exports.</summary>
    /// <param name="path">A run folder, a checkpoint or a model file.</param>
    /// <param name="settings">Settings without errors.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">There is no such model, it does not fit the format, or the file cannot be written.</exception>
    internal int Run(string path, ExportSettings settings)
    {
        // A checkpoint would lose the state of its optimizer.
        if (Path.GetFullPath(path) == Path.GetFullPath(settings.Out))
            throw new InputException($"--out {settings.Out}: is the model that is exported; name another file");
        var (model, _) = SavedModel.Load(path);
        var format = settings.ResolvedFormat!.Value;
        OutFile.Write(settings.Out, format == ExportFormat.Onnx ? model.ExportOnnx : model.Save);
        console.Output.WriteLine($"exported {Printable.Of(path)} to {Printable.Of(settings.Out)} as {OptionText.Name(format)}");
        return ExitCodes.Done;
    }
}
