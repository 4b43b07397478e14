using AdderNet.Cli.Benchmarks;
using AdderNet.Core.Configuration;
using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class KernelTargetTests
{
    [Fact]
    public void A_target_that_instructions_alone_miss_says_so()
    {
        // A processor that multiplies and adds twice as fast as it takes maxima: of a bound stated in products a forward pass reaches half at most.
        var targets = KernelTargets.Of([Layer(ModelName.ResNet50, forward: 2.2, filter: 1.1, input: 3.3)]).ToList();

        var forward = Assert.Single(targets, target => target.Name.StartsWith("forward over", StringComparison.Ordinal));
        Assert.Equal(2.0, forward.Value, 6);
        Assert.Equal(2.0, forward.OnRegisters!.Value, 6);
        Assert.Equal((false, true), (forward.Met, forward.OutOfReach));
        Assert.Equal(
            "forward over filter gradient, median of ResNet-50's layers: 2.000 (at most 1.25): missed; this processor's instructions alone, on registers: 2.000",
            forward.Line(thresholds: true));

        var input = Assert.Single(targets, target => target.Name.StartsWith("input gradient over", StringComparison.Ordinal));
        Assert.Equal(3.0, input.OnRegisters!.Value, 6);
    }

    [Fact]
    public void A_target_within_reach_is_only_met_or_missed()
    {
        var targets = KernelTargets.Of([Layer(ModelName.ResNet50, forward: 2.2, filter: 1.1, input: 3.3)]);

        var filter = Assert.Single(targets, target => target.Name.StartsWith("filter gradient's share", StringComparison.Ordinal));
        Assert.False(filter.OutOfReach);
        Assert.EndsWith("0.909 (at least 0.90): met", filter.Line(thresholds: true), StringComparison.Ordinal);
        Assert.EndsWith(": 0.909", filter.Line(thresholds: false), StringComparison.Ordinal);
    }

    [Fact]
    public void The_least_share_of_small_layers_is_bounded_by_the_slowest_instructions()
    {
        var targets = KernelTargets.Of([Layer(ModelName.ResNet20, forward: 2.2, filter: 1.1, input: 3.3), Layer(ModelName.ResNet20, forward: 4, filter: 2, input: 6)]);

        var least = Assert.Single(targets, target => target.Name == "share of the bound, least of ResNet-20's layers");
        Assert.Equal(0.25, least.Value, 6);
        Assert.Equal(0.5, least.OnRegisters!.Value, 6);
    }

    [Fact]
    public void What_memory_allows_is_nearer_where_instructions_alone_wait_for_it()
    {
        // The memory loop takes 1.5 of 2.5, 0.8 of 1 and 2.6 of 3.5 seconds; instructions alone would take 2, 1 and 3.
        var targets = KernelTargets.Of([Layer(ModelName.ResNet20, forward: 2.5, filter: 1, input: 3.5, memory: [1.5, 0.8, 2.6])]);

        var least = Assert.Single(targets, target => target.Name.Contains("whichever is nearer", StringComparison.Ordinal));
        Assert.Equal(0.6, least.Value, 6);
        Assert.Equal(0.75, least.OnRegisters!.Value, 6);
        Assert.Equal((false, false), (least.Met, least.OutOfReach));
    }

    [Fact]
    public void A_step_of_nothing_but_instructions_takes_as_long_as_its_passes_together()
    {
        var work = new AdderWork(Elements: 4, InputGradient: 2);

        // (4 + 4 + 3) / 10 seconds of products against 4 / 5 + 4 / 10 + 2 / 4.
        Assert.Equal(1.1 / 1.7, work.OfBoundOnRegisters(new LoopRates(Product: 10, Adder: 5, Clamp: 4)), 12);
    }

    /// <summary>A layer on a processor that passes 1 element a second forward on registers at most, 2 in filter gradients, two thirds of one in input gradients; in the seconds given.</summary>
    private static KernelFigures Layer(ModelName model, double forward, double filter, double input, double[]? memory = null)
    {
        const double elements = 2;
        KernelRow Row(int kernel, double seconds, double bound, double mix) =>
            new(KernelBench.Kernels[kernel], "a layer", elements, seconds, elements / seconds / bound, elements / seconds / mix, memory is null ? 0 : memory[kernel] / seconds);
        return new KernelFigures(
            new KernelShape(new ConvolutionShape(1, 1, 1, 1, 1, 1, 1, 1, 0), [model]),
            [Row(0, forward, 2, 1), Row(1, filter, 2, 2), Row(2, input, 4.0 / 3, 2.0 / 3)],
            []);
    }
}
