using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Worker.Computing;

/// <summary>A stream of tensor frames in, each of which is noticed.</summary>
/// <param name="stream">The stream.</param>
/// <param name="received">Called for each frame.</param>
internal sealed class CountedReader(IAsyncStreamReader<TensorFrame> stream, Action received) : IAsyncStreamReader<TensorFrame>
{
    /// <inheritdoc />
    public TensorFrame Current => stream.Current;

    /// <inheritdoc />
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var hasNext = await stream.MoveNext(cancellationToken);
        received();
        return hasNext;
    }
}

/// <summary>A stream of tensor frames out, each of which is noticed.</summary>
/// <param name="stream">The stream.</param>
/// <param name="sent">Called for each frame.</param>
internal sealed class CountedWriter(IAsyncStreamWriter<TensorFrame> stream, Action sent) : IAsyncStreamWriter<TensorFrame>
{
    /// <inheritdoc />
    public WriteOptions? WriteOptions
    {
        get => stream.WriteOptions;
        set => stream.WriteOptions = value;
    }

    /// <inheritdoc />
    public Task WriteAsync(TensorFrame message) => WriteAsync(message, CancellationToken.None);

    /// <inheritdoc />
    public async Task WriteAsync(TensorFrame message, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(message, cancellationToken);
        sent();
    }
}
