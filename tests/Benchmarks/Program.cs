using System.Globalization;
using Distributed.Benchmarks;

switch (args)
{
    case ["sgemm"]:
        OneCore.Run(() => SgemmBenchmark.Run(filter: ""));
        return 0;
    case ["sgemm", var filter]:
        OneCore.Run(() => SgemmBenchmark.Run(filter));
        return 0;
    case ["conv"]:
        ConvolutionBenchmark.Run();
        return 0;
    case ["step", .. var models]:
        StepBenchmark.Run(models);
        return 0;
    case ["inference", .. var models]:
        OneCore.Run(() => InferenceBenchmark.Run(models));
        return 0;
    case ["threads", .. var models]:
        ThreadsBenchmark.Run(models);
        return 0;
    case ["optimizers"]:
        OptimizerBenchmark.Run();
        return 0;
    case ["training"]:
        TrainingBenchmark.Run(workers: 2);
        return 0;
    case ["training", var workers] when int.TryParse(workers, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0:
        TrainingBenchmark.Run(count);
        return 0;
    case ["scaling", .. var models]:
        ScalingBenchmark.Run(models);
        return 0;
    case ["allreduce"]:
        AllReduceBenchmark.Run(workers: 2);
        return 0;
    case ["allreduce", var workers] when int.TryParse(workers, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 1:
        AllReduceBenchmark.Run(count);
        return 0;
    case ["compare", var other, "steady", .. var models]:
        new CompareBenchmark(other, models).RunAlternating();
        return 0;
    case ["compare", var other, .. var parts]:
        new CompareBenchmark(other, parts).Run();
        return 0;
    case ["tables", var folder]:
        TablesBenchmark.Run(folder);
        return 0;
    case ["embeddings"]:
        OneCore.Run(EmbeddingBenchmark.RunAlone);
        EmbeddingBenchmark.RunWorkers();
        return 0;
    case ["pack", var folder]:
        PackBenchmark.Run(folder);
        return 0;
    case ["packing", var folder]:
        PackingBenchmark.Run(folder);
        return 0;
    case ["csv"]:
        CsvBenchmark.Run(Path.GetTempPath());
        return 0;
    case ["csv", var folder]:
        CsvBenchmark.Run(folder);
        return 0;
    case ["start"]:
        StartBenchmark.Run();
        return 0;
    case ["watching"]:
        WatchingBenchmark.Run();
        return 0;
    case ["recovery"]:
        RecoveryBenchmark.Run(rounds: 15);
        return 0;
    case ["checkpoint"]:
        CheckpointBenchmark.Run(Path.GetTempPath(), checkpoints: 5);
        return 0;
    case ["checkpoint", var folder]:
        CheckpointBenchmark.Run(folder, checkpoints: 5);
        return 0;
    case ["soak", var minutes, var seed]
        when double.TryParse(minutes, CultureInfo.InvariantCulture, out var time)
            && int.TryParse(seed, CultureInfo.InvariantCulture, out var number):
        return SoakBenchmark.Run(time, number);
    case ["simulate"]:
        SimulateBenchmark.Run([1, 2, 4, 8, 16, 64, 256, 1000]);
        return 0;
    case ["simulate", "--workers", var list]
        when list.Split(',').All(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0):
        SimulateBenchmark.Run([.. list.Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture))]);
        return 0;
    default:
        Console.Error.WriteLine(
            """
            Usage: dotnet run -c Release --project tests/Benchmarks -- BENCHMARK
              sgemm [TEXT]        matrix products beside OpenBLAS, those whose name contains the text (gcc, libopenblas-dev)
              conv                the passes of convolutions beside PyTorch (gcc, python3-torch)
              step [MODEL..]      a whole training step on one core beside PyTorch and the FMA bound (gcc, python3-torch)
              inference [MODEL..] predictions on one core beside ONNX Runtime on the exported model (dataset-fashion-mnist)
              threads [MODEL..]   a training step on two threads over one
              optimizers          updates in memory beside the same streams without arithmetic (gcc)
              allreduce [WORKERS] the exchange of gradients beside MPI and Gloo (openmpi-bin, libopenmpi-dev, python3-torch)
              scaling [MODEL..]   one worker, two, and PyTorch DDP with two ranks, and one step beside the FMA bound (gcc, python3-torch, dataset-fashion-mnist)
              simulate [--workers N,..]
                                  steps of up to 1,000 workers, by the cost model of docs/scaling.md and simulated
              recovery            how long training stands still when a worker or the coordinator dies (dataset-fashion-mnist)
              start               from the command to the first step beside PyTorch DDP (python3-torch)
              watching            what the page, the trace, logs and curves cost (dataset-fashion-mnist)
              checkpoint [DIR]    what writing checkpoints of 100 million parameters costs the steps meanwhile (10 GB of memory, 4 GB in DIR)
              soak MINUTES SEED   training under kills, pauses, joins and leaves at random: the same bits?
              tables DIR          adult income and California housing by the defaults beside scikit-learn (python3-sklearn, python3-pandas)
              embeddings          26 columns of categories beside PyTorch's sparse gradients, and DDP (python3-torch, libopenblas-dev)
              pack DIR            a pack of ten times the memory beside data in memory (root, control groups, 7 GB in DIR)
              packing DIR         packing a table of ten times the memory (root, control groups, 8 GB in DIR)
              csv [DIR]           loading 1,000,000 rows of 30 numbers beside pandas' C parser (python3-pandas, 0.6 GB in DIR)
              compare OTHER [step] [allreduce] [scaling] [MODEL..] [SECONDS]
                                  this build beside another checkout's, run in turn
              compare OTHER steady [MODEL..]
                                  trainings of both builds that stand still in turn, when start-up is over
              training [WORKERS]  whole runs beside PyTorch DDP over Gloo (python3-torch, dataset-fashion-mnist)
            """
        );
        return 2;
}
