using Distributed.Protocol;
using Xunit;

namespace Distributed.Worker.Tests;

public sealed class TokenSourceTests : IDisposable
{
    private static readonly WorkerOptions Options = new() { Coordinator = "http://127.0.0.1:5000" };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("worker-");
    private readonly RunToken _token = RunToken.Create();

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    [Fact]
    public async Task Without_a_file_it_is_inherited() =>
        Assert.True((await TokenSource.ReadAsync(Options, _token.Reveal(), CancellationToken.None))!.Matches(_token.HeaderValue));

    [Fact]
    public async Task There_may_be_none() => Assert.Null(await TokenSource.ReadAsync(Options, inherited: null, CancellationToken.None));

    [Fact]
    public async Task A_file_counts_more_than_what_is_inherited()
    {
        await File.WriteAllTextAsync(TokenFile, _token.Reveal() + "\n");
        var read = await TokenSource.ReadAsync(Options with { TokenFile = TokenFile }, RunToken.Create().Reveal(), CancellationToken.None);
        Assert.True(read!.Matches(_token.HeaderValue));
    }

    [Fact]
    public async Task A_file_is_waited_for()
    {
        var reading = TokenSource.ReadAsync(Options with { TokenFile = TokenFile }, inherited: null, CancellationToken.None);
        Assert.False(reading.IsCompleted);
        await File.WriteAllTextAsync(TokenFile + ".new", _token.Reveal());
        File.Move(TokenFile + ".new", TokenFile);
        Assert.True((await reading)!.Matches(_token.HeaderValue));
    }

    [Fact]
    public async Task Waiting_for_a_file_can_be_given_up()
    {
        using var leave = new CancellationTokenSource();
        var reading = TokenSource.ReadAsync(Options with { TokenFile = TokenFile }, inherited: null, leave.Token);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task What_is_no_token_is_refused_without_being_shown()
    {
        const string secret = "not 64 digits";
        await File.WriteAllTextAsync(TokenFile, secret);
        var file = await Assert.ThrowsAsync<InputException>(() =>
            TokenSource.ReadAsync(Options with { TokenFile = TokenFile }, null, CancellationToken.None)
        );
        Assert.StartsWith($"--token-file {TokenFile}: ", file.Message, StringComparison.Ordinal);
        var inherited = await Assert.ThrowsAsync<InputException>(() => TokenSource.ReadAsync(Options, secret, CancellationToken.None));
        Assert.StartsWith(RunToken.EnvironmentVariable, inherited.Message, StringComparison.Ordinal);
        Assert.All([file, inherited], refusal => Assert.DoesNotContain(secret, refusal.Message, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
