using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Parquet;

/// <summary>Apache Parquet: columns with names and types, compressed each by itself.</summary>
internal sealed class ParquetFormat : TableFormat
{
    /// <inheritdoc />
    public override string Summary => "Parquet";

    /// <inheritdoc />
    public override bool HasColumnNames => true;

    /// <summary>By what it begins and ends with; one that was cut off, by what no text has behind that.</summary>
    public override bool Recognizes(DataFile file) =>
        file.Start.StartsWith(ParquetFile.Magic)
        && (
            file.Start[ParquetFile.Magic.Length..] is [< (byte)' ' and not ((byte)'\t' or (byte)'\r' or (byte)'\n'), ..]
            || file.End(ParquetFile.Magic.Length).SequenceEqual(ParquetFile.Magic)
        );

    /// <inheritdoc />
    public override TableSource Open(DataFiles files, DataOptions options) => new ParquetSource(files.Path, files.Files, options.Workspace);
}
