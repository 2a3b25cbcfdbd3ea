using System.Buffers;
using Distributed.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>
/// Moves a training state between processes: the weights, then each moment, as flat vectors of one length, and at the end their
/// <see cref="StateHash"/>.
/// </summary>
internal static class StateTransfer
{
    /// <summary>The most members that one fetches a state from.</summary>
    public const int MostStripes = 8;

    /// <summary>How many stripes a state is cut into.</summary>
    /// <param name="length">The flat vector's length.</param>
    /// <param name="sources">How many members have the state.</param>
    public static int Stripes(int length, int sources) =>
        Math.Clamp(length / WireLimits.FrameElements, 1, Math.Clamp(sources, 1, MostStripes));

    /// <summary>Where a stripe of a vector begins and ends.</summary>
    /// <param name="length">The vector's length.</param>
    /// <param name="stripe">The stripe, from 0.</param>
    /// <param name="stripes">How many there are.</param>
    public static Range Stripe(int length, int stripe, int stripes) =>
        (int)((long)length * stripe / stripes)..(int)((long)length * (stripe + 1) / stripes);

    /// <summary>Sends a state, or a stripe of it.</summary>
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

        var end = new TensorFrame(state)
        {
            Kind = FrameKind.State,
            Part = (uint)vectors.Count,
            Offset = 0,
            Values = UnsafeByteOperations.UnsafeWrap(StateHash.Of(vectors)),
        };
        await outgoing.WriteAsync(end, cancellationToken);
    }

    /// <summary>Receives a state.</summary>
    /// <param name="incoming">The stream.</param>
    /// <param name="run">The run's identity; a state of another run, or of an earlier coordinator of this one, is refused.</param>
    /// <param name="vectors">Receive the weights, then the moments.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The step after which the state is, and its hash.</returns>
    /// <exception cref="InvalidDataException">The stream does not hold one whole state, or it was changed on its way.</exception>
    public static async Task<(long Step, ByteString Hash)> ReceiveAsync(
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
        ByteString? sent = null;
        var hash = new StateHash();
        while (await incoming.MoveNext(cancellationToken))
        {
            var frame = incoming.Current;
            if (part < vectors.Count && offset == vectors[part].Length)
                (part, offset) = (part + 1, 0);
            if (frame.Run != run)
                throw new InvalidDataException("the state belongs to another run");
            step ??= checked((long)frame.Step);
            Check(frame, step.Value, part, offset, isOver: sent is not null);
            if (part == vectors.Count)
            {
                sent = frame.Values;
                continue;
            }

            Store(frame, offset, vectors[part]);
            hash.Append(frame.Floats);
            offset += frame.Floats.Length;
        }

        if (step is not { } complete || sent is null)
            throw new InvalidDataException($"the state after step {step} ended early, in vector {part} at element {offset}");
        return sent.Span.SequenceEqual(hash.Value())
            ? (complete, sent)
            : throw new InvalidDataException($"the state after step {step} was changed on its way: its hash is another one");
    }

    /// <summary>Copies a state, and takes its hash on the way: of a large one, memory is read once.</summary>
    /// <param name="from">The weights, then the moments.</param>
    /// <param name="to">The same, as long.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The hash of what was copied.</returns>
    public static ByteString Copy(IReadOnlyList<MemoryManager<float>> from, IReadOnlyList<float[]> to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        var hash = new StateHash();
        for (var part = 0; part < from.Count; part++)
        {
            for (var start = 0; start < to[part].Length; start += WireLimits.FrameElements)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = to[part].AsSpan(start, Math.Min(WireLimits.FrameElements, to[part].Length - start));
                from[part].GetSpan().Slice(start, piece.Length).CopyTo(piece);
                hash.Append(piece);
            }
        }

        return UnsafeByteOperations.UnsafeWrap(hash.Value());
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

    private static void Check(TensorFrame frame, long step, int part, int offset, bool isOver)
    {
        if (isOver || frame.Kind != FrameKind.State || frame.Step != (ulong)step || frame.Part != part || frame.Offset != (ulong)offset)
            throw Stray(frame, step, part, offset);
    }

    private static void Store(TensorFrame frame, int offset, Memory<float> vector)
    {
        if (offset > vector.Length - frame.Floats.Length)
            throw Stray(frame, (long)frame.Step, (int)frame.Part, offset);
        frame.Floats.CopyTo(vector.Span[offset..]);
    }

    private static InvalidDataException Stray(TensorFrame frame, long step, int part, int offset) =>
        new(
            "a frame of another state came: "
                + $"step {frame.Step}, vector {frame.Part}, element {frame.Offset} instead of {step}, {part}, {offset}"
        );
}
