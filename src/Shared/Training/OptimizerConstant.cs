namespace Distributed.Training;

/// <summary>
/// A constant that an optimizer has of its own: what <c>config.json</c> and the command line need to know of it. A constant is a number or
/// a switch.
/// </summary>
/// <param name="Property">The property's name; config.json and the command line derive theirs from it.</param>
/// <param name="Help">What it does, in one sentence without a capital.</param>
/// <param name="Example">A value as one would type it; null for a switch.</param>
/// <param name="Get">The value, a <see cref="double"/> or a <see cref="bool"/>; null for options of another optimizer.</param>
/// <param name="Set">Options with the value set.</param>
internal sealed record OptimizerConstant(
    string Property,
    string Help,
    string? Example,
    Func<OptimizerOptions, object?> Get,
    Func<OptimizerOptions, object, OptimizerOptions> Set
)
{
    /// <summary>Whether it is a switch.</summary>
    internal bool IsSwitch => Example is null;

    /// <summary>A constant that is a number.</summary>
    internal static OptimizerConstant Number<T>(string property, string help, string example, Func<T, double> get, Func<T, double, T> set)
        where T : OptimizerOptions =>
        new(property, help, example, options => options is T own ? get(own) : null, (options, value) => set((T)options, (double)value));

    /// <summary>A constant that is on or off.</summary>
    internal static OptimizerConstant Switch<T>(string property, string help, Func<T, bool> get, Func<T, bool, T> set)
        where T : OptimizerOptions =>
        new(property, help, null, options => options is T own ? get(own) : null, (options, value) => set((T)options, (bool)value));
}
