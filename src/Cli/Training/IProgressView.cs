using AdderNet.Protos.V1;

namespace AdderNet.Cli.Training;

/// <summary>Shows how a run goes. Called from one thread at a time or several.</summary>
internal interface IProgressView : IAsyncDisposable
{
    void Show(RunStatus status);

    /// <summary>Something that happened, in one line.</summary>
    void Note(string line);
}
