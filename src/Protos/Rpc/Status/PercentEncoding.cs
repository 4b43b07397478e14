using System.Globalization;
using System.Text;

namespace AdderNet.Protos.Rpc;

/// <summary>
/// The form of <c>grpc-message</c>: UTF-8 in which every byte outside printable ASCII, and the percent sign, is written as %XX.
/// </summary>
internal static class PercentEncoding
{
    /// <summary>Header blocks are limited on both sides: a longer text is cut rather than losing the status.</summary>
    public const int MaxEncodedLength = 6000;

    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (encoded.Length + 12 > MaxEncodedLength)
                break;
            if (rune.Value is >= 0x20 and <= 0x7e and not '%')
            {
                encoded.Append((char)rune.Value);
                continue;
            }
            foreach (byte b in utf8[..rune.EncodeToUtf8(utf8)])
                encoded.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        // A header value loses blanks at its ends on the way.
        if (encoded.Length > 0 && encoded[^1] == ' ')
            encoded.Remove(encoded.Length - 1, 1).Append("%20");
        if (encoded.Length > 0 && encoded[0] == ' ')
            encoded.Remove(0, 1).Insert(0, "%20");
        return encoded.ToString();
    }

    /// <summary>Decodes; a percent sign that starts no byte stands for itself, and bytes that are no UTF-8 become U+FFFD.</summary>
    public static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int count = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length
                && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                bytes[count++] = value;
                i += 2;
            }
            else
            {
                count += Encoding.UTF8.GetBytes(text.AsSpan(i, 1), bytes.AsSpan(count));
            }
        }
        return Encoding.UTF8.GetString(bytes, 0, count);
    }
}
