using AdderNet.Coordinator.RunLogic;
using AdderNet.Simulation.Model;

namespace AdderNet.Simulation.Invariants;

/// <summary>Store and files: written under the highest token only; what is recorded is there and whole; what is kept is what was asked for.</summary>
internal sealed class RecordRules(World world, Action<string, string> blame)
{
    private readonly Dictionary<string, string?> looked = [];
    private int writesSeen;

    public void Look()
    {
        for (; writesSeen < world.Store.Writes.Count; writesSeen++)
        {
            var (token, highest) = world.Store.Writes[writesSeen];
            if (token != highest)
                blame("only the holder of the store writes", $"a write under token {token} was accepted while {highest} held the store");
        }
    }

    /// <summary>A coordinator has read an announced file.</summary>
    public void Looked(string file, string? problem) => looked[file] = problem;

    /// <summary>A checkpoint that the store names verifies, and holds the undisturbed run's state.</summary>
    public void Recorded(CheckpointRecord checkpoint)
    {
        var file = world.Disk.Read(checkpoint.File);
        if (!looked.TryGetValue(checkpoint.File, out var problem) || problem is not null)
            blame("what is recorded was found whole", $"{checkpoint.File} is recorded, but {problem ?? "nobody looked at it"}");
        if (file is null || (!file.IsWhole && !world.Watch.Corrupted))
            blame("announced checkpoints verify", $"{checkpoint.File} is recorded, but {(file is null ? "not there" : "damaged")}");
        else if (file.Step != checkpoint.Step || file.State != world.Undisturbed.State(file.Step))
            blame("announced checkpoints verify", $"{checkpoint.File} is recorded for step {checkpoint.Step}, but holds step {file.Step}, state {file.State:x16}");
        if (checkpoint.VotedHash != 0 && checkpoint.VotedHash != world.Undisturbed.Voted(checkpoint.Step))
            blame("announced checkpoints verify", $"{checkpoint.File} is recorded with vote {checkpoint.VotedHash:x16}");
        foreach (var evaluation in world.Store.Evaluations)
            CheckEvaluation(evaluation);
    }

    private void CheckEvaluation(EvaluationRecord evaluation)
    {
        var state = world.Undisturbed.State(evaluation.Step);
        var loss = 0.0;
        for (var block = 0; block < Scenario.TestSamples / Scenario.BlockSize; block++)
            loss += GradientModel.Evaluate(state, block, Scenario.BlockSize).LossSum;
        if (evaluation.LossSum != loss)
            blame("every evaluation is the undisturbed run's", $"step {evaluation.Step}: {evaluation.LossSum}, not {loss}");
    }
}
