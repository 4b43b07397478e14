namespace AdderNet.Core.Data.Images;

/// <summary>Encoded bytes that are no readable picture; the message is a predicate, such as "is empty (0 bytes)", to stand behind the picture's name.</summary>
internal sealed class UndecodableException(string message) : Exception(message);
