using System.CommandLine;
using Distributed.Data;
using Distributed.Hosting;
using Distributed.Protocol;
using Distributed.Worker.Benchmarks;

namespace Distributed.Worker.CommandLine;

/// <summary>The worker's command line.</summary>
internal static class WorkerCommand
{
    private static readonly WorkerOptions Defaults = new() { Coordinator = "" };

    private static readonly Option<string> Coordinator = new("--coordinator")
    {
        Description = "The coordinator's address, such as http://10.0.0.1:5000",
        HelpName = "URL",
        Required = true,
    };
    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "Where other workers reach this one; port 0 lets the system choose",
        HelpName = "URL",
        DefaultValueFactory = _ => Defaults.Listen,
    };
    private static readonly Option<string?> Advertise = new("--advertise")
    {
        Description = "The address to tell other workers, if it is not the one listened on",
        HelpName = "URL",
    };
    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads that compute",
        HelpName = "T",
        DefaultValueFactory = _ => Defaults.Threads,
    };
    private static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = "File with the run's token; it is waited for",
        HelpName = "FILE",
    };
    private static readonly Option<bool> Insecure = new("--insecure") { Description = "Join and listen without a token" };
    private static readonly Option<int> ConnectTimeout = new("--connect-timeout")
    {
        Description = "Seconds to wait for the token file and the coordinator",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => Defaults.ConnectTimeout,
    };
    private static readonly Option<int> CoordinatorTimeout = new("--coordinator-timeout")
    {
        Description = "Seconds to go on without a sign of life of the coordinator",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => Defaults.CoordinatorTimeout,
    };
    private static readonly Option<string> LogLevel = new("--log-level")
    {
        Description = "What is logged on standard error; debug shows views, transports, and what ends a session",
        HelpName = string.Join('|', LogSettings.Levels.Select(level => level.Name)),
        DefaultValueFactory = _ => Defaults.Logs.LevelName,
    };
    private static readonly Option<string> LogFormatOption = new("--log-format")
    {
        Description = "How it is logged; json is an object a line",
        HelpName = "text|json",
        DefaultValueFactory = _ => Defaults.Logs.FormatName,
    };
    private static readonly Option<string> EmergencyDir = new("--emergency-dir")
    {
        Description = "Folder in which the newest state is left as a checkpoint if the coordinator never returns",
        HelpName = "DIR",
        DefaultValueFactory = _ => Defaults.EmergencyDir,
    };
    private static readonly Option<string> Data = new("--data")
    {
        Description = "Data that this worker holds; if it is the run's, samples need not be sent",
        HelpName = "digits|fashion-mnist|PATH",
        DefaultValueFactory = _ => new DataOptions().Data,
    };
    private static readonly Option<string?> Test = new("--test") { Description = "The test set that belongs to it", HelpName = "PATH" };
    private static readonly Option<string?> Holdout = new("--holdout")
    {
        Description = "What is held out of it to judge the training; a fraction is known from the run",
        HelpName = "FRACTION|PATH",
    };
    private static readonly Option<string?> DataDir = new("--data-dir")
    {
        Description = "Folder to look for named data sets in",
        HelpName = "DIR",
    };
    private static readonly Option<string?> LabelColumn = new("--label-column")
    {
        Description = "CSV: the column of the labels",
        HelpName = "NAME|INDEX",
    };
    private static readonly Option<string> TaskOfData = new("--task")
    {
        Description = "CSV: whether that column holds classes or numbers to predict",
        HelpName = "auto|classification|regression",
        DefaultValueFactory = _ => "auto",
    };
    private static readonly Option<bool?> Header = new("--header") { Description = "CSV: whether the first row names the columns" };
    private static readonly Option<string> DecimalComma = new("--decimal-comma")
    {
        Description = "CSV: whether numbers are written with a decimal comma",
        HelpName = "on|off",
        DefaultValueFactory = _ => "off",
    };
    private static readonly Option<string?> Categorical = Columns("--categorical", "the columns of categories");
    private static readonly Option<string?> Numeric = Columns("--numeric", "the columns of numbers");
    private static readonly Option<string?> Ignore = Columns("--ignore", "the columns that are left out");
    private static readonly Option<string?> Missing = new("--missing")
    {
        Description = "CSV: the texts that stand for missing values",
        HelpName = "TEXTS",
    };
    private static readonly Option<string?> WeightColumn = new("--weight-column")
    {
        Description = "CSV: the column of the samples' weights",
        HelpName = "NAME|INDEX",
    };
    private static readonly Option<string> Standardize = new("--standardize")
    {
        Description = "CSV: bring columns to mean 0 and deviation 1",
        HelpName = "on|off",
        DefaultValueFactory = _ => "on",
    };

    /// <summary>The root command: joins a run, and <c>health</c> asks a running process how it is.</summary>
    public static RootCommand Create()
    {
        TaskOfData.AcceptOnlyFromAmong("auto", "classification", "regression");
        DecimalComma.AcceptOnlyFromAmong("on", "off");
        Standardize.AcceptOnlyFromAmong("on", "off");
        LogLevel.AcceptOnlyFromAmong([.. LogSettings.Levels.Select(level => level.Name)]);
        LogFormatOption.AcceptOnlyFromAmong("text", "json");
        var command = new RootCommand("Joins a distributed training run: computes its share of every step until the run is complete.")
        {
            Coordinator,
            Listen,
            Advertise,
            Threads,
            TokenFile,
            Insecure,
            ConnectTimeout,
            CoordinatorTimeout,
            EmergencyDir,
            LogLevel,
            LogFormatOption,
            Data,
            Test,
            Holdout,
            DataDir,
            LabelColumn,
            TaskOfData,
            Header,
            DecimalComma,
            Categorical,
            Numeric,
            Ignore,
            Missing,
            WeightColumn,
            Standardize,
            HealthCommand.Create(),
            BenchCommand(),
        };
        command.SetAction((parse, cancellationToken) => RunAsync(Read(parse)));
        return command;
    }

    // For the coordinator, which starts such workers to measure.
    private static Command BenchCommand()
    {
        var rank = new Option<int>("--rank");
        var listen = new Option<string?>("--listen");
        var command = new Command("bench-member") { rank, listen };
        command.Hidden = true;
        command.SetAction((parse, cancellationToken) => AllReduceMember.RunAsync(parse.GetValue(rank), parse.GetValue(listen)));
        return command;
    }

    private static async Task<int> RunAsync(WorkerOptions options)
    {
        var inherited = Environment.GetEnvironmentVariable(RunToken.EnvironmentVariable);
        var errors = options.Errors(inherited is not null).ToList();
        foreach (var error in errors)
            await StandardStreams.Error.WriteLineAsync(error);
        return errors.Count > 0 ? ExitCode.BadUsage : await WorkerProcess.RunAsync(options, inherited);
    }

    private static WorkerOptions Read(ParseResult parse)
    {
        var local = LocalWorker.OfThisProcess();
        return new()
        {
            Coordinator = parse.GetRequiredValue(Coordinator),
            Listen = parse.GetRequiredValue(Listen),
            Advertise = parse.GetValue(Advertise),
            Threads = parse.GetValue(Threads),
            TokenFile = parse.GetValue(TokenFile),
            Insecure = parse.GetValue(Insecure),
            ConnectTimeout = parse.GetValue(ConnectTimeout),
            CoordinatorTimeout = parse.GetValue(CoordinatorTimeout),
            EmergencyDir = parse.GetRequiredValue(EmergencyDir),
            Logs = new LogSettings(
                LogSettings.LevelOf(parse.GetRequiredValue(LogLevel)),
                parse.GetRequiredValue(LogFormatOption) == "json" ? LogFormat.Json : LogFormat.Text
            ),
            Local = local,
            Data = local is null ? DataOf(parse) : local.Data,
        };
    }

    private static DataOptions DataOf(ParseResult parse) =>
        new()
        {
            Data = parse.GetRequiredValue(Data),
            Test = parse.GetValue(Test),
            Holdout = parse.GetValue(Holdout),
            DataDir = parse.GetValue(DataDir),
            LabelColumn = parse.GetValue(LabelColumn),
            Task =
                parse.GetRequiredValue(TaskOfData) is var task && task == "auto" ? null : Enum.Parse<LearningTask>(task, ignoreCase: true),
            Header = parse.GetValue(Header),
            DecimalComma = parse.GetRequiredValue(DecimalComma) == "on",
            Categorical = parse.GetValue(Categorical),
            Numeric = parse.GetValue(Numeric),
            Ignore = parse.GetValue(Ignore),
            Missing = parse.GetValue(Missing),
            WeightColumn = parse.GetValue(WeightColumn),
            Standardize = parse.GetRequiredValue(Standardize) == "on",
        };

    private static Option<string?> Columns(string name, string what) => new(name) { Description = $"CSV: {what}", HelpName = "COLUMNS" };
}

/// <summary>What a process of the run ends with.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadUsage = 2;

    /// <summary>Go on later: the run is not complete, and has not failed (EX_TEMPFAIL of sysexits.h).</summary>
    public const int Later = 75;
}
