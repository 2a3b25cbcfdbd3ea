namespace Distributed.Data;

/// <summary>Brings labels from the classes of data to those of a model, by their names.</summary>
internal static class ModelClasses
{
    /// <summary>The labels as indices of a model's classes.</summary>
    /// <param name="labels">[n], indices of <paramref name="names"/>.</param>
    /// <param name="names">The classes of the data.</param>
    /// <param name="modelNames">The classes of the model.</param>
    /// <param name="data">The data, for messages.</param>
    /// <param name="model">The model, for messages.</param>
    /// <exception cref="InputException">A sample has a class that the model does not know.</exception>
    public static int[] Of(
        ReadOnlySpan<int> labels,
        IReadOnlyList<string> names,
        IReadOnlyList<string> modelNames,
        string data,
        string model
    )
    {
        var known = modelNames.Index().ToDictionary(name => name.Item, name => name.Index, StringComparer.Ordinal);
        int[] indices = [.. names.Select(name => known.GetValueOrDefault(name, -1))];
        var result = new int[labels.Length];
        for (var sample = 0; sample < labels.Length; sample++)
        {
            result[sample] = indices[labels[sample]];
            if (result[sample] < 0)
                throw FileErrors.In(data, $"the class '{names[labels[sample]]}' is not among the {modelNames.Count} classes of {model}");
        }

        return result;
    }
}
