namespace Distributed.Worker;

/// <summary>This worker can do nothing more, but the run may go on later, and wants it then.</summary>
/// <param name="message">One line: what has happened.</param>
internal sealed class RunSuspendedException(string message) : Exception(message);
