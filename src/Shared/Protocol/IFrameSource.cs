namespace Distributed.Protocol;

/// <summary>
/// Where frames come from, to one who waits for them and receives them on its own thread. Others may receive from it at the same time.
/// </summary>
public interface IFrameSource
{
    /// <summary>Receives what has come and hands it on, without waiting.</summary>
    /// <returns>False when nothing more will come.</returns>
    bool Receive();

    /// <summary>Waits until there is something to receive. It may not return for what another thread receives meanwhile.</summary>
    /// <param name="atMost">How long.</param>
    void Wait(TimeSpan atMost);
}
