using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Distributed.Training;

/// <summary>
/// <c>config.json</c>: written in full and read strictly, since a field that is missing or not understood would change the result unseen.
/// </summary>
public static class RunConfigurationJson
{
    private const string VersionName = "numericsVersion";
    private const string EndName = "steps";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        IgnoreReadOnlyProperties = true,
        Converters = { new JsonStringEnumConverter(new LowerCase(), allowIntegerValues: false) },
    };

    /// <summary>The configuration as indented JSON.</summary>
    public static string Write(RunConfiguration configuration) => JsonSerializer.Serialize(configuration, Options) + "\n";

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
            var root = JsonNode.Parse(json) ?? throw new JsonException("it is null");
            CheckVersion(root, sourceName);
            var configuration = root.Deserialize<RunConfiguration>(Options)!;
            CheckComplete(root, configuration, sourceName);
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
            .Where(field => field.Key != EndName || configuration.Schedule.DependsOnEnd)
            .Where(field => !ResumeRule.IsPlace(field.Key))
            .Select(field => $"{field.Key}={field.Value}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
    }

    /// <summary>Every value under its path, such as <c>optimizer.momentum</c>, in the order of the file.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string>> Fields(RunConfiguration configuration) =>
        [.. Leaves(JsonSerializer.SerializeToNode(configuration, Options), "")];

    private static void CheckVersion(JsonNode root, string sourceName)
    {
        var version = root[VersionName]?.GetValue<int>() ?? throw new JsonException($"'{VersionName}' is missing");
        if (version != Checkpoints.NumericsVersion.Current)
        {
            throw new InputException(
                $"{sourceName}: its numerics version is {version}, this program's is {Checkpoints.NumericsVersion.Current}: use the version of the program that began the run"
            );
        }
    }

    /// <summary>Optional properties would take today's defaults where the file is silent; they must be there as well.</summary>
    private static void CheckComplete(JsonNode root, RunConfiguration configuration, string sourceName)
    {
        HashSet<string> present = [.. Leaves(root, "").Select(leaf => leaf.Key)];
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

    /// <summary>Enumerations as the command line writes them.</summary>
    private sealed class LowerCase : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name.ToLowerInvariant();
    }
}
