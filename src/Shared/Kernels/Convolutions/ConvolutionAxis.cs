namespace Distributed.Kernels.Convolutions;

/// <summary>
/// The coordinates along one side of the destination that the same taps reach. The taps stand in the order of the chain, which is that of
/// the source coordinates they come from; these follow each other without a gap.
/// </summary>
/// <param name="taps">Positions of the kernel along this side; may be empty.</param>
internal sealed class ConvolutionAxis(int[] taps)
{
    /// <summary>Positions of the kernel, in the order of the chain.</summary>
    public IReadOnlyList<int> Taps { get; } = taps;

    /// <summary>Destination coordinates, ascending, each with the source coordinate that its first tap comes from.</summary>
    public List<(int Destination, int Source)> Coordinates { get; } = [];

    /// <summary>Output coordinate o takes input o * stride + tap - padding, in ascending order of the taps.</summary>
    public static IReadOnlyList<ConvolutionAxis> OfOutput(int output, int input, int kernel, int stride, int padding) =>
        Group(output, o => ForwardTaps(o, input, kernel, stride, padding));

    /// <summary>
    /// Input coordinate i reaches the outputs o with i = o * stride + tap - padding, in ascending order of o: the taps descend.
    /// </summary>
    public static IReadOnlyList<ConvolutionAxis> OfInput(int output, int input, int kernel, int stride, int padding) =>
        Group(input, i => BackwardTaps(i, output, kernel, stride, padding));

    /// <summary>Taps that stay inside the input, each with the coordinate it takes.</summary>
    public static IEnumerable<(int Tap, int Source)> ForwardTaps(int o, int input, int kernel, int stride, int padding) =>
        Enumerable.Range(0, kernel).Select(tap => (tap, (o * stride) + tap - padding)).Where(pair => pair.Item2 >= 0 && pair.Item2 < input);

    private static IEnumerable<(int Tap, int Source)> BackwardTaps(int i, int output, int kernel, int stride, int padding) =>
        Enumerable
            .Range(0, kernel)
            .Reverse()
            .Where(tap => i + padding >= tap && (i + padding - tap) % stride == 0)
            .Select(tap => (tap, (i + padding - tap) / stride))
            .Where(pair => pair.Item2 < output);

    private static List<ConvolutionAxis> Group(int size, Func<int, IEnumerable<(int Tap, int Source)>> reachingTaps)
    {
        List<ConvolutionAxis> groups = [];
        for (var coordinate = 0; coordinate < size; coordinate++)
        {
            (int Tap, int Source)[] reached = [.. reachingTaps(coordinate)];
            int[] taps = [.. reached.Select(pair => pair.Tap)];
            var group = groups.Find(other => other.Taps.SequenceEqual(taps));
            if (group is null)
                groups.Add(group = new ConvolutionAxis(taps));
            group.Coordinates.Add((coordinate, reached.Length > 0 ? reached[0].Source : 0));
        }

        return groups;
    }
}
