using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers.Files;

/// <summary>A file that another tool opens, written from the events of a run. One thread uses it.</summary>
internal interface IEventFile : IDisposable
{
    /// <summary>Whether the file has anything of an event.</summary>
    bool Takes(RunEvent runEvent);

    /// <summary>Writes an event that it takes.</summary>
    /// <param name="runEvent">The event.</param>
    /// <param name="at">When it happened.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    void Write(RunEvent runEvent, DateTimeOffset at);

    /// <summary>Hands on what has been written.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    void Flush();
}
