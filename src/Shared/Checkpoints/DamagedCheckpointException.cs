namespace Distributed.Checkpoints;

/// <summary>A checkpoint whose content is not what was written: the one before it is to be used.</summary>
internal sealed class DamagedCheckpointException(string message, Exception? inner = null) : Exception(message, inner);
