using System.Globalization;

namespace Distributed.Training;

/// <summary>The loss has become infinite or NaN: the training has diverged, and no later step can recover.</summary>
/// <param name="step">The step in which it was seen.</param>
/// <param name="loss">The loss sum.</param>
internal sealed class NonFiniteLossException(long step, float loss)
    : Exception(
        string.Create(
            CultureInfo.InvariantCulture,
            $"the loss is {loss} at step {step}: training has diverged; "
                + $"lower --learning-rate, add --warmup-steps, limit the gradient with --clip-norm, or look for extreme values in the data"
        )
    );
