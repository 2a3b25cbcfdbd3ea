using Distributed.Data.Packs;
using Xunit;

namespace Distributed.Shared.Tests.Data.Packs;

public sealed class ColdStartTests
{
    private static readonly TimeSpan Memory = ColdStart.LongestInMemory,
        Disk = ColdStart.LongestInMemory * 2;

    [Fact]
    public void All_is_read_ahead_until_it_is_known_to_be_in_memory()
    {
        ColdStart pace = new();
        for (var piece = 0; piece < ColdStart.PiecesToTrust; piece++)
        {
            Assert.True(pace.IsWorthwhile());
            pace.Took(Memory * 16, 16);
        }

        Assert.Equal(10, Enumerable.Range(0, 10 * ColdStart.Tried).Count(_ => pace.IsWorthwhile()));
    }

    [Fact]
    public void One_piece_from_a_disk_is_enough_to_read_ahead_again()
    {
        ColdStart pace = new();
        for (var piece = 0; piece < 2 * ColdStart.PiecesToTrust; piece++)
            pace.Took(Memory * 16, 16);
        pace.Took(Disk * 16, 16);
        Assert.All(Enumerable.Range(0, 100), _ => Assert.True(pace.IsWorthwhile()));
    }
}
