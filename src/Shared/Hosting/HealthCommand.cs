using System.CommandLine;
using Distributed.Protocol;
using Grpc.Core;
using Grpc.Health.V1;

namespace Distributed.Hosting;

/// <summary><c>health URL</c>: asks a coordinator or a worker whether it serves, for a container's health check.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    /// <summary>The command; it ends with 0 if the process serves and with 1 if not.</summary>
    public static Command Create()
    {
        var address = new Argument<string>("URL") { Description = "The address that it listens on, such as http://127.0.0.1:5000" };
        var command = new Command("health", "Asks a running coordinator or worker whether it serves (exit code 0) or not (1).") { address };
        command.SetAction(
            (parse, cancellationToken) => CheckAsync(parse.GetRequiredValue(address), parse.InvocationConfiguration, cancellationToken)
        );
        return command;
    }

    private static async Task<int> CheckAsync(string address, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        try
        {
            using var connection = new Connection(address, token: null);
            var reply = await new Health.HealthClient(connection.Calls).CheckAsync(
                new HealthCheckRequest(),
                deadline: DateTime.UtcNow + Deadline,
                cancellationToken: cancellationToken
            );
            await console.Output.WriteLineAsync(reply.Status.ToString());
            return reply.Status == HealthCheckResponse.Types.ServingStatus.Serving ? 0 : 1;
        }
        catch (Exception exception)
            when (exception is RpcException or UriFormatException or NotSupportedException or InvalidOperationException)
        {
            await console.Error.WriteLineAsync($"{address}: {WireErrors.Cause(exception)}");
            return 1;
        }
    }
}
