using System.Security.Cryptography;

namespace Distributed.Checkpoints;

/// <summary>The fingerprint by which runs are compared: equal hashes mean equal bits in every parameter.</summary>
internal static class WeightsHash
{
    /// <summary>
    /// SHA-256 over the little-endian fp32 bytes of all parameters in layout order, as 64 lower-case hexadecimal digits.
    /// It equals the hash of the data section of the run's <c>model.safetensors</c>.
    /// </summary>
    /// <param name="weights">The flat vector of parameters.</param>
    public static string Compute(ReadOnlySpan<float> weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        FloatBytes.CopyTo(weights, hash.AppendData);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
