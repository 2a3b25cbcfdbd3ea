using System.Security.Cryptography;

namespace Distributed.Protocol;

/// <summary>The secret of a run: 256 random bits that every call between its processes carries.</summary>
internal sealed class RunToken
{
    /// <summary>The environment variable by which a coordinator hands the token to the workers that it starts.</summary>
    public const string EnvironmentVariable = "DISTRIBUTED_RUN_TOKEN";

    /// <summary>
    /// What a token file begins with, instead of a token, where the coordinator has refused its command line: those who wait for the
    /// token need wait no longer. The reason follows.
    /// </summary>
    public const string Refused = "refused: ";

    /// <summary>The call header that carries it.</summary>
    public const string HeaderName = "authorization";

    private const string Scheme = "Bearer ";
    private const int Bytes = 32;

    private readonly byte[] _secret;

    private RunToken(byte[] secret) => _secret = secret;

    /// <summary>The header's value.</summary>
    public string HeaderValue => Scheme + Convert.ToHexStringLower(_secret);

    /// <summary>A new token from the system's secure source.</summary>
    public static RunToken Create() => new(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>A token written as 64 hexadecimal digits; white space around it is allowed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="token">The token, if the text is one.</param>
    public static bool TryParse(string? text, out RunToken token)
    {
        var trimmed = text?.Trim() ?? "";
        var valid = trimmed.Length == 2 * Bytes && trimmed.All(char.IsAsciiHexDigit);
        token = valid ? new RunToken(Convert.FromHexString(trimmed)) : null!;
        return valid;
    }

    /// <summary>Whether a header carries this token; the time it takes does not depend on where they differ.</summary>
    /// <param name="header">The header's value, or null.</param>
    public bool Matches(string? header) =>
        header is not null
        && header.StartsWith(Scheme, StringComparison.Ordinal)
        && TryParse(header[Scheme.Length..], out var other)
        && CryptographicOperations.FixedTimeEquals(_secret, other._secret);

    /// <summary>The 64 digits, to hand to a process that is to join. Never log it.</summary>
    public string Reveal() => Convert.ToHexStringLower(_secret);

    /// <summary>Does not show the secret.</summary>
    public override string ToString() => "(run token)";
}
