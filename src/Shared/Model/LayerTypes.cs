using Distributed.Model.Layers;

namespace Distributed.Model;

/// <summary>The layer types that a model file can name, each with the function that reads its properties.</summary>
internal static class LayerTypes
{
    private static readonly OrderedDictionary<string, Func<LayerFields, LayerSpec>> Readers = new()
    {
        [DenseSpec.TypeName] = DenseSpec.Read,
        [Conv2dSpec.TypeName] = Conv2dSpec.Read,
        [ActivationSpec.NameOf(Activation.Relu)] = _ => new ActivationSpec(Activation.Relu),
        [ActivationSpec.NameOf(Activation.Tanh)] = _ => new ActivationSpec(Activation.Tanh),
        [ActivationSpec.NameOf(Activation.Sigmoid)] = _ => new ActivationSpec(Activation.Sigmoid),
        [LeakyReluSpec.TypeName] = LeakyReluSpec.Read,
        [GeluSpec.TypeName] = _ => new GeluSpec(),
        [PoolSpec.NameOf(PoolKind.Max)] = fields => PoolSpec.Read(PoolKind.Max, fields),
        [PoolSpec.NameOf(PoolKind.Average)] = fields => PoolSpec.Read(PoolKind.Average, fields),
        [GlobalAveragePoolSpec.TypeName] = _ => new GlobalAveragePoolSpec(),
        [BatchNormSpec.TypeName] = BatchNormSpec.Read,
        [LayerNormSpec.TypeName] = LayerNormSpec.Read,
        [FlattenSpec.TypeName] = _ => new FlattenSpec(),
        [DropoutSpec.TypeName] = DropoutSpec.Read,
        [EmbeddingSpec.TypeName] = EmbeddingSpec.Read,
        [PiecewiseSpec.TypeName] = PiecewiseSpec.Read,
        [ResidualSpec.TypeName] = ResidualSpec.Read,
    };

    /// <summary>All type names, as an error message lists them.</summary>
    internal static string Names => string.Join(", ", Readers.Keys);

    /// <summary>Reads one layer and refuses what its type does not know.</summary>
    /// <exception cref="InputException">The type is unknown, or a property is missing, wrong or unknown.</exception>
    internal static LayerSpec Read(LayerFields fields)
    {
        var type = fields.RequireString("type");
        if (!Readers.TryGetValue(type, out var read))
            throw fields.Error($"the type '{type}' is unknown: use one of {Names}");
        var layer = read(fields);
        fields.RefuseUnread(type);
        return layer;
    }
}
