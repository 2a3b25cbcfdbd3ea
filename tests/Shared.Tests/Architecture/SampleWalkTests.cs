using System.Text.RegularExpressions;
using Xunit;

namespace Distributed.Shared.Tests.Architecture;

/// <summary>The walk in docs/architecture.md leads past files and methods that are there.</summary>
public sealed partial class SampleWalkTests
{
    private const int MostStations = 20;

    [Fact]
    public void Every_station_of_the_walk_exists()
    {
        var stations = Station().Matches(Resources.Text("docs/architecture.md"));
        Assert.InRange(stations.Count, 1, MostStations);
        Assert.All(stations, (station, index) =>
        {
            Assert.Equal($"{index + 1}", station.Groups["number"].Value);
            var source = Resources.Text(station.Groups["file"].Value);
            Assert.Matches($@"(public|internal|private)[^;=]* {station.Groups["method"].Value}\(", source);
        });
    }

    [GeneratedRegex(@"^(?<number>\d+)\. `(?<file>src/[\w/]+\.cs)`: `(?<method>\w+)`", RegexOptions.Multiline)]
    private static partial Regex Station();
}
