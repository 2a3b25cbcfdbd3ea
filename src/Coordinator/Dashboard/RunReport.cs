using System.Text;

namespace Distributed.Coordinator.Dashboard;

/// <summary><c>report.html</c>: the page as it was when the run ended, in one file that opens without a server.</summary>
internal static class RunReport
{
    /// <summary>The file's name in the run folder.</summary>
    public const string FileName = "report.html";

    /// <summary>Writes it; what was there is replaced as a whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The run.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Write(string path, DashboardModel model) =>
        AtomicFile.WriteText(path, PageFiles.Report(model.Facts.Name, Encoding.UTF8.GetString(NewsStream.Everything(model))));
}
