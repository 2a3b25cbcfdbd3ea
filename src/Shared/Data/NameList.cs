using System.Text;

namespace Distributed.Data;

/// <summary>A list of names in one text: separated by commas, in double quotes where a name has commas itself.</summary>
internal static class NameList
{
    /// <summary>The names, without spaces around them.</summary>
    /// <param name="text">The text, such as <c>age,"height, m"</c>.</param>
    public static IReadOnlyList<string> Parse(string text)
    {
        List<string> names = [];
        StringBuilder name = new();
        var isQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' && isQuoted && i + 1 < text.Length && text[i + 1] == '"')
            {
                name.Append('"');
                i++;
            }
            else if (text[i] == '"' && (isQuoted || string.IsNullOrWhiteSpace(name.ToString())))
            {
                isQuoted = !isQuoted;
            }
            else if (text[i] == ',' && !isQuoted)
            {
                Add();
            }
            else
            {
                name.Append(text[i]);
            }
        }

        Add();
        return names;

        void Add()
        {
            names.Add(name.ToString().Trim());
            name.Clear();
        }
    }
}
