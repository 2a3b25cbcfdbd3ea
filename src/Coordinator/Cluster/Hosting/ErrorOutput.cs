namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>What a process that has failed said last of the reason.</summary>
internal static class ErrorOutput
{
    /// <summary>Whether a line says something by itself, which an empty one and those of a stack trace do not.</summary>
    public static bool IsMessage(string line)
    {
        var words = line.AsSpan().Trim();
        return !words.IsEmpty && !words.StartsWith("at ") && !words.StartsWith("--- ");
    }
}
