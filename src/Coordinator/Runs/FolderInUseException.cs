namespace Distributed.Coordinator.Runs;

/// <summary>Another coordinator holds a run folder.</summary>
/// <param name="message">One line that names the folder.</param>
/// <param name="inner">What the system said.</param>
internal sealed class FolderInUseException(string message, Exception inner) : InputException(message, inner);
