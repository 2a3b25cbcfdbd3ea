using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>Moves a training state between processes: the weights, then each moment, as flat vectors of one length.</summary>
internal static class StateTransfer
{
    /// <summary>Sends a state.</summary>
    /// <param name="outgoing">The stream.</param>
    /// <param name="state">Names run, generation and step.</param>
    /// <param name="vectors">The weights, then the moments.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task SendAsync(
        IAsyncStreamWriter<TensorFrame> outgoing,
        TensorFrame state,
        IReadOnlyList<ReadOnlyMemory<float>> vectors,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(vectors);
        for (var part = 0; part < vectors.Count; part++)
        {
            var header = new TensorFrame(state)
            {
                Kind = FrameKind.State,
                Part = (uint)part,
                Offset = 0,
            };
            await SendVectorAsync(outgoing, header, vectors[part], cancellationToken);
        }
    }

    /// <summary>Receives a state.</summary>
    /// <param name="incoming">The stream.</param>
    /// <param name="run">The run's identity; a state of another run, or of an earlier coordinator of this one, is refused.</param>
    /// <param name="vectors">Receive the weights, then the moments.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The step after which the state is.</returns>
    /// <exception cref="InvalidDataException">The stream does not hold one whole state.</exception>
    public static async Task<long> ReceiveAsync(
        IAsyncStreamReader<TensorFrame> incoming,
        ulong run,
        IReadOnlyList<Memory<float>> vectors,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(incoming);
        ArgumentNullException.ThrowIfNull(vectors);
        var (part, offset) = (0, 0);
        long? step = null;
        while (await incoming.MoveNext(cancellationToken))
        {
            var frame = incoming.Current;
            if (part < vectors.Count && offset == vectors[part].Length)
                (part, offset) = (part + 1, 0);
            if (frame.Run != run)
                throw new InvalidDataException("the state belongs to another run");
            step ??= checked((long)frame.Step);
            Store(frame, step.Value, part, offset, vectors);
            offset += frame.Floats.Length;
        }

        return step is { } complete && part == vectors.Count - 1 && offset == vectors[part].Length
            ? complete
            : throw new InvalidDataException($"the state after step {step} ended early, in vector {part} at element {offset}");
    }

    /// <summary>Writes a vector as frames of bounded size, whose offsets count up; an empty one is one frame.</summary>
    internal static async Task SendVectorAsync(
        IAsyncStreamWriter<TensorFrame> outgoing,
        TensorFrame header,
        ReadOnlyMemory<float> values,
        CancellationToken cancellationToken
    )
    {
        var start = 0;
        do
        {
            var piece = values.Slice(start, Math.Min(WireLimits.FrameElements, values.Length - start));
            await outgoing.WriteAsync(header.With((long)header.Offset + start, piece.Span), cancellationToken);
            start += piece.Length;
        } while (start < values.Length);
    }

    private static void Store(TensorFrame frame, long step, int part, int offset, IReadOnlyList<Memory<float>> vectors)
    {
        if (
            frame.Kind != FrameKind.State
            || frame.Step != (ulong)step
            || part >= vectors.Count
            || frame.Part != part
            || frame.Offset != (ulong)offset
            || offset > vectors[part].Length - frame.Floats.Length
        )
        {
            throw new InvalidDataException(
                "a frame of another state came: "
                    + $"step {frame.Step}, vector {frame.Part}, element {frame.Offset} instead of {step}, {part}, {offset}"
            );
        }

        frame.Floats.CopyTo(vectors[part].Span[offset..]);
    }
}
