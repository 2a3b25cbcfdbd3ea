using System.Text.Json;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Xunit;

namespace Distributed.Coordinator.Tests;

public sealed class StrictJsonTests
{
    [Fact]
    public void NumbersThatJsonDoesNotHaveAreNullWithAReasonBesideThem() =>
        Assert.Equal(
            """{"loss":null,"lossReason":"it is not a number","inner":{"rate":null,"rateReason":"it is infinite"},"all":[1,null],"allReason":"it is infinite","text":"NaN"}""",
            StrictJson.Serialize(
                new
                {
                    Loss = double.NaN,
                    Inner = new { Rate = float.NegativeInfinity },
                    All = new[] { 1, double.PositiveInfinity },
                    Text = "NaN",
                }
            )
        );

    [Fact]
    public void FloatsKeepTheirBits()
    {
        var json = JsonElement.Parse(
            StrictJson.Serialize(
                new
                {
                    Value = 0.1f,
                    Small = float.Epsilon,
                    Precise = double.Pi,
                }
            )
        );
        Assert.Equal(0.1f, json.GetProperty("value").GetSingle());
        Assert.Equal(float.Epsilon, json.GetProperty("small").GetSingle());
        Assert.Equal(double.Pi, json.GetProperty("precise").GetDouble());
        Assert.Equal("0.1", json.GetProperty("value").GetRawText());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void EveryEventIsStrictWhateverWasMeasured(double value)
    {
        var evaluated = new Evaluated(3, value, [new Metric("accuracy", value)]);
        var json = JsonElement.Parse(StrictJson.Serialize<RunEvent>(evaluated));
        Assert.Equal("evaluated", json.GetProperty("event").GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("testLoss").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("testAccuracy").ValueKind);

        var summary = new RunSummary(3, 9, value, value, value, value, [new Metric("accuracy", value)], "00", 2, "shm");
        Assert.True(double.IsNaN(RunSummary.FromJson(summary.ToJson(), "summary.json").TestLoss));
    }
}
