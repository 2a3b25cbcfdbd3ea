using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>What a run folder says of its run.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Configuration">What decides the result.</param>
/// <param name="Options">The same as paths of <c>config.json</c> and their values, in the order of the file.</param>
/// <param name="Summary">How it went; null while it is not complete.</param>
/// <param name="Evaluations">All evaluations that are logged.</param>
/// <param name="LastStep">The last step that is logged.</param>
internal sealed record RunOverview(
    string Path,
    RunConfiguration Configuration,
    IReadOnlyList<KeyValuePair<string, string>> Options,
    RunSummary? Summary,
    IReadOnlyList<Evaluated> Evaluations,
    long LastStep
)
{
    /// <summary>Reads a run folder.</summary>
    /// <exception cref="InputException">It holds no run, or one that cannot be read.</exception>
    public static RunOverview Read(string path)
    {
        var configuration = RunFolder.ReadConfiguration(path);
        using var log = new MetricsLog(RunFolder.MetricsPathOf(path));
        var (evaluations, lastStep) = log.Read();
        return new RunOverview(path, configuration, OptionsOf(path), RunFolder.ReadSummary(path), evaluations, lastStep);
    }

    /// <summary>The run folders that a path names: itself, or those in it, in the order of their names.</summary>
    /// <exception cref="InputException">There are none.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (RunFolder.Holds(path))
            return [path];
        if (!Directory.Exists(path))
            throw new InputException($"{path}: there is no such folder; name a run folder, or a folder of them");
        string[] found = [.. Directory.EnumerateDirectories(path).Where(RunFolder.Holds).Order(StringComparer.Ordinal)];
        return found.Length > 0 ? found : throw new InputException($"{path}: holds no run, nor folders with runs; train makes them");
    }

    /// <summary>How far it is, in a few words.</summary>
    public string State =>
        Summary switch
        {
            { StoppedEarly: true } => "stopped early",
            not null => "complete",
            null => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"at step {LastStep} of {Configuration.Steps}"),
        };

    // The configuration as it stands in the file: what a later version adds is compared as well.
    private static List<KeyValuePair<string, string>> OptionsOf(string path)
    {
        List<KeyValuePair<string, string>> options = [];
        var file = System.IO.Path.Combine(path, RunFolder.ConfigName);
        try
        {
            Add("", JsonNode.Parse(File.ReadAllText(file)));
        }
        catch (JsonException exception)
        {
            throw new InputException($"{file}: is no JSON ({exception.Message.ReplaceLineEndings(" ")})", exception);
        }

        return options;

        static string TextOf(JsonNode? node) =>
            node is null ? "none"
            : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>()
            : node.ToJsonString();

        void Add(string name, JsonNode? node)
        {
            // Layers are compared as a whole: one more of them would shift all that follow.
            if (node is not JsonObject group || name == "model")
            {
                options.Add(new(name, TextOf(node)));
                return;
            }

            foreach (var (key, value) in group)
                Add(name.Length == 0 ? key : $"{name}.{key}", value);
        }
    }
}
