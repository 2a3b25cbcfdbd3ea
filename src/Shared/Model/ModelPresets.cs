using System.Globalization;
using Distributed.Model.Layers;

namespace Distributed.Model;

/// <summary>Models that need no file.</summary>
internal static class ModelPresets
{
    /// <summary>The preset for tables.</summary>
    internal const string Table = "table";

    private const string Mlp = "mlp";
    private const string MlpDefaultSizes = "512,512";

    /// <summary>How the presets are written, as an error message lists them.</summary>
    internal const string Names = "mlp (hidden layers of 512 and 512 units), mlp:H1,H2,.., cnn, resnet8, table";

    // Files of the examples that are built in.
    private static readonly string[] Embedded = ["cnn", "resnet8", Table];

    /// <summary>The preset of this name, or null.</summary>
    /// <exception cref="InputException">The sizes after <c>mlp:</c> are bad.</exception>
    internal static ModelSpec? Find(string name)
    {
        if (name == Mlp)
            return MultilayerPerceptron(name, MlpDefaultSizes);
        if (Embedded.Contains(name))
            return ModelSpecReader.Read(EmbeddedText(name), name);
        const string prefix = Mlp + ":";
        return name.StartsWith(prefix, StringComparison.Ordinal) ? MultilayerPerceptron(name, name[prefix.Length..]) : null;
    }

    private static string EmbeddedText(string name)
    {
        using var stream = typeof(ModelPresets).Assembly.GetManifestResourceStream($"models/{name}.json")
            ?? throw new InvalidOperationException($"the assembly lacks the model {name}");
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Dense layers of the given sizes, each followed by ReLU.</summary>
    private static ModelSpec MultilayerPerceptron(string name, string sizes)
    {
        if (string.IsNullOrWhiteSpace(sizes))
            throw new InputException($"the model '{name}' has no hidden layers: write their sizes, such as mlp:{MlpDefaultSizes}");
        var parts = sizes.Split(',');
        if (parts.Length > ModelSpecReader.MaximumLayers / 2)
            throw new InputException($"the model 'mlp' has {parts.Length} hidden layers: use at most {ModelSpecReader.MaximumLayers / 2}");
        return new ModelSpec(parts.SelectMany((part, index) => HiddenLayer(name, part, index + 1)));
    }

    private static LayerSpec[] HiddenLayer(string name, string size, int number)
    {
        var valid =
            int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var units)
            && units is >= 1 and <= DenseSpec.MaximumUnits;
        if (!valid)
        {
            throw new InputException(
                $"hidden layer {number} of '{name}' has the size '{size}': use a whole number from 1 to {DenseSpec.MaximumUnits}"
            );
        }

        return [new DenseSpec(units), new ActivationSpec(Activation.Relu)];
    }
}
