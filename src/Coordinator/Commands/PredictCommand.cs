using System.Globalization;
using System.Text;
using System.Text.Json;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary><c>predict</c>: what a trained model says of samples, one row each in the order of the input.</summary>
/// <param name="console">Where to read and write.</param>
internal sealed class PredictCommand(CommandConsole console)
{
    private const string ValueColumn = "prediction";
    private const string ProbabilityPrefix = "p_";
    private const string NumberPrefix = "prediction_";

    // What is put together before it is written.
    private const int BufferedCharacters = 1 << 16;

    /// <summary>Predicts.</summary>
    /// <param name="path">A run folder, a checkpoint or a model file.</param>
    /// <param name="settings">Settings without errors.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">Model or samples are not right, or do not go together.</exception>
    internal int Run(string path, PredictSettings settings)
    {
        var (model, _) = SavedModel.Load(path);
        DatasetLoader.RequireUndecided(settings.Data);
        var samples = DatasetLoader.LoadInputs(settings.Data, model.Inputs, console.OpenInput);
        var predictions = model.Predictions(samples.Count, (first, inputs) => samples.CopyInputs(first, model.Preprocessing, inputs));
        var lines = settings.Format == PredictionFormat.Csv ? CsvLines(model, predictions) : JsonLines(model, predictions);
        if (settings.Out is { } file)
            OutFile.Write(file, path => WriteFile(path, lines));
        else
            WriteOutput(lines);
        return ExitCodes.Done;
    }

    private static void WriteFile(string path, IEnumerable<string> lines) => AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            foreach (var line in lines)
                writer.WriteLine(line);
        });

    /// <summary>Writes to standard output; a reader that has seen enough and closes it is no failure.</summary>
    private void WriteOutput(IEnumerable<string> lines)
    {
        var buffer = new StringBuilder();
        foreach (var line in lines)
        {
            buffer.Append(line).Append('\n');
            if (buffer.Length >= BufferedCharacters && !TryWrite(buffer))
                return;
        }

        TryWrite(buffer);
    }

    private bool TryWrite(StringBuilder buffer)
    {
        try
        {
            console.Output.Write(buffer);
            console.Output.Flush();
            buffer.Clear();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The columns of the output: the class and the probability of each, or the numbers.</summary>
    private static IReadOnlyList<string> Columns(TrainedModel model) =>
        model.Targets switch
        {
            null => [ValueColumn, .. model.ClassNames.Select(name => ProbabilityPrefix + name)],
            { Count: 1 } => [ValueColumn],
            var targets => [.. targets.Names.Select(name => NumberPrefix + name)],
        };

    private static IEnumerable<string> CsvLines(TrainedModel model, IEnumerable<Prediction> predictions)
    {
        yield return string.Join(',', Columns(model).Select(Quoted));
        foreach (var prediction in predictions)
            yield return string.Join(',', model.Targets is null ? ClassCells(prediction) : prediction.Numbers.Select(Text));
    }

    private static IEnumerable<string> ClassCells(Prediction prediction) =>
        prediction.Probabilities.Select(value => value.ToString(CultureInfo.InvariantCulture)).Prepend(Quoted(prediction.Value));

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<string> JsonLines(TrainedModel model, IEnumerable<Prediction> predictions)
    {
        var names = Columns(model);
        foreach (var prediction in predictions)
        {
            using var line = new MemoryStream();
            using (var json = new Utf8JsonWriter(line))
            {
                json.WriteStartObject();
                if (model.Targets is null)
                    json.WriteString(names[0], prediction.Value);
                for (var index = 0; index < prediction.Probabilities.Count; index++)
                    json.WriteFinite(names[index + 1], prediction.Probabilities[index]);
                for (var index = 0; index < prediction.Numbers.Count; index++)
                    json.WriteFinite(names[index], prediction.Numbers[index]);
                json.WriteEndObject();
            }

            yield return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
        }
    }

    /// <summary>A cell by RFC 4180.</summary>
    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
