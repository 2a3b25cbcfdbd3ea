namespace Distributed;

/// <summary>A column whose values are categories: whole numbers from 0 to below its size, called ids.</summary>
/// <param name="Name">The column's name, or its place among all columns where it has none; unique among the columns of a dataset.</param>
/// <param name="Size">Number of categories, from 1 to <see cref="MaximumSize"/>; 0 stands for all that training has not or hardly seen.</param>
internal readonly record struct CategoryColumn(string Name, int Size)
{
    /// <summary>The most categories of a column: up to here, a 32-bit float holds every whole number.</summary>
    public const int MaximumSize = 1 << 24;
}
