using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using AdderNet.Core.Numerics;
using Xunit;
using static AdderNet.Core.Tests.Engine.TrainingBench;

namespace AdderNet.Core.Tests.Engine;

public sealed class ReplayRunnerTest : IDisposable
{
    private const int Steps = 2;
    private const int Samples = 4;
    private readonly TemporaryDirectory directory = new();
    private readonly RunDescription description = LeNet() with { Schedule = new ScheduleOptions { WarmupEpochs = 3 } };

    private string Input => Path.Combine(directory.Path, "case.safetensors");

    private string Output => Path.Combine(directory.Path, "out.safetensors");

    [Fact]
    public async Task A_replay_writes_losses_gradients_as_they_enter_momentum_and_the_trained_model()
    {
        using var replica = Replica(description);
        var start = replica.Export().Parameters[..150];
        start[0] = 0.25f;
        WriteCase(NamedTensor.Float32("model.conv1.adder", [6, 1, 5, 5], start), NamedTensor.Int64("model.bn1.num_batches_tracked", [], new long[] { 3 }));
        await ReplayRunner.RunAsync(description, Input, Output, 1, CancellationToken.None);

        using var result = SafetensorsFile.Open(Output);
        var layout = replica.Layout;
        Assert.Equal(1 + Steps * layout.Parameters.Count + layout.Parameters.Count + layout.Statistics.Count, result.Tensors.Count);
        var loss = result.ReadFloat32("loss");
        Assert.Equal(Steps, loss.Length);
        Assert.All(loss, l => Assert.InRange(l, 0.5f, 10f));
        // eq. 12-13: the scaled gradient of k elements has the norm eta * sqrt(k).
        Assert.Equal(0.1 * Math.Sqrt(48_000), GradientNorm.L2(result.ReadFloat32("grad.1.fc1.adder")), 1e-3);

        // conv1's first filter element by hand through both steps, at the constant rate and without warm-up.
        var (w, v) = (0.25, 0.0);
        for (var step = 0; step < Steps; step++)
        {
            var d = result.ReadFloat32($"grad.{step}.conv1.adder")[0] + 1e-4 * w;
            v = 0.9 * v + d;
            w -= 0.05 * (d + 0.9 * v);
        }

        Assert.Equal(w, result.ReadFloat32("model.conv1.adder")[0], 1e-6);
        Assert.Contains(result.ReadFloat32("model.bn1.running_mean"), m => m < -1);
    }

    [Fact]
    public async Task Planes_are_turned_channels_last()
    {
        var color = description with { Model = new ModelOptions { Name = ModelName.ResNet20, Method = LayerMethod.Conv } };
        var images = Images(3 * 64);
        Write(images, [Steps, Samples, 3, 8, 8]);
        using var file = SafetensorsFile.Open(Input);
        var batch = await ReplayCase.Read(file, color.Model.Classes).GetAsync(2, 0, CancellationToken.None);
        var (sample, row, column, channel) = (3, 5, 6, 2);
        Assert.Equal(
            images[((((Samples + sample) * 3) + channel) * 8 + row) * 8 + column],
            batch.Images.Span[((sample * 8 + row) * 8 + column) * 3 + channel]);
    }

    [Fact]
    public async Task Unknown_and_misshapen_tensors_and_impossible_labels_are_refused_by_name()
    {
        WriteCase(NamedTensor.Float32("model.conv9.adder", [1], new float[1]));
        await AssertRefusedAsync("conv9.adder");
        WriteCase(NamedTensor.Float32("model.fc1.adder", [400, 120], new float[48_000]));
        await AssertRefusedAsync("fc1.adder");
        Write(Images(784), [Steps, Samples, 1, 28, 28], label: 10);
        await AssertRefusedAsync("labels");
        Write(Images(784), [Steps * Samples, 1, 28, 28]);
        await AssertRefusedAsync("images");
        Assert.False(File.Exists(Output));
    }

    public void Dispose() => directory.Dispose();

    private async Task AssertRefusedAsync(string named)
    {
        var fault = await Assert.ThrowsAsync<TensorFileException>(() => ReplayRunner.RunAsync(description, Input, Output, 1, CancellationToken.None));
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    private void WriteCase(params NamedTensor[] model) => Write(Images(784), [Steps, Samples, 1, 28, 28], more: model);

    private void Write(float[] images, int[] shape, long label = 1, NamedTensor[]? more = null)
    {
        var labels = Enumerable.Range(0, Steps * Samples).Select(i => i * label % 11).ToArray();
        using var file = File.Create(Input);
        SafetensorsFile.Write(
            file, [NamedTensor.Float32("images", shape, images), NamedTensor.Int64("labels", [Steps, Samples], labels), .. more ?? []],
            new Dictionary<string, string>());
    }

    private static float[] Images(int elements)
    {
        var draws = new Philox(2, DrawPurpose.SyntheticData);
        var images = new float[Steps * Samples * elements];
        for (var i = 0; i < images.Length; i++)
            images[i] = (float)draws.NextNormal();
        return images;
    }
}
