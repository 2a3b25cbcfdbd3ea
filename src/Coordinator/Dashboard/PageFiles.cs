using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;

namespace Distributed.Coordinator.Dashboard;

/// <summary>The files that the page is made of, as they were built into this program.</summary>
internal static class PageFiles
{
    private const string Page = "page.html";
    private const string Style = "page.css";
    private const string ReportStart = "<script id=\"report\" type=\"application/json\">";

    /// <summary>In the order in which the page loads them.</summary>
    private static readonly string[] Scripts = ["echarts.js", "charts.js", "parts.js", "page.js"];

    private static readonly Lazy<FrozenDictionary<string, PageFile>> Files = new(() =>
        new[] { Page, Style }.Concat(Scripts).Select(Read).ToFrozenDictionary(file => "/" + file.Name, StringComparer.Ordinal)
    );

    /// <summary>The file at a path; null if there is none.</summary>
    public static PageFile? Find(string path) => Files.Value.GetValueOrDefault(path == "/" ? "/" + Page : path);

    /// <summary>Tells whether an open page is of this version.</summary>
    public static string Version { get; } =
        Hash([.. Scripts.Append(Page).Append(Style).SelectMany(name => Encoding.ASCII.GetBytes(Find("/" + name)!.Tag))]);

    /// <summary>The page with style, scripts and data in it, which opens without a server and loads nothing.</summary>
    /// <param name="title">The page's title.</param>
    /// <param name="data">The data as JSON, in which <c>&lt;</c> is escaped.</param>
    public static string Report(string title, string data)
    {
        var html = new StringBuilder(Text(Page));
        string[] scripts = [.. Scripts.Select(name => Text(name).Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase))];
        html.Replace("<title>Run</title>", $"<title>{HtmlEncoder.Default.Encode(title)}</title>");
        html.Replace("<!--policy-->", $"<meta http-equiv=\"Content-Security-Policy\" content=\"{Policy(scripts)}\">");
        html.Replace($"<link rel=\"stylesheet\" href=\"{Style}\">", $"<style>{Text(Style)}</style>");
        html.Replace("<!--report-->", $"{ReportStart}{data}</script>");
        foreach (var (name, script) in Scripts.Zip(scripts))
            html.Replace($"<script src=\"{name}\"></script>", $"<script>{script}</script>");
        return html.ToString();
    }

    // Only these scripts run, whatever the data holds.
    private static string Policy(IEnumerable<string> scripts) =>
        $"default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src {string.Join(' ', scripts.Select(script => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)))}'"))}";

    private static string Text(string name) => Encoding.UTF8.GetString(Find("/" + name)!.Content.Span);

    private static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..16];

    private static PageFile Read(string name)
    {
        using var resource = typeof(PageFiles).Assembly.GetManifestResourceStream("dashboard/" + name)
            ?? throw new InvalidOperationException($"{name} was not built into the program");
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        var type = Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            _ => "text/javascript; charset=utf-8",
        };
        return new PageFile(name, type, content, $"\"{Hash(content)}\"");
    }
}

/// <summary>A file of the page.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ContentType">What it is.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Tag">The entity tag: a browser that has it already is not sent the file again.</param>
internal sealed record PageFile(string Name, string ContentType, ReadOnlyMemory<byte> Content, string Tag);
