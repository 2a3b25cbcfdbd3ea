using Distributed.Benchmarks;

switch (args)
{
    case ["sgemm"]:
        SgemmBenchmark.Run();
        return 0;
    default:
        Console.Error.WriteLine("Usage: dotnet run -c Release --project tests/Benchmarks -- sgemm");
        return 2;
}
