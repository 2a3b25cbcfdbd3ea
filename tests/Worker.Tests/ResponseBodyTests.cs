using System.IO.Pipelines;
using Distributed.Hosting;
using Distributed.Protocol;
using Google.Protobuf;
using Xunit;

namespace Distributed.Worker.Tests;

public sealed class ResponseBodyTests
{
    [Fact]
    public void A_message_to_a_client_that_has_gone_is_written_to_an_end()
    {
        var gone = new GoneWriter();
        var frame = new TensorFrame { Values = ByteString.CopyFrom(new byte[100_000]) };
        frame.WriteTo(new FilledWriter(gone));
        Assert.Equal(frame.CalculateSize(), gone.Written);
    }

    /// <summary>As Kestrel's, after a reset: as much as was asked for, and nothing where that is left open.</summary>
    private sealed class GoneWriter : PipeWriter
    {
        public int Written { get; private set; }

        public override Memory<byte> GetMemory(int sizeHint = 0) => new byte[sizeHint];

        public override Span<byte> GetSpan(int sizeHint = 0) => new byte[sizeHint];

        public override void Advance(int bytes) => Written += bytes;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush() { }

        public override void Complete(Exception? exception = null) { }
    }
}
