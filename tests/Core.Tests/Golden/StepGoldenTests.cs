using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;
using Xunit.Abstractions;

namespace AdderNet.Core.Tests.Golden;

/// <summary>Whole training steps through replay, beside float64 PyTorch (tests/Golden/step_cases.py).</summary>
public sealed class StepGoldenTests(ITestOutputHelper output) : IDisposable
{
    private const int Sample = 512;
    private static readonly OptimizerOptions Mnist = new() { LearningRate = 0.1, Momentum = 0.9, Nesterov = true, WeightDecay = 5e-4, Eta = 0.1 };
    private static readonly OptimizerOptions Cifar = new() { LearningRate = 0.1, Momentum = 0.9, Nesterov = false, WeightDecay = 5e-4, Eta = 0.2 };
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("addernet-golden-");
    private int files;

    [Fact]
    public async Task Three_LeNet5_steps_agree_with_PyTorch()
    {
        var description = Describe(ModelName.LeNet5, Mnist);
        var one = GoldenFile.Read(await Replay(description, WriteCase(LeNet5(1))));
        var three = GoldenFile.Read(await Replay(description, GoldenFile.PathOf("lenet5.case")));
        var expected = GoldenFile.Open("lenet5.expected");
        CompareSteps(expected, one, three);
        CheckUpdateRule(Mnist, three, LeNet5(3));
    }

    [Fact]
    public async Task Three_ResNet20_steps_agree_with_PyTorch()
    {
        var description = Describe(ModelName.ResNet20, Cifar);
        var one = GoldenFile.Read(await Replay(description, WriteCase(ResNet20(1))));
        var case3 = ResNet20(3);
        var three = GoldenFile.Read(await Replay(description, WriteCase(case3)));
        CompareSteps(GoldenFile.Open("resnet20.expected"), one, three);
        CheckUpdateRule(Cifar, three, case3);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static RunDescription Describe(ModelName name, OptimizerOptions optimizer) => new()
    {
        Model = new ModelOptions { Name = name },
        Data = new DataOptions { Format = DataFormat.Synthetic },
        Optimizer = optimizer,
    };

    /// <summary>The first steps of lenet5.case.</summary>
    private static List<NamedTensor> LeNet5(int steps)
    {
        var golden = GoldenFile.Open("lenet5.case");
        return
        [
            .. golden.Names.Where(n => n.StartsWith("model.", StringComparison.Ordinal)).Select(n => NamedTensor.Float32(n, golden.Shape(n), golden.Floats(n))),
            NamedTensor.Float32("images", [steps, 16, 1, 28, 28], golden.Floats("images").AsMemory(0, steps * 16 * 784)),
            NamedTensor.Int64("labels", [steps, 16], golden.Integers("labels").Take(steps * 16).Select(l => (long)l).ToArray()),
        ];
    }

    /// <summary>The first steps of the case that tests/Golden/seeded_values.py also makes.</summary>
    private static List<NamedTensor> ResNet20(int steps)
    {
        var layout = ModelCatalog.Describe(new ModelOptions { Name = ModelName.ResNet20 }, new InputShape(32, 32, 3)).Layout;
        return
        [
            .. layout.Parameters.Select(p => NamedTensor.Float32(
                $"model.{p.Tensor.Name}", p.Tensor.Shape, SeededValues.Parameter("resnet20.", p.Tensor.Name, p.Tensor.Shape))),
            NamedTensor.Float32("images", [steps, 8, 3, 32, 32], SeededValues.Images("resnet20.", 3 * 8, 3, 32, 32).AsMemory(0, steps * 8 * 3 * 1024)),
            NamedTensor.Int64("labels", [steps, 8], SeededValues.Labels("resnet20.", 3 * 8, 10).AsMemory(0, steps * 8)),
        ];
    }

    private string WriteCase(List<NamedTensor> tensors)
    {
        var path = Path.Combine(folder.FullName, $"{files++}.safetensors");
        using var stream = File.Create(path);
        SafetensorsFile.Write(stream, tensors, new Dictionary<string, string>());
        return path;
    }

    private async Task<string> Replay(RunDescription description, string input)
    {
        var result = Path.Combine(folder.FullName, $"{Path.GetFileNameWithoutExtension(input)}.output.safetensors");
        await ReplayRunner.RunAsync(description, input, result, threads: 2, CancellationToken.None);
        return result;
    }

    private void CompareSteps(GoldenFile expected, GoldenFile one, GoldenFile three)
    {
        var (losses, pytorchLosses) = (expected.Doubles("loss"), expected.Doubles("loss.torch"));
        var ours = three.Floats("loss");
        for (var step = 0; step < losses.Length; step++)
            output.WriteLine($"loss {step}: {losses[step]:F7}; ours {ours[step] - losses[step]:E1} from it, float32 PyTorch {pytorchLosses[step]:E1}");
        Assert.InRange(ours[0], losses[0] - 1e-5, losses[0] + 1e-5);

        var gradients = Distances("grad.0.", three, "grad.0.");
        Assert.True(gradients.Median <= 5e-3, $"median {gradients.Median:E2}");
        Assert.True(gradients.Worst <= 1e-1, $"worst {gradients.Worst:E2}");
        var first = Distances("state.0.", one, "model.");
        Assert.True(first.Median <= 1e-4, $"median {first.Median:E2}");
        Distances("state.2.", three, "model.");

        (double Median, double Worst) Distances(string expectedPrefix, GoldenFile actual, string actualPrefix)
        {
            var names = expected.Names.Where(n => n.StartsWith(expectedPrefix, StringComparison.Ordinal) && !n.EndsWith(".torch", StringComparison.Ordinal)).ToList();
            var tensorsOf = actual.Names.Count(n => n.StartsWith(actualPrefix, StringComparison.Ordinal));
            Assert.Equal(tensorsOf, names.Count);
            var distances = names.ToDictionary(n => n, n =>
            {
                var (wanted, found) = (expected.Floats(n), actual.Floats(actualPrefix + n[expectedPrefix.Length..]));
                return Distance.RelativeL2(found.Length == wanted.Length ? found : EveryNth(found), wanted);
            });
            var worst = distances.MaxBy(pair => pair.Value);
            var pytorch = names.Select(n => expected.Doubles($"{n}.torch")[0]).ToList();
            output.WriteLine($"{expectedPrefix}*: {names.Count} tensors, relative L2 from float64: ours median {Distance.Median(distances.Values):E2}, worst {worst.Value:E2} "
                + $"({worst.Key}); float32 PyTorch median {Distance.Median(pytorch):E2}, worst {pytorch.Max():E2}");
            return (Distance.Median(distances.Values), worst.Value);
        }
    }

    /// <summary>Of large tensors the expected file keeps every n-th element.</summary>
    private static float[] EveryNth(float[] values)
    {
        var stride = Math.Max(1, values.Length / Sample);
        return [.. values.Where((_, i) => i % stride == 0)];
    }

    private void CheckUpdateRule(OptimizerOptions optimizer, GoldenFile result, List<NamedTensor> start)
    {
        var rule = new UpdateRule(optimizer.LearningRate, optimizer.Momentum, optimizer.Nesterov, optimizer.WeightDecay);
        var path = WriteCase(start);
        var initial = GoldenFile.Read(path);
        var excess = Excess(rule);
        output.WriteLine($"parameters after the last step are at {excess:F3} of the bound");
        Assert.True(excess <= 1, $"parameters are {excess:F3} times the bound from PyTorch's rule");

        foreach (var (what, wrong) in new[]
        {
            ("weight decay dropped", rule with { WeightDecay = 0 }),
            ("momentum dropped", rule with { Momentum = 0 }),
            ("Nesterov turned over", rule with { Nesterov = !rule.Nesterov }),
        })
        {
            var far = Excess(wrong);
            output.WriteLine($"with {what}: {far:F0} times the bound");
            Assert.True(far > 10, $"with {what} the parameters are only {far:F3} times the bound off: the check could not fail");
        }

        double Excess(UpdateRule r) => initial.Names.Where(n => n.StartsWith("model.", StringComparison.Ordinal)).Max(n =>
            r.Excess(initial.Floats(n), [.. Enumerable.Range(0, 3).Select(step => result.Floats($"grad.{step}.{n["model.".Length..]}"))], result.Floats(n)));
    }
}
