namespace Distributed.Coordinator.Dashboard;

/// <summary>The samples of the test set that a state gets wrong with the most confidence, or whose numbers it misses by the most.</summary>
/// <param name="Step">The step after which it is the state.</param>
/// <param name="Examined">How many samples were looked at.</param>
/// <param name="Wrong">How many of them have another class; null where numbers are predicted.</param>
/// <param name="Worst">The worst first.</param>
internal sealed record Mistakes(long Step, int Examined, int? Wrong, IReadOnlyList<Mistake> Worst);

/// <summary>A sample that is predicted wrong.</summary>
/// <param name="Sample">Its number in the test set, from 0.</param>
/// <param name="Predicted">What it was taken for.</param>
/// <param name="Actual">What it is.</param>
/// <param name="Score">The probability of the predicted class; of numbers, the distance in deviations of the training targets.</param>
/// <param name="Picture">A PNG file as a <c>data:</c> address; null if the sample is no picture.</param>
/// <param name="Width">The picture's width in pixels.</param>
/// <param name="Height">Its height.</param>
/// <param name="Values">Of a sample that is no picture: its first columns.</param>
internal sealed record Mistake(
    int Sample,
    string Predicted,
    string Actual,
    double Score,
    string? Picture,
    int Width,
    int Height,
    IReadOnlyList<SampleValue> Values
);

/// <summary>A value of a sample.</summary>
/// <param name="Name">Its column.</param>
/// <param name="Text">The value as it is in the data.</param>
internal sealed record SampleValue(string Name, string Text);
