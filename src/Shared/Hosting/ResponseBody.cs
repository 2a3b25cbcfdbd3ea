using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Distributed.Hosting;

/// <summary>
/// The body of a response, whose buffers are never empty. Once a client has reset a call, Kestrel's writer returns an empty buffer to who
/// asks for one of any size, and the writer of Google.Protobuf would ask again without end, on a core of its own: as often as a client
/// went in the middle of a message that was larger than a buffer.
/// </summary>
/// <param name="inner">The server's own.</param>
internal sealed class ResponseBody(IHttpResponseBodyFeature inner) : IHttpResponseBodyFeature
{
    /// <inheritdoc />
    public Stream Stream => inner.Stream;

    /// <inheritdoc />
    public PipeWriter Writer { get; } = new FilledWriter(inner.Writer);

    /// <summary>Gives every call to come such a body.</summary>
    public static void Use(WebApplication app) =>
        app.Use(
            (context, next) =>
            {
                context.Features.Set<IHttpResponseBodyFeature>(
                    new ResponseBody(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>())
                );
                return next(context);
            }
        );

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    /// <inheritdoc />
    public Task CompleteAsync() => inner.CompleteAsync();

    /// <inheritdoc />
    public void DisableBuffering() => inner.DisableBuffering();

    /// <inheritdoc />
    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        inner.SendFileAsync(path, offset, count, cancellationToken);
}

/// <summary>A writer whose buffers hold at least one byte.</summary>
/// <param name="inner">Where everything goes.</param>
internal sealed class FilledWriter(PipeWriter inner) : PipeWriter
{
    /// <inheritdoc />
    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    /// <inheritdoc />
    public override long UnflushedBytes => inner.UnflushedBytes;

    /// <inheritdoc />
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(Math.Max(1, sizeHint));

    /// <inheritdoc />
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(Math.Max(1, sizeHint));

    /// <inheritdoc />
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc />
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    /// <inheritdoc />
    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(source, cancellationToken);

    /// <inheritdoc />
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc />
    public override void Complete(Exception? exception = null) => inner.Complete(exception);
}
