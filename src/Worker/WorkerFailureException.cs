namespace AdderNet.Worker;

/// <summary>Ends the worker with status 1; the message is the one line that says why.</summary>
internal sealed class WorkerFailureException(string message, Exception? inner = null) : Exception(message, inner);
