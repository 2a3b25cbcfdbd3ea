using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Distributed.Coordinator.Dashboard;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed partial class DashboardObserverTests : IDisposable
{
    private static readonly RunPreparation Prepared = RunPreparation.Load(new TrainingOptions { Model = "mlp:3" });
    private static readonly RunStarted Started = new(1, 10, 0, "none");

    private readonly TemporaryFolder _folder = new();
    private readonly ReportedEvents _run = new();
    private readonly RunFolder _runFolder;

    public DashboardObserverTests() => _runFolder = RunFolder.Create(_folder.File("run"), Prepared.Configuration, Prepared.Network.Layout);

    private string Report => Path.Combine(_runFolder.Path, RunReport.FileName);

    public void Dispose()
    {
        _runFolder.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_warning_and_the_run_goes_on_to_its_report()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using (var observer = Create($"http://127.0.0.1:{port}"))
        {
            observer.Report(Started);
            var warning = Assert.IsType<RunWarning>(await _run.NextAsync());
            Assert.StartsWith(
                $"--dashboard http://127.0.0.1:{port}: the page cannot be served there (",
                warning.Message,
                StringComparison.Ordinal
            );
            Assert.EndsWith(
                "training goes on without it. Name another port, or 0 for a free one",
                warning.Message,
                StringComparison.Ordinal
            );
            observer.Report(Models.Step(1));
        }

        Assert.Empty(_run.Rest());
        Assert.True(File.Exists(Report));
    }

    [Fact]
    public async Task A_resumed_run_takes_the_port_that_it_had()
    {
        var first = await ServeAsync(address: null);
        var second = await ServeAsync(address: null);
        Assert.Equal(first, second);
        Assert.Equal(first.Port, new DashboardPort(_runFolder.Path).Read());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("70000")]
    [InlineData("port")]
    public void A_remembered_port_that_is_none_is_passed_over(string text)
    {
        File.WriteAllText(Path.Combine(_runFolder.Path, DashboardPort.FileName), text);
        Assert.Null(new DashboardPort(_runFolder.Path).Read());
    }

    [Fact]
    public async Task A_page_that_others_can_reach_comes_with_a_warning()
    {
        await using var observer = Create("http://0.0.0.0:0");
        observer.Report(Started);
        Assert.IsType<DashboardOpened>(await _run.NextAsync());
        var warning = Assert.IsType<RunWarning>(await _run.NextAsync());
        Assert.Contains("anyone who reaches this address can read", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_whose_run_never_begins_can_be_removed()
    {
        await using (var observer = Create(address: null))
        {
            observer.Report(new Listening("http://127.0.0.1:1/", 1));
            await _run.NextAsync(); // the page is there
            _runFolder.Discard();
            Assert.False(Directory.Exists(_runFolder.Path));
        }

        Assert.False(Directory.Exists(_runFolder.Path));
        Assert.Empty(_run.Rest());
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_is_a_warning()
    {
        Directory.CreateDirectory(Report);
        await using (var observer = Create("http://127.0.0.1:0"))
        {
            observer.Report(Started);
            await _run.NextAsync();
        }

        var warning = Assert.IsType<RunWarning>(Assert.Single(_run.Rest()));
        Assert.StartsWith($"{_runFolder.Path}: report.html cannot be written (", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_holds_all_and_nothing_that_is_not_text()
    {
        const string Name = "<script>alert(1)</script>";
        await using (var observer = Create("http://127.0.0.1:0", Name))
        {
            observer.Report(Started);
            observer.Report(Models.Step(1, loss: 2));
            observer.Report(new WorkerLost(Name, "</script>", 1, 0));
        }

        var html = await File.ReadAllTextAsync(Report);
        Assert.DoesNotContain(Name, html, StringComparison.Ordinal);
        Assert.Contains("\\u003Cscript\\u003Ealert(1)", html, StringComparison.Ordinal);
        Assert.Contains("<title>&lt;script&gt;", html, StringComparison.Ordinal);
        Assert.Equal(Openings().Count(html), Closings().Count(html)); // the library's and the page's own: no more, no fewer
        Assert.DoesNotContain("src=\"", html[..html.IndexOf("<script>", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Snapshots_are_searched_for_what_is_predicted_wrong()
    {
        await using (var observer = Create("http://127.0.0.1:0"))
        {
            observer.Report(Started);
            observer.Report(new SnapshotTaken(Prepared.InitialState()));
        }

        Assert.Contains("data:image/png;base64,", await File.ReadAllTextAsync(Report), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8000")]
    [InlineData("https://127.0.0.1:8000")]
    [InlineData("http://127.0.0.1:8000/page")]
    [InlineData("on")]
    public void What_is_no_address_is_refused(string address) =>
        Assert.Equal(
            [$"--dashboard {address}: must be an address such as http://127.0.0.1:7450, or off"],
            new TrainSettings { Dashboard = new DashboardOptions { Address = address } }.Validate(TrainOptionTable.Table)
        );

    [Fact]
    public void Off_is_off() => Assert.False(new DashboardOptions { Address = "off" }.IsOn);

    [Fact]
    public void A_named_address_is_the_only_one_that_is_tried() =>
        Assert.Equal(
            [new Uri("http://127.0.0.1:8000")],
            new DashboardOptions { Address = "http://127.0.0.1:8000" }.Candidates(remembered: 9000)
        );

    [Fact]
    public void Without_one_the_remembered_port_comes_first_and_a_free_one_last() =>
        Assert.Equal([9000, DashboardOptions.DefaultPort, 0], new DashboardOptions().Candidates(9000).Select(uri => uri.Port));

    private async Task<Uri> ServeAsync(string? address)
    {
        await using var observer = Create(address);
        observer.Report(Started);
        return new Uri(Assert.IsType<DashboardOpened>(await _run.NextAsync()).Address);
    }

    private DashboardObserver Create(string? address, string name = "first") =>
        new(
            new DashboardOptions { Address = address },
            _runFolder,
            Models.Create(name: name),
            new MistakeFinder(Prepared.Dataset, Prepared.Network, Prepared.Configuration.Options.ObjectiveOf(Prepared.Dataset)),
            _run,
            TimeProvider.System
        );

    [GeneratedRegex("<script[ >]", RegexOptions.IgnoreCase)]
    private static partial Regex Openings();

    [GeneratedRegex("</script", RegexOptions.IgnoreCase)]
    private static partial Regex Closings();
}
