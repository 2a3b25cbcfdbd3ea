using System.Text.Json.Serialization;

namespace Distributed.Objectives;

/// <summary>What is minimised where numbers are predicted, as a function of the error e in deviations of the target.</summary>
[JsonConverter(typeof(EnumNameConverter<RegressionLoss>))]
public enum RegressionLoss
{
    /// <summary>e^2 / 2: learns the mean.</summary>
    Squared = 0,

    /// <summary>|e|: learns the median.</summary>
    Absolute,

    /// <summary>e^2 / 2 up to a distance delta, and a straight line beyond, so that outliers pull less.</summary>
    Huber,
}
