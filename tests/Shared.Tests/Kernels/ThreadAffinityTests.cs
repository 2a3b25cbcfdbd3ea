using System.ComponentModel;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class ThreadAffinityTests
{
    private const int ProcessorsOfASet = 1024;

    [Fact]
    public void A_team_keeps_to_the_processors_it_is_given()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads can be kept to processors on Linux only");
        var last = ThreadAffinity.Get().Numbers()[^1];
        var kept = new List<int>[2];
        OnAThreadOfItsOwn(() =>
        {
            using var team = new ComputeTeam(2);
            team.Pin([last]);
            var sets = stackalloc ThreadAffinity.ProcessorSet[2];
            team.Run(new ReadSet(sets));
            kept = [sets[0].Numbers(), sets[1].Numbers()];
        });
        Assert.All(kept, numbers => Assert.Equal([last], numbers));
    }

    [Fact]
    public void A_processor_that_is_not_there_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "threads can be kept to processors on Linux only");
        using var team = new ComputeTeam(1);
        Assert.Throws<Win32Exception>(() => team.Pin([ProcessorsOfASet - 1]));
    }

    [Fact]
    public void A_set_has_the_numbers_it_was_made_of()
    {
        int[] numbers = [0, 63, 64, 200, ProcessorsOfASet - 1];
        Assert.Equal(numbers, ThreadAffinity.ProcessorSet.Of(numbers).Numbers());
        Assert.Throws<IndexOutOfRangeException>(() => ThreadAffinity.ProcessorSet.Of([ProcessorsOfASet]));
    }

    /// <summary>So that no other test runs on a thread that is kept to few processors.</summary>
    private static void OnAThreadOfItsOwn(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    private readonly struct ReadSet(ThreadAffinity.ProcessorSet* sets) : IChunkedWork
    {
        public void Execute(int chunk, int chunks) => sets[chunk] = ThreadAffinity.Get();
    }
}
