using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Distributed.Checkpoints;

/// <summary>A safetensors file that is open for reading. Its header has been checked before anything was allocated for the data.</summary>
internal sealed class SafeTensorsFile : IDisposable
{
    /// <summary>The largest header that is read, the limit of the reference implementation.</summary>
    public const long MaximumHeaderLength = 100_000_000;

    private readonly Stream _stream;
    private readonly long _dataStart;
    private readonly SafeTensorsHeader _header;

    private SafeTensorsFile(Stream stream, string path)
    {
        Path = path;
        _stream = stream;
        var header = ReadHeader();
        _dataStart = stream.Position;
        _header = SafeTensorsHeader.Parse(header, stream.Length - _dataStart, path);
    }

    /// <summary>The file, as it was named by the caller.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafeTensorEntry> Tensors => _header.Tensors;

    /// <summary>The free text of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <exception cref="InputException">There is no such file, or it is not a valid safetensors file of fp32 tensors.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var stream = OpenStream(path);
        try
        {
            return new SafeTensorsFile(stream, path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor's values in row-major order.</summary>
    /// <param name="tensor">An entry of this file.</param>
    /// <param name="destination">Exactly as many values as the tensor has; overwritten.</param>
    /// <exception cref="InputException">The file has shrunk since it was opened.</exception>
    public void Read(SafeTensorEntry tensor, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, tensor.Length);
        _stream.Position = _dataStart + tensor.Start;
        try
        {
            FloatBytes.ReadFrom(_stream, destination);
        }
        catch (EndOfStreamException exception)
        {
            throw new InputException($"{Path}: the file ends inside tensor '{tensor.Name}'", exception);
        }
    }

    /// <summary>Whether the header is what was written, by the checksum in it; see <see cref="HeaderSeal"/>.</summary>
    public bool HasIntactHeader()
    {
        var header = new byte[_dataStart - sizeof(ulong)];
        _stream.Position = sizeof(ulong);
        _stream.ReadExactly(header);
        return HeaderSeal.IsIntact(header);
    }

    /// <summary>The SHA-256 of everything after the header, as lower-case hexadecimal digits.</summary>
    public string DataSha256()
    {
        _stream.Position = _dataStart;
        return Convert.ToHexStringLower(SHA256.HashData(_stream));
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private static Stream OpenStream(string path)
    {
        try
        {
            return InputFile.OpenRead(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be opened ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    private byte[] ReadHeader()
    {
        var available = _stream.Length - sizeof(ulong);
        if (available < 0)
            throw new InputException($"{Path}: {_stream.Length} bytes are too few for a safetensors file");
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        _stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > (ulong)available || length > MaximumHeaderLength)
        {
            throw new InputException(
                $"{Path}: the safetensors header claims {length} bytes, but {available} follow and at most {MaximumHeaderLength} are read"
            );
        }

        var header = new byte[length];
        _stream.ReadExactly(header);
        return header;
    }
}
