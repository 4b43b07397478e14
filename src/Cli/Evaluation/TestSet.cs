using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;

namespace AdderNet.Cli.Evaluation;

/// <summary>Trained weights and the test set, in this process.</summary>
internal sealed class TestSet : IDisposable
{
    private readonly ManagedReplica replica;
    private readonly EvaluationBlocks blocks;

    /// <param name="run">The run's description.</param>
    /// <param name="folder">Folder of the data; null: what the description says.</param>
    /// <param name="checkpoint">Checkpoint or weights.</param>
    /// <param name="threads">Compute threads.</param>
    /// <param name="decodeThreads">Threads that decode samples.</param>
    /// <exception cref="DataException">The data is missing or damaged, or has no test samples.</exception>
    /// <exception cref="TensorFileException">The weights are.</exception>
    public TestSet(RunDescription run, string? folder, string checkpoint, int threads, int decodeThreads)
    {
        Data = DataSource.Open(run.Data, folder);
        Data.RequireClasses(run.Model.Classes);
        if (Data.Test.Count == 0)
            throw new DataException($"{folder ?? run.Data.Path}: has no validation pictures; they are expected as val/CLASS/NAME.jpg or val-000000.tar");
        Classes = run.Model.Classes;
        replica = ManagedReplica.Create(run, Data.Input, 1, threads);
        replica.Import(WeightsFile.Load(checkpoint, replica.Layout));
        blocks = new EvaluationBlocks(Data.Test, Data.Input, threads: decodeThreads);
    }

    public DataSource Data { get; }

    /// <summary>Outputs of the model.</summary>
    public int Classes { get; }

    /// <summary>Number of blocks.</summary>
    public int Blocks => blocks.Count;

    public string WeightsHash => Core.Checkpoints.WeightsHash.Compute(replica.Layout, replica.Export());

    /// <summary>What a class is called: its folder's name, or its number.</summary>
    public string ClassName(int label) => label < Data.ClassNames.Count ? Data.ClassNames[label] : label.ToString("0", null);

    /// <summary>Evaluates consecutive blocks.</summary>
    public IEnumerable<EvaluatedBlock> Evaluate(int first, int end, CancellationToken cancellation)
    {
        var block = first;
        foreach (var batch in blocks.Read(first, end))
        {
            cancellation.ThrowIfCancellationRequested();
            var verdicts = new SampleVerdict[batch.Count];
            var sums = replica.Evaluate(batch, verdicts, cancellation);
            yield return EvaluatedBlock.Of(block++, sums, verdicts);
        }
    }

    public void Dispose()
    {
        blocks.Dispose();
        replica.Dispose();
        Data.Dispose();
    }
}
