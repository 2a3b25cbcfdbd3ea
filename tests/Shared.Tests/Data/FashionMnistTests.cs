using System.Net;
using System.Security.Cryptography;
using Distributed.Data;
using Distributed.Data.Named;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class FashionMnistTests : IDisposable
{
    private static readonly byte[] Content = "published content"u8.ToArray();
    private static readonly PublishedFile File1 = new("first", Convert.ToHexStringLower(SHA256.HashData(Content)));
    private static readonly Uri Source = new("https://example.test/data/");

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Debians_files_are_loaded_and_have_the_published_content()
    {
        if (FashionMnist.Find([FashionMnist.DebianFolder]) is null)
        {
            const string Reason = "Fashion-MNIST is not here: install Debian's package dataset-fashion-mnist";
            Assert.False(Environment.GetEnvironmentVariable("DISTRIBUTED_REQUIRE_ALL_TESTS") is { Length: > 0 }, Reason);
            Assert.Skip(Reason);
        }

        var dataset = FashionMnist.Read(FashionMnist.DebianFolder, Workspace.InMemory);

        Assert.Equal((60_000, 10_000), (dataset.Train.Count, dataset.Test.Count));
        Assert.Equal("Ankle boot", dataset.ClassNames[dataset.Train.Targets[0]]);
        Assert.Equal("3a50a7e92212db5ed04bc7cf38944f2e2b30c6b9df0d802a972753b181a3ec81", dataset.Sha256);
        Assert.All(DatasetStatistics.Of(dataset).TrainCounts, count => Assert.Equal(6000, count));
    }

    [Fact]
    public void Other_images_under_the_same_names_are_refused()
    {
        _folder.WritePair("train", 0, 1);
        _folder.WritePair("t10k", 0, 1);

        var message = _folder.Refusal(new DataOptions { Data = "fashion-mnist", DataDir = _folder.Path });

        Assert.StartsWith(
            "train-images-idx3-ubyte: this is not the published train-images-idx3-ubyte: SHA-256 ",
            message,
            StringComparison.Ordinal
        );
        Assert.EndsWith("; to train on other data, name its folder with --data", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_out_of_range_is_refused_with_its_offset()
    {
        _folder.WritePair("train", 0, 1, 10);
        _folder.WritePair("t10k", 0, 1);

        Assert.Equal(
            "train-labels-idx1-ubyte: offset 10: the label of sample 2 is 10, but the classes are 0 to 9",
            _folder.Refusal(new DataOptions { Data = "fashion-mnist", DataDir = _folder.Path })
        );
    }

    [Fact]
    public void The_list_says_where_it_is()
    {
        _folder.WritePair("train", 0, 1);
        _folder.WritePair("t10k", 0, 1);

        var description = DatasetLoader.List(new DataOptions { DataDir = _folder.Path })[1];

        Assert.Equal(("fashion-mnist", _folder.Path, null), (description.Name, description.Location, description.Remedy));
    }

    [Fact]
    public void A_download_keeps_the_compressed_file_under_its_name()
    {
        var compressed = DataFolder.Gzip(Content);

        Fetch(request =>
        {
            Assert.Equal("https://example.test/data/first.gz", request.RequestUri!.ToString());
            return new HttpResponseMessage { Content = new ByteArrayContent(compressed) };
        });

        Assert.Equal([Path.Combine(_folder.Path, "cache", "first.gz")], Files());
        Assert.Equal(compressed, File.ReadAllBytes(Files().Single()));
    }

    [Fact]
    public void A_file_that_is_there_is_not_downloaded_again()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "cache"));
        _folder.Write(Path.Combine("cache", "first"), Content);

        Fetch(_ => throw new InvalidOperationException("not to be asked for"));

        Assert.Single(Files());
    }

    [Fact]
    public void Other_content_is_refused_and_nothing_is_left()
    {
        var e = Assert.Throws<InputException>(() => Fetch(_ => new HttpResponseMessage { Content = new ByteArrayContent([1, 2, 3]) }));

        Assert.StartsWith(
            "https://example.test/data/first.gz: this is not the published first: SHA-256 ",
            e.Message,
            StringComparison.Ordinal
        );
        Assert.Empty(Files());
    }

    [Fact]
    public void An_unreachable_network_is_refused_with_every_remedy()
    {
        var e = Assert.Throws<InputException>(() => Fetch(_ => throw new HttpRequestException("no route")));

        Assert.StartsWith(
            "first is not on this machine and could not be fetched from https://example.test/data/first.gz (no route); ",
            e.Message
        );
        Assert.Contains("dataset-fashion-mnist", e.Message, StringComparison.Ordinal);
        Assert.Contains("--data-dir", e.Message, StringComparison.Ordinal);
        Assert.Empty(Files());
    }

    [Fact]
    public void A_refusing_server_is_named_with_its_answer()
    {
        var e = Assert.Throws<InputException>(() => Fetch(_ => new HttpResponseMessage(HttpStatusCode.NotFound)));

        Assert.Contains("404", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_refused()
    {
        _folder.Write("cache", "a file where the folder should be");

        Assert.Throws<InputException>(() => Fetch(_ => new HttpResponseMessage { Content = new ByteArrayContent(Content) }));
    }

    [Fact]
    public void A_cancelled_download_is_cancelled_rather_than_refused()
    {
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => Fetch(_ => new HttpResponseMessage(), cancellation.Token));
    }

    private string[] Files() => Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories);

    private void Fetch(Func<HttpRequestMessage, HttpResponseMessage> answer, CancellationToken cancellation = default)
    {
        using var download = new DatasetDownload(new Server(answer), Source);
        download.Fetch([File1], Path.Combine(_folder.Path, "cache"), FashionMnist.Remedy, cancellation);
    }

    private sealed class Server(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return answer(request);
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
