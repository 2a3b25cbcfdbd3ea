namespace Distributed;

/// <summary>
/// A run that could not go on although its input was right: a worker died, a loss became infinite, a disk filled up. The message is one
/// line that says which worker, step and phase, and the likely cause; programs print it to standard error and exit with code 1.
/// </summary>
/// <param name="message">One line: what failed, where, and the likely cause.</param>
/// <param name="inner">The failure underneath, if there is one.</param>
public sealed class RunFailedException(string message, Exception? inner = null) : Exception(message, inner);
