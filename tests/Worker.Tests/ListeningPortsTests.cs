using System.Net.Sockets;
using Distributed.Hosting;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Xunit;

namespace Distributed.Worker.Tests;

public sealed class ListeningPortsTests
{
    private static readonly Uri AnyPort = new("http://127.0.0.1:0");

    [Fact]
    public async Task Who_connects_before_there_is_a_server_is_served_by_it()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var ports = ListeningPorts.Open(AnyPort);
        using var early = new TcpClient();
        await early.ConnectAsync(ports.Address.Host, ports.Address.Port, cancellation);

        await using var app = GrpcServer.CreateBuilder(ports, token: null).Build();
        GrpcServer.MapCommonServices(app);
        await app.StartAsync(cancellation);
        using var handler = new SocketsHttpHandler { ConnectCallback = (_, _) => new(early.GetStream()) };
        using var channel = GrpcChannel.ForAddress(ports.Address, new GrpcChannelOptions { HttpHandler = handler });
        var answer = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest(), cancellationToken: cancellation);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    [Fact]
    public void A_port_that_is_taken_is_refused_with_the_remedy()
    {
        using var ports = ListeningPorts.Open(AnyPort);
        var refusal = Assert.Throws<InputException>(() => ListeningPorts.Open(ports.Address));
        Assert.Equal(
            $"--listen {ports.Address}: cannot be listened on (Address already in use); choose another port, or 0 for a free one",
            refusal.Message
        );
    }

    [Fact]
    public void A_port_is_free_again_when_nobody_has_taken_it()
    {
        Uri address;
        using (var ports = ListeningPorts.Open(AnyPort))
            address = ports.Address;
        using var again = ListeningPorts.Open(address);
        Assert.Equal(address, again.Address);
    }
}
