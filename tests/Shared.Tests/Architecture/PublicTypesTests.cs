using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Architecture;

/// <summary>
/// What the library shows to programs: what docs/library.md needs, and nothing else. Coordinator, worker and tests see the rest. A type
/// that is added here is a promise.
/// </summary>
public sealed class PublicTypesTests
{
    private static readonly string[] Promised =
    [
        "Distributed.ColumnNames",
        "Distributed.Data.ArrayOptions",
        "Distributed.Data.DataOptions",
        "Distributed.Data.Dataset",
        "Distributed.Data.LearningTask",
        "Distributed.Data.Preprocessing",
        "Distributed.Data.SampleSet",
        "Distributed.Export.OnnxExport",
        "Distributed.InputException",
        "Distributed.NumericTargets",
        "Distributed.Objectives.Metric",
        "Distributed.Objectives.Prediction",
        "Distributed.Objectives.RegressionLoss",
        "Distributed.RunFailedException",
        "Distributed.SampleShape",
        "Distributed.Training.AdagradOptions",
        "Distributed.Training.AdamOptions",
        "Distributed.Training.AdamWOptions",
        "Distributed.Training.ClassWeights",
        "Distributed.Training.ConstantSchedule",
        "Distributed.Training.CosineSchedule",
        "Distributed.Training.InvalidOptionsException",
        "Distributed.Training.OptimizerOptions",
        "Distributed.Training.OptionError",
        "Distributed.Training.ScheduleOptions",
        "Distributed.Training.SgdOptions",
        "Distributed.Training.StepSchedule",
        "Distributed.Training.TestScore",
        "Distributed.Training.TrainedModel",
        "Distributed.Training.Trainer",
        "Distributed.Training.TrainingOptions",
        "Distributed.Training.TrainingProgress",
        "Distributed.Training.TrainingResult",
    ];

    [Fact]
    public void The_public_types_are_those_that_programs_need() =>
        Assert.Equal(
            Promised.Order(StringComparer.Ordinal),
            typeof(Trainer).Assembly.GetExportedTypes().Select(type => type.FullName!).Order(StringComparer.Ordinal)
        );
}
