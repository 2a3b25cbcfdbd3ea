using Distributed.Collectives;
using Distributed.Collectives.Transports.SharedMemory;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Computing;

/// <summary>
/// Copies the state and lets the coordinator have the copy while training continues; one at a time, and independent of views. A
/// coordinator of the same host reads it from shared memory.
/// </summary>
/// <param name="client">Reaches the coordinator.</param>
/// <param name="failed">
/// Called at once with the step whose snapshot could not be sent, and why: no later call would report the last one.
/// </param>
/// <param name="sharesMemory">Whether the coordinator may read the copy in place.</param>
/// <param name="progress">Counts what has been sent; or null.</param>
internal sealed class SnapshotSender(
    Tensors.TensorsClient client,
    Action<long, Exception> failed,
    bool sharesMemory,
    ProgressCounter? progress = null
) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private List<Memory<float>> _copies = [];
    private SharedState? _shared;
    private bool _isRefused;
    private Task _sending = Task.CompletedTask;

    /// <summary>Takes a snapshot; returns when the copy is made, which waits for the snapshot before to be sent.</summary>
    /// <param name="state">The state; not written until this returns.</param>
    /// <param name="header">Names run, generation and step.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public async Task TakeAsync(TrainingState state, TensorFrame header, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        AlignedBuffer[] vectors = [state.Weights, .. state.Moments];
        if (_copies.Count == 0)
            _copies = MakeRoom(state.Weights.Length, vectors.Length);
        for (var i = 0; i < vectors.Length; i++)
            vectors[i].Span.CopyTo(_copies[i].Span);
        _sending = SendOrTellAsync(header, _ending.Token);
    }

    /// <summary>Waits until the last snapshot has arrived, or is known not to.</summary>
    public Task FlushAsync() => _sending;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _sending;
        _shared?.Dispose();
        _ending.Dispose();
    }

    private List<Memory<float>> MakeRoom(int length, int vectors)
    {
        _shared = sharesMemory ? SharedState.TryCreate(length, vectors) : null;
        return _shared is null
            ? [.. Enumerable.Range(0, vectors).Select(_ => new AlignedBuffer(length).Memory)]
            : [.. _shared.Vectors.Select(vector => vector.Memory)];
    }

    private async Task SendOrTellAsync(TensorFrame header, CancellationToken cancellationToken)
    {
        try
        {
            if (_shared is null || _isRefused || !await IsReadAsync(_shared, header, cancellationToken))
                await SendAsync(header, cancellationToken);
        }
        catch (Exception exception)
        {
            if (!cancellationToken.IsCancellationRequested)
                failed((long)header.Step, exception);
        }
    }

    private async Task<bool> IsReadAsync(SharedState shared, TensorFrame header, CancellationToken cancellationToken)
    {
        var offer = new StateOffer
        {
            Run = header.Run,
            Step = header.Step,
            Memory = shared.Offer().ToMessage(),
        };
        var answer = await client.ReadStateAsync(offer, cancellationToken: cancellationToken);
        progress?.Advance();
        _isRefused = answer.Refusal.Length > 0;
        return !_isRefused;
    }

    private async Task SendAsync(TensorFrame header, CancellationToken cancellationToken)
    {
        using var call = client.StoreState(cancellationToken: cancellationToken);
        await StateTransfer.SendAsync(
            new CountedWriter(call.RequestStream, () => progress?.Advance()),
            header,
            [.. _copies.Select(copy => (ReadOnlyMemory<float>)copy)],
            cancellationToken
        );
        await call.RequestStream.CompleteAsync();
        await call;
    }
}
