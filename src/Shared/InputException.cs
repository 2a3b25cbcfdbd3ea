namespace Distributed;

/// <summary>
/// Bad input or configuration: something the person who started the program can put right. The message is one line that names
/// the thing, its value and the remedy; programs print it to standard error and exit with code 2.
/// </summary>
/// <param name="message">One line: what is wrong, where, and what would be right.</param>
/// <param name="inner">The failure underneath, if there is one.</param>
public class InputException(string message, Exception? inner = null) : Exception(message, inner);
