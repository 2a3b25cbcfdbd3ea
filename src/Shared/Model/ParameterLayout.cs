namespace Distributed.Model;

/// <summary>
/// Where each parameter lies in the one flat vector that holds them all, without gaps. Weights, gradients and optimizer moments
/// share the layout, so that reducing, updating and saving are each one linear pass.
/// </summary>
internal sealed class ParameterLayout
{
    /// <summary>The most parameters a model can have: 4 GiB of weights.</summary>
    public const int MaximumLength = 1 << 30;

    /// <summary>Takes parameters that already follow one another without gaps.</summary>
    /// <param name="parameters">In ascending order of offset, the first at 0.</param>
    /// <exception cref="ArgumentException">A parameter does not start where the one before it ends.</exception>
    public ParameterLayout(IReadOnlyList<Parameter> parameters)
    {
        var end = 0;
        foreach (var parameter in parameters)
        {
            if (parameter.Offset != end)
                throw new ArgumentException($"{parameter.Name} starts at {parameter.Offset}, expected {end}", nameof(parameters));
            end = checked(end + parameter.Length);
        }

        Parameters = parameters;
        Length = end;
        RunningStatistics = [.. parameters.Where(parameter => parameter.RunningMomentum is not null)];
        TrainedRanges = Between(RunningStatistics, end);
    }

    /// <summary>All parameters in the order of the flat vector.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Number of elements of the flat vector.</summary>
    public int Length { get; }

    /// <summary>The parameters that are not trained but observed, in order.</summary>
    public IReadOnlyList<Parameter> RunningStatistics { get; }

    /// <summary>Where the trained parameters lie in the flat vector: the ranges between the running statistics, in order.</summary>
    public IReadOnlyList<Range> TrainedRanges { get; }

    /// <summary>Lays parameters out one after the other.</summary>
    /// <param name="parameters">Names and shapes, in order.</param>
    /// <exception cref="InputException">A parameter or their sum is larger than <see cref="MaximumLength"/>.</exception>
    public static ParameterLayout Of(IEnumerable<(string Name, IReadOnlyList<int> Shape)> parameters) =>
        Of(parameters.Select(parameter => (parameter.Name, parameter.Shape, (float?)null)));

    /// <summary>Lays parameters out one after the other.</summary>
    /// <param name="parameters">Names, shapes and <see cref="Parameter.RunningMomentum"/>, in order.</param>
    /// <exception cref="InputException">A parameter or their sum is larger than <see cref="MaximumLength"/>.</exception>
    public static ParameterLayout Of(IEnumerable<(string Name, IReadOnlyList<int> Shape, float? RunningMomentum)> parameters)
    {
        List<Parameter> placed = [];
        long offset = 0;
        foreach (var (name, shape, runningMomentum) in parameters)
        {
            placed.Add(new Parameter(name, (int)offset, shape, runningMomentum));
            offset += BoundedLength(shape);
            if (offset > MaximumLength)
                throw TooLarge(name, shape);
        }

        return new ParameterLayout(placed);
    }

    private static List<Range> Between(IReadOnlyList<Parameter> gaps, int length)
    {
        List<Range> ranges = [];
        var start = 0;
        foreach (var gap in gaps)
        {
            if (gap.Offset > start)
                ranges.Add(start..gap.Offset);
            start = gap.Offset + gap.Length;
        }

        if (length > start)
            ranges.Add(start..length);
        return ranges;
    }

    private static InputException TooLarge(string name, IReadOnlyList<int> shape) =>
        new($"{name} of shape [{string.Join(", ", shape)}] makes the model larger than {MaximumLength:N0} parameters: use smaller layers");

    /// <summary>The product of the sizes, or some number above <see cref="MaximumLength"/> where it is larger than that.</summary>
    private static long BoundedLength(IReadOnlyList<int> shape)
    {
        long length = 1;
        foreach (var size in shape)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(shape));
            length *= size;
            if (length > MaximumLength)
                return length;
        }

        return length;
    }
}
