namespace AdderNet.Chaos;

/// <summary>What was to be shown did not happen; the message is one line for people.</summary>
internal sealed class ChaosException(string message) : Exception(message);
