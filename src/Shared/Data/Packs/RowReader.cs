using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Data.Packs;

/// <summary>
/// Reads rows and stretches of a file before they are asked for, many at once, so that a disk that takes its time for each serves them beside each other.
/// What is read is thrown away: the system keeps it, and the mapping of the file finds it there. Only advice: rows that are not read in time are read
/// when they are used, and where everything is in memory anyway hardly any is asked for.
/// </summary>
internal sealed class RowReader
{
    private const int Readers = 32;
    private const int RowsOfPiece = 16;

    /// <summary>What waits to be read, in pieces, of all files; what does not fit is left out.</summary>
    private const int MostWaiting = 4096;

    private const int StackBytes = 256 * 1024;

    /// <summary>A stretch is read in pieces, so that several readers share it, and its first samples need not wait for its last.</summary>
    private const int BytesOfPiece = 128 * 1024;

    private static readonly Lazy<BlockingCollection<Piece>> Waiting = new(Start);

    [ThreadStatic]
    private static byte[]? _thrownAway;

    private readonly string _path;
    private readonly long _length;
    private readonly Lazy<SafeFileHandle?> _file;
    private readonly ColdStart _pace = new();

    /// <param name="path">The file.</param>
    /// <param name="length">Its length.</param>
    public RowReader(string path, long length)
    {
        (_path, _length) = (path, length);
        _file = new Lazy<SafeFileHandle?>(Open);
    }

    /// <summary>Begins to read rows; returns at once.</summary>
    /// <param name="rows">The rows, in the order in which they will be used.</param>
    /// <param name="bytes">Bytes of a row.</param>
    public void Read(ReadOnlyMemory<int> rows, int bytes)
    {
        for (var first = 0; first < rows.Length; first += RowsOfPiece)
        {
            if (_pace.IsWorthwhile())
                _ = Waiting.Value.TryAdd(new Piece(this, rows.Slice(first, Math.Min(RowsOfPiece, rows.Length - first)), Offset: 0, bytes));
        }
    }

    /// <summary>Begins to read consecutive bytes; returns at once.</summary>
    /// <param name="offset">The first one.</param>
    /// <param name="length">How many.</param>
    public void Read(long offset, long length)
    {
        for (var end = offset + length; offset < end; offset += BytesOfPiece)
            _ = Waiting.Value.TryAdd(new Piece(this, Rows: default, offset, (int)Math.Min(BytesOfPiece, end - offset)));
    }

    private static BlockingCollection<Piece> Start()
    {
        BlockingCollection<Piece> waiting = new(MostWaiting);
        for (var i = 0; i < Readers; i++)
            new Thread(Work, StackBytes) { IsBackground = true, Name = "read ahead" }.Start();
        return waiting;

        void Work()
        {
            foreach (var piece in waiting.GetConsumingEnumerable())
                piece.Reader.Fetch(piece);
        }
    }

    private SafeFileHandle? Open()
    {
        try
        {
            // Otherwise the system would read ahead of every row by itself, which is of no use to rows in any order.
            return File.OpenHandle(_path, options: FileOptions.RandomAccess);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // the mapping says so, if it matters
        }
    }

    private void Fetch(in Piece piece)
    {
        if (_file.Value is not { } file)
            return;
        try
        {
            if (piece.Rows.IsEmpty)
                FetchStretch(file, piece.Offset, piece.Bytes);
            else
                FetchRows(file, piece.Rows.Span, piece.Bytes);
        }
        catch (IOException)
        {
            // Whoever uses these rows hears of it.
        }
    }

    private static void FetchStretch(SafeFileHandle file, long offset, int bytes)
    {
        _thrownAway ??= new byte[BytesOfPiece];
        _ = RandomAccess.Read(file, _thrownAway.AsSpan(0, bytes), offset);
    }

    private void FetchRows(SafeFileHandle file, ReadOnlySpan<int> rows, int bytes)
    {
        Span<byte> page = stackalloc byte[1];
        var began = Stopwatch.GetTimestamp();
        foreach (var row in rows)
        {
            if (row < 0)
                continue; // whoever uses it hears of it
            var (offset, end) = ((long)row * bytes, Math.Min(((long)row + 1) * bytes, _length));
            for (; offset < end; offset = (offset / PageHashes.PageBytes + 1) * PageHashes.PageBytes)
                _ = RandomAccess.Read(file, page, offset);
        }

        _pace.Took(Stopwatch.GetElapsedTime(began), rows.Length);
    }

    /// <summary>What one reader reads at a time.</summary>
    /// <param name="Reader">Of which file.</param>
    /// <param name="Rows">Rows; none for a stretch.</param>
    /// <param name="Offset">Where a stretch begins.</param>
    /// <param name="Bytes">Bytes of a row, or of the stretch.</param>
    private readonly record struct Piece(RowReader Reader, ReadOnlyMemory<int> Rows, long Offset, int Bytes);
}
