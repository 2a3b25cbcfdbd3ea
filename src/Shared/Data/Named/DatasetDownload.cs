namespace Distributed.Data.Named;

/// <summary>
/// Fetches published files into a folder. A file appears under its name only complete and with the published content. Time and
/// size are bounded.
/// </summary>
/// <param name="handler">The connection to the network; disposed with this.</param>
/// <param name="source">The address of the folder that holds the compressed files.</param>
internal sealed class DatasetDownload(HttpMessageHandler handler, Uri source) : IDisposable
{
    /// <summary>How long to wait for a connection: a machine without a network should learn it soon.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    // The largest file has 26 MB: this is five minutes at 90 KB/s.
    private static readonly TimeSpan FileTimeout = TimeSpan.FromMinutes(5);
    private const int LargestFile = 64 << 20;

    private readonly HttpClient _client = new(handler) { Timeout = FileTimeout, MaxResponseContentBufferSize = LargestFile };

    /// <summary>Fetches the files that are not there yet.</summary>
    /// <param name="files">The files; they are fetched and kept as <c>NAME.gz</c>.</param>
    /// <param name="folder">Where to put them; it is made if needed.</param>
    /// <param name="remedy">Other ways to get them, for the message of a failure.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="InputException">A file could not be fetched, checked or stored.</exception>
    public void Fetch(IEnumerable<PublishedFile> files, string folder, string remedy, CancellationToken cancellation)
    {
        foreach (var file in files.Where(file => file.FindIn(folder) is null))
        {
            var address = new Uri(source, file.Name + ".gz");
            try
            {
                Store(Path.Combine(folder, file.Name + ".gz"), Get(address, file, remedy, cancellation));
            }
            catch (Exception e)
                when (!cancellation.IsCancellationRequested
                    && e is HttpRequestException or OperationCanceledException or IOException or UnauthorizedAccessException
                )
            {
                throw new InputException(
                    $"{file.Name} is not on this machine and could not be fetched from {address} ({e.Message}); {remedy}",
                    e
                );
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private byte[] Get(Uri address, PublishedFile file, string remedy, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        using var response = _client.Send(request, cancellation).EnsureSuccessStatusCode();
        using var stored = new MemoryStream();
        response.Content.ReadAsStream(cancellation).CopyTo(stored);
        var content = stored.ToArray();
        file.RequireContent(address.ToString(), FileContent.Decompress(address.ToString(), content).Span, remedy);
        return content;
    }

    private static void Store(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            File.WriteAllBytes(temporary, content);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
