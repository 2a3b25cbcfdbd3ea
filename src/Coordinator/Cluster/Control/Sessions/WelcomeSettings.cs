using Distributed.Cluster;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>The run's settings as a worker receives them when it joins.</summary>
internal static class WelcomeSettings
{
    /// <summary>Writes the settings. Paths stay here: a worker knows the dataset by its name and hash.</summary>
    /// <param name="request">The run.</param>
    public static RunSettings Of(RunRequest request)
    {
        var withoutPaths = request.Configuration with
        {
            Options = request.Configuration.Options with
            {
                Data = new DataOptions
                {
                    Data = request.Dataset.Name,
                    Task = request.Dataset.Task,
                    Holdout = Fraction(request.Configuration.Options.Data),
                },
                InitWeights = null,
            },
        };
        return new RunSettings
        {
            ConfigurationJson = RunConfigurationJson.Write(withoutPaths),
            Shape = Shape(request.Dataset.Inputs),
            Outputs = request.Dataset.OutputWidth,
            PreprocessingJson = request.Dataset.Preprocessing.OfStored.ToJson(),
            Dataset = request.Dataset.Name,
            Exchange = request.Cluster.Exchange == Exchange.Peers ? ExchangeMode.Peers : ExchangeMode.Coordinator,
            Transport = Mode(request.Cluster.Transport),
            Ledger = request.Cluster.Ledger,
            Trace = request.Cluster.Trace,
            ConfigurationHash = RunConfigurationJson.Hash(request.Configuration),
            ObjectiveJson = request.Configuration.Options.ObjectiveOf(request.Dataset).ToJson(),
        };
    }

    private static string? Fraction(DataOptions data) => Holdout.Of(data) is { Path: null } fraction ? fraction.ToString() : null;

    private static InputShape Shape(InputColumns columns)
    {
        var (channels, height, width) = columns.Shape;
        var categories = columns.Categories.Select(category => new InputCategory { Name = category.Name, Size = category.Size });
        return new InputShape
        {
            Channels = channels,
            Height = height,
            Width = width,
            Categories = { categories },
        };
    }

    /// <summary>The transport as it is told on the wire.</summary>
    /// <param name="transport">The option.</param>
    public static TransportMode Mode(Transport transport) =>
        transport switch
        {
            Transport.Shm => TransportMode.Shm,
            Transport.Tcp => TransportMode.Tcp,
            Transport.Grpc => TransportMode.Grpc,
            _ => TransportMode.Auto,
        };
}
