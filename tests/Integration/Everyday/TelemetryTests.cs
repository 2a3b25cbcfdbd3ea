using System.Net;
using System.Net.Sockets;
using System.Text;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>What a run sends by OTLP arrives where somebody listens, and an endpoint that hangs holds nothing up.</summary>
public sealed class TelemetryTests
{
    [Fact]
    public async Task Figures_and_the_course_of_the_run_arrive_at_a_collector()
    {
        using var folder = new TempFolder();
        using var collector = Listen();
        await using var coordinator = Train(folder, collector, "--steps", "500");
        HashSet<string> expected = ["/v1/metrics training.step", "/v1/traces train"];
        while (expected.Count > 0)
        {
            var (path, body) = await ReceiveAsync(collector);
            expected.RemoveWhere(wanted =>
                wanted.Split(' ') is var parts && parts[0] == path && body.Contains(parts[1], StringComparison.Ordinal)
            );
        }

        Assert.Equal(0, (await coordinator.ExitAsync()).Code);
    }

    [Fact]
    public async Task An_endpoint_that_never_answers_neither_slows_a_step_nor_changes_the_end()
    {
        using var folder = new TempFolder();
        using var silent = Listen();
        await using var coordinator = Train(folder, silent, "--steps", "1000000");
        using var asked = await silent.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await coordinator.StepsAsync(200);
        Signal.Terminate(coordinator.Id);
        var step = await coordinator.InterruptedAsync();
        var exit = await coordinator.ExitAsync();

        Assert.Equal((143, ""), (exit.Code, exit.ErrorText));
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
    }

    private static CoordinatorProcess Train(TempFolder folder, TcpListener endpoint, params IEnumerable<string> options) =>
        CoordinatorProcess.TrainOddSizes(
            folder,
            [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://{endpoint.LocalEndpoint}"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
                ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ],
            ["--workers", "2", "--dashboard", "off", .. options]
        );

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    // One request a connection, whose protobuf is searched for texts.
    private static async Task<(string Path, string Body)> ReceiveAsync(TcpListener listener)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var socket = await listener.AcceptSocketAsync(cancellation);
        await using var stream = new NetworkStream(socket);
        var (received, buffer) = (new MemoryStream(), new byte[1 << 16]);
        while (true)
        {
            var text = Encoding.Latin1.GetString(received.ToArray());
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is var end and >= 0)
            {
                var lines = text[..end].Split("\r\n");
                var length = lines.Single(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)).Split(' ')[1];
                if (text.Length - end - 4 >= int.Parse(length, System.Globalization.CultureInfo.InvariantCulture))
                {
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellation);
                    return (lines[0].Split(' ')[1], text[end..]);
                }
            }

            var count = await stream.ReadAsync(buffer, cancellation);
            Assert.NotEqual(0, count);
            received.Write(buffer, 0, count);
        }
    }
}
