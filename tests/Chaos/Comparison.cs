namespace AdderNet.Chaos;

/// <summary>Lays a disturbed run that was stopped on the way beside a calm one.</summary>
internal static class Comparison
{
    /// <summary>
    /// The disturbed run as far as it came has one line for each of its steps and the bits of a calm run of one worker and
    /// as many steps. A run is stopped, and not given a length beforehand, so that no machine is too fast for the faults.
    /// </summary>
    /// <param name="config">The configuration of both.</param>
    /// <param name="disturbed">The output directory of the run that was stopped.</param>
    /// <param name="calm">A directory for the calm run.</param>
    /// <returns>The steps made, and the SHA-256 of final.safetensors.</returns>
    /// <exception cref="ChaosException">They differ.</exception>
    public static async Task<(long Steps, string Hash)> WithCalmAsync(string config, string disturbed, string calm)
    {
        var steps = ChaosRun.StepLines(disturbed)[^1];
        if (!ChaosRun.StepLines(disturbed).SequenceEqual(Enumerable.Range(1, (int)steps).Select(s => (long)s)))
            throw new ChaosException($"{disturbed}/metrics.jsonl does not have one line for each of {steps} steps");
        await Launched.RunAsync("train", config, "--output", disturbed, "--workers", "1", "--set", $"schedule.max_steps={steps}");
        await Launched.RunAsync("train", config, "--output", calm, "--workers", "1", "--set", $"schedule.max_steps={steps}");
        var (one, other) = (ChaosRun.FinalHash(calm), ChaosRun.FinalHash(disturbed));
        return one == other ? (steps, one) : throw new ChaosException($"after {steps} steps the disturbed run has {other}, a calm one {one}");
    }
}
