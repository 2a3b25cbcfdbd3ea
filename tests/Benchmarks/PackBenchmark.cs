using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// Training on a pack of ten times the memory that the process gets, beside training on the same data in memory: the file cache is emptied before,
/// and what is read from the disk is counted. Both must end in the same weights.
/// </summary>
internal sealed class PackBenchmark : IDisposable
{
    private const int Images = 2_600_000; // nearly the largest file that is read into memory
    private const int Size = 28 * 28;
    private const int Rounds = 5;
    private const int Block = 16_384;
    private const long Memory = (long)Images * Size / 10;

    private static readonly (string Model, int Steps)[] Models = [("mlp", 800), ("mlp:64", 4000)];

    private readonly string _folder;

    private PackBenchmark(string folder) => _folder = Directory.CreateDirectory(Path.Combine(folder, $"pack-{Guid.NewGuid():N}")).FullName;

    /// <param name="folder">Where there are 7 GB of room on the disk that is to be measured.</param>
    public static void Run(string folder)
    {
        using var benchmark = new PackBenchmark(folder);
        benchmark.Run();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Source => Path.Combine(_folder, "source");

    private string Pack => Path.Combine(_folder, "pack");

    private void Run()
    {
        WriteImages();
        TrainingBenchmark.Output(TrainingBenchmark.Coordinator, ["data", "pack", Source, Pack]);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Images:N0} samples of {Size} bytes, {Memory / 1e6:N0} MB of memory for a process that trains on the pack; samples/s, medians of {Rounds} rounds."
            )
        );
        Console.WriteLine();
        Console.WriteLine("| model | order | in memory | packed, cold | packed / in memory | read from disk, bytes a sample |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var (model, steps) in Models)
        {
            Compare(model, steps, $"blocks of {Block}", ["--shuffle-block", Block.ToString(CultureInfo.InvariantCulture)]);
            Compare(model, steps / 4, "all samples", []);
        }
    }

    private void Compare(string model, int steps, string order, string[] options)
    {
        Measurement memory = new(),
            packed = new(),
            read = new();
        for (var round = 0; round < Rounds; round++)
        {
            var (rate, hash) = Train(Source, model, steps, options, run =>
            {
                TrainingBenchmark.Output(TrainingBenchmark.Coordinator, run);
                return 0;
            });
            memory.Add(rate);
            using var limit = new MemoryLimit(Memory);
            MemoryLimit.DropFileCache();
            var bytes = 0L;
            var (packedRate, packedHash) = Train(Pack, model, steps, options, run =>
                bytes = limit.Run(TrainingBenchmark.Coordinator, run).Read
            );
            packed.Add(packedRate);
            read.Add(bytes / (256.0 * steps));
            if (packedHash != hash)
                throw new InvalidOperationException($"the pack has trained {packedHash}, memory {hash}");
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {order} | {memory.Median:N0} | {packed.Median:N0} | {packed.Over(memory).AsRatio} | {read.Median:N0} |"
            )
        );
    }

    private (double Rate, string Hash) Train(string data, string model, int steps, string[] options, Func<string[], long> run)
    {
        var folder = Path.Combine(_folder, "run");
        var steady = steps.ToString(CultureInfo.InvariantCulture);
        string[] arguments =
        [
            .. new[] { "train", "--data", data, "--model", model, "--workers", "0", "--threads", "2", "--batch-size", "256" },
            .. new[] { "--steps", steady, "--eval-every", steady, "--checkpoint-every", steady, "--learning-rate", "0.001" },
            .. new[] { "--run", folder, "--quiet" },
            .. options,
        ];
        try
        {
            run(arguments);
            using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json")));
            return (
                summary.RootElement.GetProperty("samplesPerSecond").GetDouble(),
                summary.RootElement.GetProperty("weightsSha256").GetString()!
            );
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    private void WriteImages()
    {
        Directory.CreateDirectory(Source);
        Write("train", Images);
        Write("t10k", 1000);

        void Write(string part, int images)
        {
            var random = new System.Random(images);
            var image = new byte[Size];
            using var values = File.Create(Path.Combine(Source, $"{part}-images-idx3-ubyte"), 1 << 20);
            using var labels = File.Create(Path.Combine(Source, $"{part}-labels-idx1-ubyte"));
            values.Write(Header(images, 28, 28));
            labels.Write(Header(images));
            for (var i = 0; i < images; i++)
            {
                random.NextBytes(image);
                values.Write(image);
                labels.WriteByte((byte)(image[0] % 10));
            }
        }
    }

    private static byte[] Header(params int[] sizes)
    {
        var header = new byte[4 + (4 * sizes.Length)];
        (header[2], header[3]) = (8, (byte)sizes.Length);
        foreach (var (place, size) in sizes.Index())
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4 + (4 * place)), size);
        return header;
    }
}
