using Distributed.Model;

namespace Distributed.Checkpoints;

/// <summary>Weights to start from, out of a file that this program or another, such as PyTorch with safetensors, has written.</summary>
internal static class InitialWeights
{
    /// <summary>Reads the parameters by name. A checkpoint will do as well: its optimizer state is left aside.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="layout">The model's parameters.</param>
    /// <returns>The flat vector of parameters.</returns>
    /// <exception cref="InputException">Not a valid file, or it names every tensor that is missing, extra, or of another shape.</exception>
    public static float[] Load(string path, ParameterLayout layout)
    {
        using var file = SafeTensorsFile.Open(path);
        layout.CheckTensors(file, [""], CheckpointFormat.OptimizerPrefix);
        var weights = layout.ReadTensors(file);
        CheckFinite(path, layout, weights);
        return weights;
    }

    private static void CheckFinite(string path, ParameterLayout layout, float[] weights)
    {
        foreach (var parameter in layout.Parameters)
        {
            foreach (var value in weights.AsSpan(parameter.Offset, parameter.Length))
            {
                if (!float.IsFinite(value))
                    throw new InputException($"{path}: tensor '{parameter.Name}' contains {value}: start from weights that are finite");
            }
        }
    }
}
