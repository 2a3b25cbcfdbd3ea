using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Distributed.Kernels.Threads;

/// <summary>Keeps threads to some of the machine's processors. Only on Linux: elsewhere there are none to keep to.</summary>
internal static unsafe partial class ThreadAffinity
{
    private const int CallingThread = 0;

    /// <summary>
    /// The numbers of the processors that the calling thread may use, ascending; empty where the system does not say, and where a quota
    /// gives this process less time than that of all of them, since others then have as good a right to each.
    /// </summary>
    public static IReadOnlyList<int> Allowed()
    {
        var allowed = OperatingSystem.IsLinux() ? Get().Numbers() : [];
        return allowed.Count == Environment.ProcessorCount ? allowed : [];
    }

    /// <summary>The processors of the calling thread; none where the system does not say.</summary>
    internal static ProcessorSet Get()
    {
        ProcessorSet set = default;
        return GetAffinity(CallingThread, (nuint)sizeof(ProcessorSet), &set) < 0 ? default : set;
    }

    /// <summary>Keeps the calling thread to some processors.</summary>
    /// <exception cref="Win32Exception">The system refuses.</exception>
    internal static void Set(ProcessorSet set)
    {
        if (SetAffinity(CallingThread, (nuint)sizeof(ProcessorSet), &set) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nuint bytes, ProcessorSet* set);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nuint bytes, ProcessorSet* set);

    /// <summary>A bit for each of 1,024 processors: the system's cpu_set_t.</summary>
    [InlineArray(Words)]
    internal struct ProcessorSet
    {
        private const int Words = 16;
        private const int WordBits = 64;

        private ulong _first;

        /// <summary>The set of some processors.</summary>
        /// <exception cref="IndexOutOfRangeException">A number is not below 1,024.</exception>
        public static ProcessorSet Of(IEnumerable<int> numbers)
        {
            ProcessorSet set = default;
            foreach (var number in numbers)
                set[number / WordBits] |= 1ul << (number % WordBits);
            return set;
        }

        /// <summary>Its members, ascending.</summary>
        public readonly List<int> Numbers()
        {
            List<int> numbers = [];
            for (var number = 0; number < Words * WordBits; number++)
            {
                if ((this[number / WordBits] >> (number % WordBits) & 1) != 0)
                    numbers.Add(number);
            }

            return numbers;
        }
    }

    /// <summary>Sets the affinity of each thread of a team.</summary>
    internal readonly struct Binding(ProcessorSet set) : IChunkedWork
    {
        public void Execute(int chunk, int chunks) => Set(set);
    }
}
