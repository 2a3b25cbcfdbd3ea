using Microsoft.Extensions.Logging.Console;

namespace Distributed.Hosting;

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>A line for people.</summary>
    Text = 0,

    /// <summary>A JSON object a line.</summary>
    Json,
}

/// <summary>
/// What is logged to standard error. Where it is a terminal that already tells how a run goes, logs say nothing by default but what is wrong.
/// </summary>
/// <param name="Level">The least that is logged.</param>
/// <param name="Format">How.</param>
internal sealed record LogSettings(LogLevel Level = LogLevel.Warning, LogFormat Format = LogFormat.Text)
{
    /// <summary>The values of <c>--log-level</c>.</summary>
    public static readonly IReadOnlyList<(string Name, LogLevel Level)> Levels =
    [
        ("trace", LogLevel.Trace),
        ("debug", LogLevel.Debug),
        ("info", LogLevel.Information),
        ("warning", LogLevel.Warning),
        ("error", LogLevel.Error),
        ("off", LogLevel.None),
    ];

    /// <summary>Begins each line of a local worker's text log, so that its coordinator tells it from a message of failure.</summary>
    public const char WorkerMark = '\u001e';

    // What frameworks log of each request is for those who look for a fault in them.
    private static readonly string[] Frameworks = ["Microsoft", "Grpc", "System"];

    /// <summary>The name of the level.</summary>
    public string LevelName => Levels.First(level => level.Level == Level).Name;

    /// <summary>The name of the format.</summary>
    public string FormatName => Format == LogFormat.Json ? "json" : "text";

    /// <summary>A line of a local worker's log, with the process that it is of; null for what is none.</summary>
    /// <param name="line">What the worker has written.</param>
    /// <param name="process">Its process.</param>
    public string? LineOfWorker(string line, int process)
    {
        if (Format == LogFormat.Json && line.StartsWith('{'))
            return $"{{\"Process\":{process},{line[1..]}";
        var end = line.IndexOf(' ', StringComparison.Ordinal); // of the time
        return line.StartsWith(WorkerMark) && end > 0 ? $"{line[1..end]} [{process}]{line[end..]}" : null;
    }

    /// <summary>The level of a name.</summary>
    /// <exception cref="InputException">There is none.</exception>
    public static LogLevel LevelOf(string name) =>
        Levels.FirstOrDefault(level => level.Name == name) is { Name: not null } found
            ? found.Level
            : throw new InputException($"must be {string.Join(", ", Levels.Select(level => level.Name))}");

    /// <summary>Makes loggers. Lines that standard error does not take are dropped, and nobody waits for them.</summary>
    /// <param name="isLocalWorker">Whether a coordinator reads them.</param>
    public ILoggerFactory CreateFactory(bool isLocalWorker = false) => LoggerFactory.Create(logging => Configure(logging, isLocalWorker));

    private void Configure(ILoggingBuilder logging, bool isLocalWorker)
    {
        logging.SetMinimumLevel(Level);
        foreach (var framework in Frameworks)
            logging.AddFilter(framework, Level == LogLevel.Trace ? LogLevel.Debug : (LogLevel)Math.Max((int)Level, (int)LogLevel.Warning));
        // A failed start is an exception here, and told as one line.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        const string time = "yyyy-MM-dd'T'HH:mm:ss.fff'Z '";
        if (Format == LogFormat.Json)
        {
            logging.AddJsonConsole(options =>
                (options.UseUtcTimestamp, options.TimestampFormat) = (true, time.Replace(" '", "'", StringComparison.Ordinal))
            );
        }
        else
        {
            logging.AddSimpleConsole(options =>
            {
                (options.SingleLine, options.UseUtcTimestamp) = (true, true);
                options.TimestampFormat = isLocalWorker ? $"'{WorkerMark}'{time}" : time;
                options.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }

        logging.Services.Configure<ConsoleLoggerOptions>(options =>
        {
            options.LogToStandardErrorThreshold = LogLevel.Trace;
            options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
    }
}
