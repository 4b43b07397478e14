namespace AdderNet.Core.Data;

/// <summary>A data set is missing, damaged or not what the run asks for. The message is one line that names the file or key.</summary>
public sealed class DataException : Exception
{
    /// <param name="message">One line.</param>
    /// <param name="inner">What the file system said, if it did.</param>
    public DataException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
