using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Cli.Tests;

public sealed class WeightsCommandsTests : IDisposable
{
    private static readonly ModelDescription Model = ModelCatalog.Describe(new ModelOptions { Name = ModelName.LeNet5 }, new InputShape(28, 28, 1));
    private readonly string folder = Directory.CreateTempSubdirectory("addernet-weights-").FullName;
    private readonly ReplicaState weights = new(
        0, ParameterInitialization.Draw(Model, 7), new float[Model.Layout.ParameterLength], ParameterInitialization.Statistics(Model));

    public WeightsCommandsTests() => System.IO.File.WriteAllText(File("run.yaml"), "model: {name: lenet5}\ndata: {format: idx, path: nowhere}\n");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Weights_trained_elsewhere_are_imported_whatever_their_prefix_and_counters()
    {
        var tensors = Tensors("module.").Append(NamedTensor.Int64("module.bn1.num_batches_tracked", [], new long[] { 400 }));
        Write("theirs.safetensors", tensors);

        var result = await ImportAsync("theirs.safetensors", "ours.safetensors");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Contains(WeightsHash.Compute(Model.Layout, weights), result.Output, StringComparison.Ordinal);
        WeightsFile.Save(File("expected.safetensors"), Model.Layout, weights, "test");
        Assert.Equal(await System.IO.File.ReadAllBytesAsync(File("expected.safetensors")), await System.IO.File.ReadAllBytesAsync(File("ours.safetensors")));
    }

    [Fact]
    public async Task A_checkpoint_is_exported_as_a_state_dict_with_nothing_of_ours_and_comes_back_unchanged()
    {
        CheckpointFile.Save(File("state.safetensors"), Model.Layout, weights with { Step = 9 }, new string('a', 64), "w1");

        var exported = await CliProcess.RunAsync(
            "export", File("run.yaml"), "--checkpoint", File("state.safetensors"), "--output", File("plain.safetensors"));
        Assert.Equal((0, ""), (exported.ExitCode, exported.Errors));
        using (var plain = SafetensorsFile.Open(File("plain.safetensors")))
        {
            Assert.Equal(
                Model.Layout.Parameters.Select(p => p.Tensor.Name).Concat(Model.Layout.Statistics.Select(s => s.Name)).Order(StringComparer.Ordinal),
                plain.Tensors.Keys);
            Assert.Equal(["format"], plain.Metadata.Keys);
            Assert.Equal([6, 1, 5, 5], plain.Tensors["conv1.adder"].Shape);
        }

        var imported = await ImportAsync("plain.safetensors", "again.safetensors");
        Assert.Equal((0, ""), (imported.ExitCode, imported.Errors));
        Assert.Equal(weights.Parameters, WeightsFile.Load(File("again.safetensors"), Model.Layout).Parameters);
    }

    [Theory]
    [InlineData("missing", "lacks tensor 'bn2.running_var' F32 [16]")]
    [InlineData("surplus", "tensor 'conv9.adder' is not one of this model's")]
    [InlineData("misshapen", "tensor 'fc3.adder' is F32 [84,10], but this model's is F32 [10,84]")]
    [InlineData("half", "tensor 'bn5.bias' is F64 [10], but this model's is F32 [10]")]
    [InlineData("none", "no such file")]
    public async Task What_does_not_fit_is_one_line_that_names_the_tensor_and_status_1(string fault, string expected)
    {
        var tensors = Tensors("");
        if (fault != "none")
        {
            Write("theirs.safetensors", fault switch
            {
                "missing" => tensors.Where(t => t.Name != "bn2.running_var"),
                "surplus" => tensors.Append(NamedTensor.Float32("conv9.adder", [1], new float[1])),
                "misshapen" => Replace(NamedTensor.Float32("fc3.adder", [84, 10], new float[840])),
                _ => Replace(NamedTensor.Float64("bn5.bias", [10], new double[10])),
            });
        }

        var result = await ImportAsync("theirs.safetensors", "ours.safetensors");

        Assert.Equal(1, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains("theirs.safetensors", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File("ours.safetensors")));

        IEnumerable<NamedTensor> Replace(NamedTensor tensor) => tensors.Where(t => t.Name != tensor.Name).Append(tensor);
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_one_line_and_status_1()
    {
        Write("theirs.safetensors", Tensors(""));

        var result = await ImportAsync("theirs.safetensors", "theirs.safetensors/ours.safetensors");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("cannot write", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    private string File(string name) => Path.Combine(folder, name);

    private Task<CliResult> ImportAsync(string input, string output) =>
        CliProcess.RunAsync("import", File("run.yaml"), "--input", File(input), "--output", File(output));

    private IEnumerable<NamedTensor> Tensors(string prefix)
    {
        foreach (var (slot, buffer) in Model.Layout.Parameters.Select(p => (p.Tensor, weights.Parameters)).Concat(Model.Layout.Statistics.Select(s => (s, weights.Statistics))))
            yield return NamedTensor.Float32(prefix + slot.Name, slot.Shape, buffer.AsMemory(slot.Offset, slot.Length));
    }

    private void Write(string name, IEnumerable<NamedTensor> tensors)
    {
        using var stream = System.IO.File.Create(File(name));
        SafetensorsFile.Write(stream, tensors, new Dictionary<string, string>());
    }
}
