using System.Buffers.Binary;
using Distributed.Coordinator.Observers.Files;
using Distributed.Coordinator.Observers.Files.TensorBoard;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers.Files;

public sealed class TensorBoardFileTests
{
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_250);

    [Fact]
    public void Checksums_are_those_of_the_record_format() => Assert.Equal(Masked(0xE3069283), TensorBoardFile.MaskedCrc("123456789"u8)); // the check value of CRC-32C, RFC 3720

    [Fact]
    public void The_curves_are_those_of_the_run()
    {
        var events = Write(
            new RunStarted(1, 100, 2, "shm"),
            new StepCompleted(7, 2, 0.25F, 0.01F, 64),
            Evaluated.Of(7, new TestScore(0.5, [new Metric("accuracy", 0.75)]), new TestScore(0.4, [new Metric("accuracy", 0.8)])),
            new WorkersMeasured(9, 1, 1234, [new WorkerTimes("worker 1", 3, 600, 0.5, 0.2, 0.3)])
        );
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.Equal((SessionLog.Types.SessionStatus.Start, 1), (events[1].SessionLog.Status, events[1].Step));
        Assert.Equal(["7 train/loss 0.25", "7 train/learning rate 0.01", "7 train/epoch 2"], Values(events[2]));
        Assert.Equal(["7 test/loss 0.5", "7 test/accuracy 0.75", "7 holdout/loss 0.4", "7 holdout/accuracy 0.8"], Values(events[3]));
        Assert.Equal(["9 speed/samples per second 1234", "9 speed/workers 1", "9 waiting/worker 1 0.3"], Values(events[4]));
        Assert.All(events, one => Assert.Equal(1_800_000_000.25, one.WallTime));
    }

    [Fact]
    public void What_is_trained_anew_replaces_what_readers_have_seen()
    {
        var events = Write(new RunStarted(41, 100, 2, "shm"), new RolledBack(60, "states differ"));
        Assert.Equal([41, 61], events.Skip(1).Select(one => one.Step));
        Assert.All(events.Skip(1), one => Assert.Equal(SessionLog.Types.SessionStatus.Start, one.SessionLog.Status));
    }

    private static IEnumerable<string> Values(Event one) =>
        one.Summary.Value.Select(value => FormattableString.Invariant($"{one.Step} {value.Tag} {value.SimpleValue}"));

    private static List<Event> Write(params RunEvent[] events)
    {
        var stream = new MemoryStream();
        using (var file = new TensorBoardFile(stream, At))
        {
            foreach (var one in events)
            {
                Assert.True(file.Takes(one));
                file.Write(one, At);
            }
        }

        return [.. Read(stream.ToArray())];
    }

    private static IEnumerable<Event> Read(byte[] file)
    {
        for (var place = 0; place < file.Length; )
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(place));
            Assert.Equal(Crc(file.AsSpan(place, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place + 8)));
            var data = file.AsSpan(place + 12, length);
            Assert.Equal(Crc(data), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place + 12 + length)));
            yield return Event.Parser.ParseFrom(data.ToArray());
            place += 16 + length;
        }
    }

    // Bit by bit, by the polynomial.
    private static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }

        return Masked(~crc);
    }

    private static uint Masked(uint crc) => ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}
