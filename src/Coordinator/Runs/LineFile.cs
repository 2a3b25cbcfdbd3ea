using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// A file of lines to which a run appends. A line that cannot be written, as on a full disk, waits in memory, and is written before the
/// next one: every line is there once, whole and in order.
/// </summary>
/// <param name="path">The file; created by the first line.</param>
/// <param name="open">Opens it, for reading and writing; null for a file of the system.</param>
/// <param name="mostWaiting">How many bytes may wait; what comes beyond that is lost.</param>
internal sealed class LineFile(string path, Func<string, Stream>? open = null, long mostWaiting = LineFile.MostWaiting) : IDisposable
{
    /// <summary>Lines of 100,000 steps and more.</summary>
    public const long MostWaiting = 16 << 20;

    private const byte LineEnd = (byte)'\n';

    private readonly Lock _lock = new(); // checkpoints flush the file in the background
    private readonly Queue<byte[]> _waiting = new();
    private readonly Func<string, Stream> _open = open
        ?? (file => new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0));
    private Stream? _stream;
    private long _length = -1; // of the whole lines; unknown before the file was open
    private long _waitingBytes;

    /// <summary>Why lines are waiting; null if none is.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>How many lines were lost because too many were waiting.</summary>
    public long Lost { get; private set; }

    /// <summary>Appends a line, after those that are waiting.</summary>
    /// <param name="line">The line with its end; kept.</param>
    public void Append(byte[] line)
    {
        lock (_lock)
        {
            WriteWaiting();
            if (_waitingBytes + line.Length > mostWaiting)
            {
                Lost++;
                return;
            }

            _waiting.Enqueue(line);
            _waitingBytes += line.Length;
            if (_waiting.Count == 1)
                WriteWaiting();
        }
    }

    /// <summary>Waits until all lines are on disk.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    public void FlushToDisk()
    {
        SafeFileHandle? handle;
        lock (_lock)
        {
            WriteWaiting();
            if (Failure is { } failure)
                throw new IOException(failure.Message, failure);
            handle = (_stream as FileStream)?.SafeFileHandle;
        }

        // Lines are appended meanwhile.
        if (handle is not null)
            RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Closes the file; the next line opens it again.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            WriteWaiting();
            _stream?.Dispose();
            _stream = null;
            _length = -1;
        }
    }

    /// <summary>Cuts a file after its first lines that are whole and stay; where it lies, which takes no room.</summary>
    /// <param name="path">The file; nothing happens if there is none.</param>
    /// <param name="stays">Whether a line stays.</param>
    public static void Cut(string path, Func<string, bool> stays)
    {
        if (!File.Exists(path))
            return;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        var kept = LengthWhile(stream, stays);
        if (kept == stream.Length)
            return;
        stream.SetLength(kept);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>The bytes of a file's first lines that are whole, and for which a condition holds.</summary>
    /// <param name="stream">The file, from its beginning.</param>
    /// <param name="holds">Asked for each line in turn, until it says no.</param>
    public static long LengthWhile(Stream stream, Func<string, bool> holds)
    {
        var length = 0L;
        using var reader = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        while (reader.ReadLine() is { } text)
        {
            var end = length + Encoding.UTF8.GetByteCount(text) + 1;
            if (end > stream.Length || !holds(text))
                break; // whole but for its end, or the first that does not stay
            length = end;
        }

        return length;
    }

    private void WriteWaiting()
    {
        try
        {
            while (_waiting.TryPeek(out var line))
            {
                _stream ??= Open();
                _stream.Write(line); // in one piece, so that a concurrent reader sees whole lines
                _length += line.Length;
                _waitingBytes -= line.Length;
                _waiting.Dequeue();
            }

            Failure = null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Failure = exception;
            Abandon();
        }
    }

    // Opened anew by the next line: what has failed may be the handle. A part of a line must not stay, for readers or after a crash.
    private void Abandon()
    {
        try
        {
            using var stream = _stream;
            stream?.SetLength(_length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Cut when the file is opened again.
        }

        _stream = null;
    }

    private Stream Open()
    {
        var stream = _open(path);
        try
        {
            if (_length < 0 || _length > stream.Length)
                _length = WholeLines(stream);
            if (stream.Length > _length)
                stream.SetLength(_length);
            stream.Position = _length;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    // A crash may have cut the last line short.
    private static long WholeLines(Stream stream)
    {
        for (var length = stream.Length; length > 0; length--)
        {
            stream.Position = length - 1;
            if (stream.ReadByte() == LineEnd)
                return length;
        }

        return 0;
    }
}
