namespace Distributed.Model;

/// <summary>Is told while a backward pass goes on, from the last parameters to the first.</summary>
public interface IBackwardProgress
{
    /// <summary>
    /// The gradient is complete from an element of the flat vector to its end. Called on the thread that computes, with 0 at last.
    /// </summary>
    /// <param name="offset">The first element that is complete; never above one before.</param>
    void CompletedFrom(int offset);
}
