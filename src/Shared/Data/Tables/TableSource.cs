using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Where the rows of a table come from: text, columns of types. It may be read several times.</summary>
internal abstract class TableSource
{
    /// <summary>What the table is called: a file, a folder.</summary>
    public abstract string Path { get; }

    /// <summary>The names of the columns, or where these have none the cells of the first row.</summary>
    public abstract string[] FirstRow { get; }

    /// <summary>Names the places of rows and cells.</summary>
    public abstract RowPlaces Places { get; }

    /// <summary>Where what is read lies.</summary>
    public virtual Workspace Workspace => Workspace.InMemory;

    /// <summary>How numbers are written in texts.</summary>
    public virtual CsvDialect Dialect => CsvDialect.Usual;

    /// <summary>Whether <see cref="FirstRow"/> names the columns.</summary>
    /// <param name="labelIndex">The column of the labels; -1 if there is none.</param>
    /// <exception cref="InputException">Only a person can tell.</exception>
    public virtual bool HasHeader(int labelIndex) => true;

    /// <summary>Refuses a first row that is taken for a sample, but is as likely a header.</summary>
    /// <param name="labelIndex">The column of the labels.</param>
    /// <exception cref="InputException">Only a person can tell.</exception>
    public virtual void RequireNoHeader(int labelIndex) { }

    /// <summary>Refuses a table of one column where labels are needed.</summary>
    public virtual InputException RefuseSingleColumn() =>
        FileErrors.In(Path, $"there is {FirstRow.Length} column; a sample needs features and a label");

    /// <summary>Reads all rows.</summary>
    /// <param name="layout">The columns.</param>
    /// <param name="kinds">[features], what they hold; null where that is to be found out.</param>
    /// <param name="rules">What becomes of cells.</param>
    /// <param name="readsLabels">Whether the column of the labels counts; otherwise it may hold anything.</param>
    /// <exception cref="InputException">A cell is bad, or there is no row.</exception>
    public abstract RawTable Read(TableLayout layout, IReadOnlyList<ColumnKind?> kinds, CellRules rules, bool readsLabels);
}
