using System.Buffers.Binary;
using System.Numerics;
using Distributed.Coordinator.Observers.Files.TensorBoard;
using Distributed.Coordinator.Runs;
using Google.Protobuf;

namespace Distributed.Coordinator.Observers.Files;

/// <summary>
/// The run's curves as TensorBoard reads them: records of a length, its masked CRC-32C, an event, and the event's masked CRC-32C (TensorFlow's
/// <c>record_writer.h</c>). A resumed run writes another file, and says from which step on it counts.
/// </summary>
internal sealed class TensorBoardFile : IEventFile
{
    private const uint MaskDelta = 0xa282ead8; // so that a CRC of data that holds CRCs is not one of them again

    private readonly Stream _stream;
    private bool _isMarked; // from which step on this file counts

    /// <summary>Begins a file.</summary>
    /// <param name="stream">Where to; disposed of with this object.</param>
    /// <param name="at">When it begins.</param>
    public TensorBoardFile(Stream stream, DateTimeOffset at)
    {
        _stream = stream;
        Write(new Event { FileVersion = "brain.Event:2" }, step: 0, at);
    }

    /// <summary>The name of a file: readers sort those of a run by it.</summary>
    public static string NameOf(DateTimeOffset at, string host, int process) =>
        $"events.out.tfevents.{at.ToUnixTimeSeconds():D10}.{host}.{process}.0";

    /// <inheritdoc/>
    public bool Takes(RunEvent runEvent) => runEvent is RunStarted or StepCompleted or Evaluated or WorkersMeasured or RolledBack;

    /// <inheritdoc/>
    public void Write(RunEvent runEvent, DateTimeOffset at)
    {
        switch (runEvent)
        {
            case RunStarted started when !_isMarked:
                _isMarked = true;
                Restart(started.FirstStep, at);
                break;
            case RolledBack back:
                Restart(back.Step + 1, at);
                break;
            case StepCompleted step:
                Write(step.Step, at, [("train/loss", step.Loss), ("train/learning rate", step.LearningRate), ("train/epoch", step.Epoch)]);
                break;
            case Evaluated evaluation:
                Write(evaluation.Step, at, Figures(evaluation));
                break;
            case WorkersMeasured measured:
                Write(measured.Step, at, Figures(measured));
                break;
        }
    }

    /// <inheritdoc/>
    public void Flush() => _stream.Flush();

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>The checksum of a record's part.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + MaskDelta;
    }

    private static IEnumerable<(string Tag, double Value)> Figures(Evaluated evaluation) =>
        [
            ("test/loss", evaluation.TestLoss),
            .. evaluation.Metrics.Select(metric => ($"test/{metric.Name}", metric.Value)),
            .. evaluation.HeldOut is { } heldOut
                ? heldOut.Metrics.Select(metric => ($"holdout/{metric.Name}", metric.Value)).Prepend(("holdout/loss", heldOut.Loss))
                : [],
        ];

    private static IEnumerable<(string Tag, double Value)> Figures(WorkersMeasured measured) =>
        [
            ("speed/samples per second", measured.SamplesPerSecond),
            ("speed/workers", measured.Workers.Count),
            .. measured.Workers.Select(worker => ($"waiting/{worker.Worker}", worker.Waiting)),
        ];

    // What readers have seen of this and later steps is thrown away by them.
    private void Restart(long step, DateTimeOffset at) =>
        Write(new Event { SessionLog = new SessionLog { Status = SessionLog.Types.SessionStatus.Start } }, step, at);

    private void Write(long step, DateTimeOffset at, IEnumerable<(string Tag, double Value)> values)
    {
        var summary = new Summary();
        foreach (var (tag, value) in values)
            summary.Value.Add(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value });
        Write(new Event { Summary = summary }, step, at);
    }

    private void Write(Event record, long step, DateTimeOffset at)
    {
        (record.Step, record.WallTime) = (step, at.ToUnixTimeMilliseconds() / 1e3);
        var data = record.ToByteArray();
        Span<byte> head = stackalloc byte[sizeof(ulong) + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(head, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[sizeof(ulong)..], MaskedCrc(head[..sizeof(ulong)]));
        _stream.Write(head);
        _stream.Write(data);
        Span<byte> foot = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(foot, MaskedCrc(data));
        _stream.Write(foot);
    }
}
