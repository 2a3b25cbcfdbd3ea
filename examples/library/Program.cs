using Distributed.Cluster;
using Distributed.Data;
using Distributed.Training;

// The same training in this process and on two workers, of data with a name and of arrays that lie in memory alone.
Compare("digits", Dataset.Open("digits"), new TrainingOptions { Model = "mlp:32", Epochs = 1 });

float[][] points = [.. Enumerable.Range(0, 200).Select(i => new[] { i % 20 - 9.5f, i / 20 - 4.5f })];
string[] sides = [.. points.Select(point => point[0] > point[1] ? "right" : "left")];
Compare("arrays", Dataset.FromArrays(points, sides), new TrainingOptions { Model = "mlp:16", BatchSize = 20 });

static void Compare(string name, Dataset dataset, TrainingOptions options)
{
    var alone = new Trainer(dataset, options).Train();
    var shared = new ClusterTrainer(dataset, options) { Workers = 2 }.Train();
    Console.WriteLine($"{name}, this process: {alone.Model.WeightsSha256}");
    Console.WriteLine($"{name}, {shared.Workers} workers: {shared.Model.WeightsSha256}");
}
