using System.Globalization;
using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Csv;

/// <summary>
/// A table that is text: one file, or parts that follow one another as if they stood in one. The first part tells what separates cells and
/// whether there is a header, which each other part repeats, or none of them.
/// </summary>
internal sealed class CsvSource : TableSource
{
    // Large enough that joining the words of blocks is no work, small enough that all processors end at about the same time.
    private const int UsualBlockBytes = 4 << 20;

    private readonly IReadOnlyList<CsvPart> _parts;
    private readonly long[] _origins; // [parts], the place of the first byte of each
    private readonly PartStart[] _starts; // [parts]
    private readonly long _firstLine;
    private readonly int _blockBytes;

    private CsvSource(string path, IReadOnlyList<CsvPart> parts, bool hasDecimalCommas, Workspace workspace, int blockBytes)
    {
        Path = path;
        Workspace = workspace;
        _blockBytes = blockBytes;
        _parts = parts;
        _origins = new long[parts.Count];
        for (var part = 1; part < parts.Count; part++)
            _origins[part] = _origins[part - 1] + parts[part - 1].Text.Length;
        Places = new RowPlaces([.. parts.Zip(_origins, (part, origin) => (part.Path, origin))], (part, offset) =>
            string.Create(CultureInfo.InvariantCulture, $"line {parts[part].LineAt(offset)}")
        );
        var text = parts[0].Text.From(0);
        var start = CsvReader.MarkLength(text);
        start += text[start..].IndexOfAnyExcept("\r\n"u8) is >= 0 and var blank ? blank : text.Length - start;
        if (start == text.Length)
            throw FileErrors.In(parts[0].Path, "the file has no rows; a dataset needs samples");
        _firstLine = parts[0].LineAt(start);
        Dialect = CsvDialect.Detect(parts[0].Path, _firstLine, text[start..], hasDecimalCommas);
        FirstRow = RowAtStart(0, out _);
        _starts = [.. parts.Select((_, part) => StartOf(part))];
    }

    /// <summary>A text.</summary>
    /// <param name="path">Where it comes from.</param>
    /// <param name="text">All of it.</param>
    /// <param name="hasDecimalCommas">Whether numbers have decimal commas.</param>
    /// <param name="blockBytes">Bytes of text that a thread reads at a time, which changes no result.</param>
    /// <exception cref="InputException">There is no row, or its separator cannot be told.</exception>
    public static CsvSource Of(string path, ReadOnlyMemory<byte> text, bool hasDecimalCommas, int blockBytes = UsualBlockBytes) =>
        new(path, [new CsvPart(path, new BytesInMemory(text))], hasDecimalCommas, Workspace.InMemory, blockBytes);

    /// <summary>A text in parts.</summary>
    /// <param name="path">What they are called together.</param>
    /// <param name="parts">The parts in order, at least one.</param>
    /// <param name="hasDecimalCommas">Whether numbers have decimal commas.</param>
    /// <param name="workspace">Where the table is to lie.</param>
    /// <exception cref="InputException">There is no row in the first one, or its separator cannot be told.</exception>
    public static CsvSource Of(string path, IReadOnlyList<CsvPart> parts, bool hasDecimalCommas, Workspace workspace) =>
        new(path, parts, hasDecimalCommas, workspace, UsualBlockBytes);

    /// <inheritdoc />
    public override string Path { get; }

    /// <inheritdoc />
    public override Workspace Workspace { get; }

    /// <inheritdoc />
    public override RowPlaces Places { get; }

    /// <inheritdoc />
    public override CsvDialect Dialect { get; }

    /// <inheritdoc />
    public override string[] FirstRow { get; }

    /// <inheritdoc />
    public override bool HasHeader(int labelIndex) => CsvHeader.IsIn(this, FirstRow, labelIndex);

    /// <inheritdoc />
    public override void RequireNoHeader(int labelIndex) => CsvHeader.RequireCertain(this, FirstRow, labelIndex);

    /// <inheritdoc />
    public override InputException RefuseSingleColumn() =>
        RefuseFirstRow("the row has 1 cell; a sample needs features and a label, with commas between them");

    /// <summary>
    /// The rows below what is or may be the header; none of a part where columns may be in another order, which is refused if the first row is
    /// a header.
    /// </summary>
    public IEnumerable<CsvBlock> BlocksBelow() =>
        BlocksFrom(part =>
            _starts[part].Names switch
            {
                Names.None => _starts[part].First,
                Names.Same => _starts[part].Below,
                _ => _parts[part].Text.Length,
            }
        );

    /// <summary>Reads some rows.</summary>
    public CsvReader Read(CsvBlock block)
    {
        var (content, length) = (_parts[block.Part].Text, checked((int)(block.End - block.Start)));
        content.ReadSoon(block.Start, length + _blockBytes);
        return new CsvReader(content.Span(block.Start, length), start: 0, Dialect.Separator, Places, _origins[block.Part] + block.Start);
    }

    /// <summary>Refuses something in the first row.</summary>
    public InputException RefuseFirstRow(string reason) => FileErrors.AtLine(_parts[0].Path, _firstLine, reason);

    /// <inheritdoc />
    public override RawTable Read(TableLayout layout, IReadOnlyList<ColumnKind?> kinds, CellRules rules, bool readsLabels)
    {
        if (layout.HasHeader)
            RequireSameHeaders();
        var blocks = BlocksFrom(part => layout.HasHeader && _starts[part].Names == Names.Same ? _starts[part].Below : _starts[part].First)
            .ToList();
        var rows = blocks.Sum(block => (long)block.Rows);
        if (rows == 0)
            throw FileErrors.In(Path, "there is a header but no row; a dataset needs samples");
        if (rows > Array.MaxLength)
            throw FileErrors.In(Path, $"{rows} rows are more than {Array.MaxLength}; split it");
        var table = new RawTable(this, layout, kinds, rules, (int)rows);
        // What a block knows of its rows, their words above all, is joined and forgotten as soon as all blocks before it are.
        ParallelPieces.InOrder(
            blocks,
            block =>
            {
                var read = new CsvRows(table, layout, rules, readsLabels, block.FirstRow);
                read.Read(Read(block));
                return read;
            },
            (block, read) => read.Join(block.Rows)
        );
        table.End();
        return table;
    }

    private IEnumerable<CsvBlock> BlocksFrom(Func<int, long> startOf)
    {
        var firstRow = 0;
        for (var part = 0; part < _parts.Count; part++)
        {
            var start = startOf(part);
            foreach (var block in CsvBlock.Split(_parts[part].Text, Dialect.Separator, new(part, start, start, firstRow, 0), _blockBytes))
            {
                yield return block;
                firstRow = block.FirstRow + block.Rows;
            }
        }
    }

    private PartStart StartOf(int part)
    {
        var row = RowAtStart(part, out var below);
        var names =
            row.SequenceEqual(FirstRow) ? Names.Same
            : IsLikeHeader(row) ? Names.Others
            : Names.None;
        return new PartStart(MarkLength(part), below, names);
    }

    private int MarkLength(int part) => CsvReader.MarkLength(_parts[part].Text.From(0));

    /// <summary>The first row of a part that is not blank, and where the next one begins; empty if there is none.</summary>
    private string[] RowAtStart(int part, out int end)
    {
        var reader = new CsvReader(_parts[part].Text.From(0), MarkLength(part), Dialect.Separator, Places, _origins[part]);
        List<string> cells = [];
        while (reader.TryRead(out var cell))
        {
            if (cells.Count == 0 && cell.IsBlankRecord)
                continue;
            cells.Add(CsvText.Of(cell, reader.Place, Places));
            if (cell.EndsRecord)
                break;
        }

        end = reader.Position;
        return [.. cells];
    }

    private void RequireSameHeaders()
    {
        const string remedy = "give each part the same header, or only the first one";
        var repeating = Array.FindIndex(_starts, 1, start => start.Names == Names.Same);
        foreach (var (part, start) in _starts.Index())
        {
            var row = RowAtStart(part, out _);
            var place = _origins[part] + start.First;
            if (start.Names == Names.Others)
                throw Places.Refuse(place, $"the header, '{Shown(row)}', is not that of {NameOf(0)}, '{Shown(FirstRow)}'; {remedy}");
            if (start.Names == Names.None && row.Length > 0 && repeating >= 0)
                throw Places.Refuse(place, $"there is no header, but {NameOf(repeating)} repeats that of {NameOf(0)}; {remedy}");
        }
    }

    /// <summary>Whether a row names a column, as a header in another order does, or one of which a column has got another name.</summary>
    private bool IsLikeHeader(string[] row) =>
        row.Zip(FirstRow).Any(cell => cell.First == cell.Second && cell.First.Length > 0 && !Dialect.IsNumber(cell.First))
        || row.Order(StringComparer.Ordinal).SequenceEqual(FirstRow.Order(StringComparer.Ordinal));

    private string NameOf(int part) => System.IO.Path.GetFileName(_parts[part].Path);

    private string Shown(string[] row) => CsvText.Shorten(string.Join((char)Dialect.Separator, row));

    /// <summary>What the first row of a part is if the first row of all is a header.</summary>
    private enum Names
    {
        None,
        Same,
        Others,
    }

    /// <summary>How a part begins.</summary>
    /// <param name="First">Where its first row begins.</param>
    /// <param name="Below">Where the row below that begins.</param>
    /// <param name="Names">What the first row is if the first row of all is a header.</param>
    private readonly record struct PartStart(int First, int Below, Names Names);
}
