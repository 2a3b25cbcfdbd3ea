using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class TrainingColumnsTests
{
    private static readonly Dataset Points = Dataset.FromArrays(
        [.. Enumerable.Range(0, 50).Select(i => new float[] { i / 5 % 3, i % 5 == 4 ? 1000 : 7 })],
        [.. Enumerable.Range(0, 50).Select(i => i % 2)],
        new ArrayOptions { Standardize = false }
    );

    [Fact]
    public void AColumnHasOneValueOfEachSampleAsANetworkSeesIt()
    {
        TrainingColumns columns = new(TinyRun.Data.Train); // of bytes
        var column = new float[columns.Rows];
        var sample = new float[64];
        columns.Copy(37, column);
        Assert.Equal(TinyRun.Data.Train.Count, columns.Rows);
        foreach (var row in (int[])[0, 1, 700, columns.Rows - 1])
        {
            TinyRun.Data.Train.Decode([row], sample);
            Assert.Equal(sample[37], column[row]);
        }

        Assert.Throws<ArgumentOutOfRangeException>("destination", () => columns.Copy(37, new float[3]));
    }

    [Fact]
    public void OfMoreRowsThanThatEverySoManyAreLookedAt()
    {
        const int samples = (TrainingColumns.MostRows * 3 / 2) + 1;
        var decoder = new SampleDecoder(Preprocessing.Bytes(255), new SampleShape(1, 1, 1));
        var features = new byte[samples];
        for (var i = 0; i < samples; i++)
            features[i] = (byte)i;
        TrainingColumns columns = new(new SampleSet(decoder, new int[samples], features));

        var column = new float[columns.Rows];
        columns.Copy(0, column);

        Assert.Equal(TrainingColumns.MostRows, columns.Rows);
        foreach (var row in (int[])[0, 1, 2, 3, 70_001, columns.Rows - 1])
            Assert.Equal((byte)((long)row * samples / columns.Rows) / 255f, column[row]);
    }

    /// <summary>The samples that are held back have a value of their own, which no edge may know.</summary>
    [Fact]
    public void ARunRecordsWhatItsModelHasFoundInTheTrainingPart()
    {
        var options = new TrainingOptions { Model = """{"layers":[{"type":"piecewise","bins":16}]}""", Steps = 1 };
        const string fitted = """{"layers":[{"type":"piecewise","edges":[[0,1,2],[7,8]]}]}""";
        var prepared = RunPreparation.Of(options, Points);
        Assert.Equal(fitted, prepared.Configuration.Options.Model);
        Assert.Equal([2, 3], prepared.Network.Layout.Parameters[0].Shape);
        Assert.Equal(prepared.Configuration, RunPreparation.Of(prepared.Configuration.Options, Points).Configuration);
    }
}
