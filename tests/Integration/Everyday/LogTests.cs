using System.Text.Json;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>Logs go to standard error, those of local workers as well, and nothing of them anywhere else.</summary>
public sealed class LogTests
{
    private static readonly string[] Steps = ["--steps", "3"];

    [Fact]
    public async Task Nothing_is_logged_of_a_run_that_goes_well_unless_it_is_asked_for()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(folder, Steps);
        Assert.Empty((await coordinator.ExitAsync()).Errors);
    }

    [Fact]
    public async Task Json_logs_are_an_object_a_line_of_all_processes()
    {
        var lines = (await LoggedAsync("--log-level", "trace", "--log-format", "json")).Select(line => JsonElement.Parse(line)).ToList();
        var events = lines.ToLookup(line => line.GetProperty("EventId").GetInt32());
        Assert.NotEmpty(events[1100]); // a decision of the coordinator
        Assert.Equal(2, events[2100].Select(line => line.GetProperty("Process").GetInt32()).Distinct().Count()); // both workers' views
        Assert.All(lines, line => Assert.True(line.GetProperty("Timestamp").GetDateTimeOffset() > DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task Debug_says_views_transports_and_who_waits_for_whom_and_no_framework_adds_to_it()
    {
        var lines = await LoggedAsync("--log-level", "debug");
        Assert.Contains(lines, line =>
            line.Contains("dbug: Distributed.Coordinator.Cluster.Control.ControlLog[1102] worker 1 is at step ", StringComparison.Ordinal)
        );
        Assert.Contains(lines, line => line.Contains("WorkLog[2100] view 1 is open: ", StringComparison.Ordinal));
        Assert.All(lines, line =>
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\[\d+\] )?(dbug|info|warn): Distributed\.", line)
        );
    }

    private static async Task<IReadOnlyList<string>> LoggedAsync(params string[] options)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(folder, [.. Steps, "--workers", "2", .. options]);
        var exit = await coordinator.ExitAsync();
        Assert.Equal(0, exit.Code);
        return exit.Errors;
    }
}
