using System.Text.Json.Serialization;

namespace Distributed.Data;

/// <summary>What is to be predicted.</summary>
[JsonConverter(typeof(EnumNameConverter<LearningTask>))]
public enum LearningTask
{
    /// <summary>One of several classes.</summary>
    Classification = 0,

    /// <summary>Numbers.</summary>
    Regression,
}
