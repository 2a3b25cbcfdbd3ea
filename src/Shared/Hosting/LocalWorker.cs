using System.Text.Json;
using Distributed.Data;

namespace Distributed.Hosting;

/// <summary>
/// What a coordinator tells a worker that it starts itself. It goes by the environment: to a parser of command lines, some texts are more
/// than values, and the name of a file or a column may be any text.
/// </summary>
/// <param name="Number">The worker's number among those that the coordinator starts, from 1.</param>
/// <param name="Count">How many these are.</param>
/// <param name="Data">The run's data, which the worker loads, so that samples need not be sent; null for data that lies in memory alone.</param>
internal sealed record LocalWorker(int Number, int Count, DataOptions? Data)
{
    /// <summary>The variable.</summary>
    public const string EnvironmentVariable = "DISTRIBUTED_LOCAL_WORKER";

    /// <summary>What this process was told; null if no coordinator has started it.</summary>
    public static LocalWorker? OfThisProcess() =>
        Environment.GetEnvironmentVariable(EnvironmentVariable) is { } text ? JsonSerializer.Deserialize<LocalWorker>(text) : null;

    /// <summary>The variable's value.</summary>
    public string ToVariable() => JsonSerializer.Serialize(this);
}
