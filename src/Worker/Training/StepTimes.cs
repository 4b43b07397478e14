namespace AdderNet.Worker.Training;

/// <summary>Where a step's time went on this member.</summary>
/// <param name="Compute">Forward and backward, waits for samples included.</param>
/// <param name="Exchange">Reduce-scatter and all-gather.</param>
/// <param name="DataWait">Waits for samples within compute.</param>
internal readonly record struct StepTimes(TimeSpan Compute, TimeSpan Exchange, TimeSpan DataWait);
