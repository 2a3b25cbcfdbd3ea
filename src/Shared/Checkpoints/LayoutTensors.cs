using Distributed.Model;

namespace Distributed.Checkpoints;

/// <summary>The way between flat vectors and named tensors.</summary>
internal static class LayoutTensors
{
    /// <summary>The tensors of a flat vector, in layout order, their names preceded by <paramref name="prefix"/>.</summary>
    internal static IEnumerable<SafeTensor> Tensors(this ParameterLayout layout, ReadOnlyMemory<float> values, string prefix = "")
    {
        if (values.Length != layout.Length)
            throw new ArgumentException($"The layout has {layout.Length} values, the vector {values.Length}.", nameof(values));
        return layout.Parameters.Select(parameter => new SafeTensor(
            prefix + parameter.Name,
            parameter.Shape,
            values.Slice(parameter.Offset, parameter.Length)
        ));
    }

    /// <summary>Reads the tensors of a flat vector from a file that has been checked by <see cref="CheckTensors"/>.</summary>
    internal static float[] ReadTensors(this ParameterLayout layout, SafeTensorsFile file, string prefix = "")
    {
        var values = new float[layout.Length];
        foreach (var parameter in layout.Parameters)
            file.Read(file.Tensors[prefix + parameter.Name], values.AsSpan(parameter.Offset, parameter.Length));
        return values;
    }

    /// <summary>
    /// Checks that a file holds every parameter under every prefix in its exact shape, and nothing else but names that begin with
    /// <paramref name="ignored"/>.
    /// </summary>
    /// <exception cref="InputException">Names every tensor that is missing, extra, or of another shape.</exception>
    internal static void CheckTensors(
        this ParameterLayout layout,
        SafeTensorsFile file,
        IReadOnlyList<string> prefixes,
        string? ignored = null
    )
    {
        var problems = new List<string>();
        var extra = file.Tensors.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (
            var (name, shape) in prefixes.SelectMany(prefix =>
                layout.Parameters.Select(parameter => (prefix + parameter.Name, parameter.Shape))
            )
        )
        {
            if (!extra.Remove(name))
                problems.Add($"{name} is missing");
            else if (!file.Tensors[name].HasShape(shape))
                problems.Add($"{name} is {file.Tensors[name].ShapeText}, the model has [{string.Join(", ", shape)}]");
        }
        if (ignored is not null)
            extra.RemoveWhere(name => name.StartsWith(ignored, StringComparison.Ordinal));
        problems.AddRange(extra.Order(StringComparer.Ordinal).Select(name => $"{name} is not in the model"));
        if (problems.Count > 0)
            throw new InputException(Printable.Of($"{file.Path}: the weights do not fit the model: {string.Join("; ", problems)}"));
    }
}
