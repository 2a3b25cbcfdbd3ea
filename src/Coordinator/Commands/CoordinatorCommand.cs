using System.CommandLine;
using Distributed.Coordinator.Cluster.Hosting;
using Distributed.Coordinator.Help;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Hosting;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary>The program's command line: parses it, runs a command, and turns failures into lines and exit codes.</summary>
internal sealed class CoordinatorCommand
{
    private readonly CommandConsole _console;
    private readonly TrainingRunFactory _runs;
    private readonly RootCommand _root = new() { TreatUnmatchedTokensAsErrors = false };
    private readonly Dictionary<Command, HelpText> _help = [];

    /// <summary>Puts the commands together.</summary>
    internal CoordinatorCommand(CommandConsole console, TrainingRunFactory runs)
    {
        _console = console;
        _runs = runs;
        _help[_root] = CommandTexts.Root;
        _root.SetAction(result => UnknownTokens.Problems(result) is { Count: > 0 } problems ? throw Bad(problems) : ShowHelp(_root));
        AddTrain();
        AddVerify();
        AddEval();
        AddPredict();
        AddData();
        AddBench();
        AddHealth();
        _root.Options.OfType<System.CommandLine.Help.HelpOption>().Single().Action = new HelpAction(_help);
    }

    /// <summary>Runs a command line.</summary>
    /// <returns>The process's exit code.</returns>
    internal async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        try
        {
            // Values such as @name are values, not files of arguments.
            var result = _root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (result.Errors.Count > 0 && result.Action is not HelpAction)
                throw Bad([.. result.Errors.Select(error => error.Message)]);
            return await result.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = _console.Output,
                    Error = _console.Error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null,
                }
            );
        }
        catch (InvalidOptionsException exception)
        {
            _console.WriteErrors(string.Join('\n', TrainOptionTable.Table.Lines(exception.Errors)));
            return ExitCodes.BadUsage;
        }
        catch (InputException exception)
        {
            _console.WriteErrors(exception.Message);
            return ExitCodes.BadUsage;
        }
        catch (OutOfMemoryException)
        {
            _console.WriteErrors(
                "out of memory: make the data (--data), the model (--model) or the batch (--batch-size, --microbatch) smaller, "
                    + "or give this process more"
            );
            return ExitCodes.RunFailed;
        }
        catch (Exception exception) when (exception is RunFailedException or IOException or UnauthorizedAccessException)
        {
            _console.WriteErrors(exception.Message.ReplaceLineEndings(" "));
            return ExitCodes.RunFailed;
        }
    }

    private void AddTrain()
    {
        var table = TrainOptionTable.Table;
        var command = Add(_root, "train", CommandTexts.Train);
        table.AddTo(command);
        command.SetAction((result, _) => TrainAsync(table, result));
    }

    private async Task<int> TrainAsync(OptionTable<TrainSettings> table, ParseResult result)
    {
        try
        {
            return await new TrainCommand(_console, _runs).RunAsync(new TrainSettingsReader(table).Read(result));
        }
        catch (InputException exception)
        {
            if (TokenFileOf(table, result) is { } path)
                TokenFile.Refuse(path, exception.Message);
            throw;
        }
    }

    // Also where the rest cannot be read.
    private static string? TokenFileOf(OptionTable<TrainSettings> table, ParseResult result)
    {
        var typed = table.Values(result, []);
        if (Named(typed, "--token-file") is { } path)
            return path;
        try
        {
            return Named(typed, ConfigurationFile.OptionName) is { } file
                ? Named(ConfigurationFile.Read(file, table, []), "--token-file")
                : null;
        }
        catch (InputException)
        {
            return null;
        }

        static string? Named(IEnumerable<OptionValue> values, string name) => values.FirstOrDefault(value => value.Name == name)?.Text;
    }

    private void AddVerify()
    {
        var table = new OptionTable<VerifySettings>(VerifySettings.Options);
        var command = Add(_root, "verify", CommandTexts.Verify);
        var run = AddPlace(command, "RUN");
        table.AddTo(command);
        command.SetAction(
            (result, _) =>
            {
                VerifySettings settings = Read(table, new VerifySettings(), result, run, settings =>
                    [.. settings.Cluster(0).Validate(), .. settings.Display.Validate()]
                );
                return new VerifyCommand(_console, _runs).RunAsync(result.GetValue(run)!, settings);
            }
        );
    }

    private void AddEval()
    {
        var table = new OptionTable<EvalSettings>(EvalSettings.Options);
        var command = Add(_root, "eval", CommandTexts.Eval);
        var model = AddPlace(command, "MODEL");
        table.AddTo(command);
        command.SetAction(result =>
        {
            var settings = Read(table, new EvalSettings(), result, model, settings => settings.Validate());
            var namesData = table.Values(result, []).Any(option => option.Name == "--data");
            return new EvalCommand(_console).Run(result.GetValue(model)!, settings, namesData);
        });
    }

    private void AddPredict()
    {
        var table = new OptionTable<PredictSettings>(PredictSettings.Options);
        var command = Add(_root, "predict", CommandTexts.Predict);
        var model = AddPlace(command, "MODEL");
        table.AddTo(command);
        command.SetAction(result =>
        {
            var settings = Read(table, new PredictSettings(), result, model, settings => settings.Validate());
            return new PredictCommand(_console).Run(result.GetValue(model)!, settings);
        });
    }

    private void AddData()
    {
        var data = Add(_root, "data", CommandTexts.Data);
        data.SetAction(result => UnknownTokens.Problems(result) is { Count: > 0 } problems ? throw Bad(problems) : ShowHelp(data));
        AddData(data, "list", CommandTexts.DataList, CommandTexts.ListOptions, new DataCommand(_console).List);
        AddData(data, "inspect", CommandTexts.DataInspect, DataOptionTable.Options, new DataCommand(_console).Inspect);
        AddPack(data);
    }

    private void AddPack(Command data)
    {
        var table = new OptionTable<DataOptions>(CommandTexts.PackOptions);
        var command = Add(data, "pack", CommandTexts.DataPack);
        var (source, folder) = (AddPlace(command, "SOURCE"), AddPlace(command, "DIR"));
        table.AddTo(command);
        command.SetAction(result =>
        {
            var options = Read(table, new DataOptions(), result, place: null, _ => Missing());
            return new DataCommand(_console).Pack(options with { Data = result.GetValue(source)! }, result.GetValue(folder)!);

            IEnumerable<string> Missing()
            {
                if (result.GetValue(source) is null)
                    yield return "SOURCE: is missing; name the data, as --data does";
                if (result.GetValue(folder) is null)
                    yield return "DIR: is missing; name a new folder for the packed data, such as data/packed";
            }
        });
    }

    private void AddData(
        Command parent,
        string name,
        HelpText help,
        IReadOnlyList<OptionSpec<DataOptions>> options,
        Func<DataOptions, int> run
    )
    {
        var table = new OptionTable<DataOptions>(options);
        var command = Add(parent, name, help);
        table.AddTo(command);
        command.SetAction(result => run(Read(table, new DataOptions(), result, place: null, _ => [])));
    }

    private void AddBench()
    {
        var bench = Add(_root, "bench", CommandTexts.Bench);
        bench.SetAction(result => UnknownTokens.Problems(result) is { Count: > 0 } problems ? throw Bad(problems) : ShowHelp(bench));
        AddBench(
            bench,
            "allreduce",
            CommandTexts.BenchAllReduce,
            BenchSettings.Options,
            new BenchSettings(),
            settings => settings.Validate(),
            settings => new BenchCommand(_console).AllReduceAsync(settings)
        );
        AddBench(
            bench,
            "scaling",
            CommandTexts.BenchScaling,
            ScalingSettings.Options,
            new ScalingSettings(),
            settings => settings.Validate(),
            settings => new ScalingCommand(_console, _runs).RunAsync(settings)
        );
    }

    private void AddBench<TSettings>(
        Command bench,
        string name,
        HelpText help,
        IReadOnlyList<OptionSpec<TSettings>> options,
        TSettings defaults,
        Func<TSettings, IEnumerable<string>> validate,
        Func<TSettings, Task<int>> run
    )
    {
        var table = new OptionTable<TSettings>(options);
        var command = Add(bench, name, help);
        table.AddTo(command);
        command.SetAction((result, _) => run(Read(table, defaults, result, place: null, validate)));
    }

    private void AddHealth()
    {
        var command = HealthCommand.Create();
        _root.Add(command);
        _help[command] = CommandTexts.Health;
    }

    private Command Add(Command parent, string name, HelpText help)
    {
        var command = new Command(name, help.Purpose) { TreatUnmatchedTokensAsErrors = false };
        parent.Add(command);
        _help[command] = help;
        return command;
    }

    private static Argument<string?> AddPlace(Command command, string name)
    {
        var place = new Argument<string?>(name) { Arity = ArgumentArity.ZeroOrOne };
        command.Add(place);
        return place;
    }

    private static TSettings Read<TSettings>(
        OptionTable<TSettings> table,
        TSettings defaults,
        ParseResult result,
        Argument<string?>? place,
        Func<TSettings, IEnumerable<string>> validate
    )
    {
        List<string> problems = [.. UnknownTokens.Problems(result)];
        if (place is not null && result.GetValue(place) is null)
            problems.Add($"{place.Name}: is missing; name a run folder, such as {result.CommandResult.Command.Name} runs/first");
        var settings = table.Apply(defaults, table.Values(result, problems), problems);
        problems.AddRange(validate(settings));
        return problems.Count == 0 ? settings : throw Bad(problems);
    }

    private int ShowHelp(Command command)
    {
        _help[command].WriteTo(_console.Output);
        return ExitCodes.Done;
    }

    private static InputException Bad(IReadOnlyList<string> problems) => new(string.Join('\n', problems));
}
