using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Data.Packs;

/// <summary>
/// Reads rows of a file before they are asked for, many at once, so that a disk that takes its time for each serves them beside each other.
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

    private static readonly Lazy<BlockingCollection<Piece>> Waiting = new(Start);

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
                _ = Waiting.Value.TryAdd(new Piece(this, rows.Slice(first, Math.Min(RowsOfPiece, rows.Length - first)), bytes));
        }
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
            Fetch(file, piece.Rows.Span, piece.BytesOfRow);
        }
        catch (IOException)
        {
            // Whoever uses these rows hears of it.
        }
    }

    private void Fetch(SafeFileHandle file, ReadOnlySpan<int> rows, int bytes)
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
    /// <param name="Rows">The rows.</param>
    /// <param name="BytesOfRow">Bytes of each.</param>
    private readonly record struct Piece(RowReader Reader, ReadOnlyMemory<int> Rows, int BytesOfRow);
}
