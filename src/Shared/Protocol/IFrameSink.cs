namespace Distributed.Protocol;

/// <summary>Knows where the values of a frame belong before they are read, so that they are read to there at once.</summary>
public interface IFrameSink
{
    /// <summary>Where the values go. Any thread may ask.</summary>
    /// <param name="header">The frame's header.</param>
    /// <param name="count">The number of values.</param>
    /// <returns>[count], or nothing where that is not known yet: the frame then holds the values in pooled memory.</returns>
    Memory<float> Destination(in FrameHeader header, int count);

    /// <summary>Whether a frame has to wait until what it belongs to has begun. Any thread may ask.</summary>
    /// <param name="header">The frame's header.</param>
    bool IsEarly(in FrameHeader header) => false;
}
