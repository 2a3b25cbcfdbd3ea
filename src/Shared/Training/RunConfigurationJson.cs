using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Data;

namespace Distributed.Training;

/// <summary>
/// <c>config.json</c>: written in full and read strictly, since a field that is missing or not understood would change the result unseen.
/// </summary>
internal static class RunConfigurationJson
{
    private const string VersionName = "numericsVersion";
    private const string EndName = "steps";
    private const string DatasetName = "datasetSha256";
    private const string WeightsName = "initWeightsSha256";

    /// <summary>Each hash stands behind the option that names what is hashed.</summary>
    private static readonly (string Name, string After)[] Hashes = [(DatasetName, "data"), (WeightsName, "initWeights")];

    private static readonly JsonDocumentOptions Unambiguous = new() { AllowDuplicateProperties = false };

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        IgnoreReadOnlyProperties = true,
    };

    /// <summary>The configuration as indented JSON.</summary>
    public static string Write(RunConfiguration configuration) => ToNode(configuration).ToJsonString(Options) + "\n";

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="sourceName">The file, for messages.</param>
    /// <exception cref="InputException">
    /// Not JSON, a field is missing or unknown, a value has another type, or the numerics version is another.
    /// </exception>
    public static RunConfiguration Read(string json, string sourceName)
    {
        try
        {
            var root = JsonNode.Parse(json, documentOptions: Unambiguous) as JsonObject ?? throw new JsonException("it is not an object");
            CheckVersion(root, sourceName);
            HashSet<string> present = [.. Leaves(root, "").Select(leaf => leaf.Key)];
            var configuration = FromNode(root);
            CheckComplete(present, configuration, sourceName);
            return configuration;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new InputException(
                $"{sourceName}: not a run's configuration ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')})",
                exception
            );
        }
    }

    /// <summary>
    /// The SHA-256 of what decides the run's course. The end is left out: where the schedule does not depend on it, a longer run
    /// passes through the same states.
    /// </summary>
    public static string Hash(RunConfiguration configuration)
    {
        var lines = Fields(configuration)
            .Where(field => field.Key != EndName || configuration.Options.Schedule.DependsOnEnd)
            .Where(field => !ResumeRule.IsPlace(field.Key))
            .Select(field => $"{field.Key}={field.Value}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
    }

    /// <summary>Every value under its path, such as <c>optimizer.momentum</c>, in the order of the file.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string>> Fields(RunConfiguration configuration) =>
        [.. Leaves(ToNode(configuration), "")];

    /// <summary>
    /// The options with the version and the hashes among them, in the order in which earlier versions wrote and hashed them. A file that
    /// says nothing of the task is of classes: earlier versions knew no other.
    /// </summary>
    private static JsonObject ToNode(RunConfiguration configuration)
    {
        var (options, task) = (configuration.Options, configuration.Options.Data.Task);
        var written = options with { Data = options.Data with { Task = task == LearningTask.Classification ? null : task } };
        var root = (JsonObject)JsonSerializer.SerializeToNode(written, Options)!;
        root.Insert(0, VersionName, configuration.NumericsVersion);
        foreach (var (name, after) in Hashes)
            root.Insert(root.IndexOf(after) + 1, name, name == DatasetName ? configuration.DatasetSha256 : configuration.InitWeightsSha256);
        return root;
    }

    private static RunConfiguration FromNode(JsonObject root)
    {
        var configuration = new RunConfiguration
        {
            NumericsVersion = root[VersionName]!.GetValue<int>(),
            DatasetSha256 = root[DatasetName]?.GetValue<string>() ?? throw new JsonException($"'{DatasetName}' is missing"),
            InitWeightsSha256 = root[WeightsName]?.GetValue<string>(),
            Options = new(),
        };
        foreach (var name in new[] { VersionName, DatasetName, WeightsName })
            root.Remove(name);
        var options = root.Deserialize<TrainingOptions>(Options)!;
        if (options.Epochs is not null)
            throw new JsonException("'epochs' stands where only steps may");
        if (options is not { Steps: not null, Microbatch: not null, CheckpointEvery: not null, EvalEvery: not null })
            throw new JsonException("a number is null");
        if (options.ClassWeights is { Numbers: null })
            throw new JsonException("'classWeights' is a name where numbers stand");
        var data = options.Data with { Task = options.Data.Task ?? LearningTask.Classification };
        return configuration with { Options = options with { Data = data } };
    }

    private static void CheckVersion(JsonNode root, string sourceName)
    {
        var version = root[VersionName]?.GetValue<int>() ?? throw new JsonException($"'{VersionName}' is missing");
        if (version != Checkpoints.NumericsVersion.Current)
        {
            throw new InputException(
                $"{sourceName}: its numerics version is {version}, this program's is {Checkpoints.NumericsVersion.Current}: "
                    + "use the version of the program that began the run"
            );
        }
    }

    /// <summary>Optional properties would take today's defaults where the file is silent; they must be there as well.</summary>
    private static void CheckComplete(HashSet<string> present, RunConfiguration configuration, string sourceName)
    {
        string[] missing = [.. Fields(configuration).Select(field => field.Key).Where(key => !present.Contains(key))];
        if (missing.Length > 0)
            throw new InputException($"{sourceName}: not a run's configuration ({string.Join(", ", missing)} missing)");
    }

    private static IEnumerable<KeyValuePair<string, string>> Leaves(JsonNode? node, string path) =>
        node switch
        {
            JsonObject group when path != "model" => group.SelectMany(member =>
                Leaves(member.Value, path.Length == 0 ? member.Key : $"{path}.{member.Key}")
            ),
            _ => [new(path, node?.ToJsonString() ?? "null")],
        };
}
