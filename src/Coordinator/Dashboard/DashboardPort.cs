using System.Globalization;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// The port of a run's page, kept in the run folder: who resumes the run finds the page where it was, and pages that are open find it again.
/// </summary>
/// <param name="folder">The run folder.</param>
internal sealed class DashboardPort(string folder)
{
    /// <summary>The file's name in the run folder.</summary>
    public const string FileName = "dashboard-port";

    private string File => Path.Combine(folder, FileName);

    /// <summary>The port; null if none is known, or what stands there is none.</summary>
    public int? Read()
    {
        try
        {
            return
                int.TryParse(System.IO.File.ReadAllText(File), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                && port is > 0 and <= ushort.MaxValue
                ? port
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // the page is then at another port, which is told
        }
    }

    /// <summary>Remembers a port.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Write(int port) => AtomicFile.WriteText(File, port.ToString(CultureInfo.InvariantCulture));
}
