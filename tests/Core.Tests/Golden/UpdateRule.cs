namespace AdderNet.Core.Tests.Golden;

/// <summary>torch.optim.SGD's rule in float64, from gradients as they enter momentum.</summary>
internal sealed record UpdateRule(double LearningRate, double Momentum, bool Nesterov, double WeightDecay)
{
    /// <summary>
    /// Largest distance of <paramref name="end"/> from the recomputed weights, as a fraction of the bound: 1e-5 of the
    /// change's root mean square plus two units in the weight's last place a step.
    /// </summary>
    /// <param name="start">Weights before the first step.</param>
    /// <param name="gradients">One gradient a step.</param>
    /// <param name="end">Weights after the last step.</param>
    public double Excess(float[] start, IReadOnlyList<float[]> gradients, float[] end)
    {
        var weights = Array.ConvertAll(start, w => (double)w);
        var velocity = new double[start.Length];
        foreach (var gradient in gradients)
        {
            for (var i = 0; i < weights.Length; i++)
            {
                var d = gradient[i] + WeightDecay * weights[i];
                velocity[i] = Momentum * velocity[i] + d;
                weights[i] -= LearningRate * (Nesterov ? d + Momentum * velocity[i] : velocity[i]);
            }
        }

        var change = Math.Sqrt(weights.Zip(start, (w, s) => (w - s) * (w - s)).Average());
        return weights.Select((w, i) =>
        {
            var ulp = Math.Max(Ulp(start[i]), Ulp((float)w));
            var distance = Math.Abs(end[i] - w);
            return distance == 0 ? 0 : distance / (1e-5 * change + 2 * gradients.Count * ulp);
        }).Max();
    }

    private static double Ulp(float w) => (double)MathF.BitIncrement(MathF.Abs(w)) - MathF.Abs(w);
}
