namespace AdderNet.Core.Checkpoints;

/// <summary>Element types of the safetensors format, spelt as in its header. All are stored little-endian.</summary>
internal enum TensorType { BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64 }

internal static class TensorTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this TensorType type) => type switch
    {
        TensorType.BOOL or TensorType.U8 or TensorType.I8 => 1,
        TensorType.I16 or TensorType.U16 or TensorType.F16 or TensorType.BF16 => 2,
        TensorType.I32 or TensorType.U32 or TensorType.F32 => 4,
        TensorType.I64 or TensorType.U64 or TensorType.F64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an element type"),
    };

    /// <summary>Parses exactly the names of the format; numbers, which <see cref="Enum.TryParse{TEnum}(string, out TEnum)"/> would take, are refused.</summary>
    public static bool TryParse(string name, out TensorType type) =>
        Enum.TryParse(name, out type) && Enum.IsDefined(type) && type.ToString() == name;
}
