using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Engine;
using Xunit;

namespace AdderNet.Core.Tests.Checkpoints;

public sealed class CheckpointFileTests : IDisposable
{
    private static readonly ModelLayout Layout = new(
        [
            new ParameterSlot(new TensorSlot("conv1.adder", [2, 1, 1, 1], 0, 2), ParameterKind.AdderFilter),
            new ParameterSlot(new TensorSlot("bn1.weight", [2], 2, 2), ParameterKind.NormScale),
        ],
        [new TensorSlot("bn1.running_mean", [2], 0, 2)]);

    private static readonly ReplicaState State = new(7, [1f, 2f, 3f, 4f], [0.5f, -0.5f, 0f, -0f], [8f, 9f]);
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void A_checkpoint_restores_every_bit_of_the_state()
    {
        var saved = CheckpointFile.Save(directory.File("a/state.safetensors"), Layout, State, "abc", "w1");
        var loaded = CheckpointFile.Load(saved.Path, Layout);
        Assert.Equal("abc", loaded.RunIdentity);
        Same(State, loaded.State);
        Assert.Equal(new CheckpointHeader(7, "abc"), CheckpointFile.Verify(saved.Path));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(saved.Path))), saved.Sha256);
        Assert.Equal(new FileInfo(saved.Path).Length, saved.Bytes);
        Assert.Equal(saved.Sha256, AtomicFile.Sha256(saved.Path));
        Assert.Single(Directory.GetFiles(directory.File("a")));
    }

    [Fact]
    public void Bytes_sent_between_workers_are_those_of_the_file()
    {
        var saved = CheckpointFile.Save(directory.File("state.safetensors"), Layout, State, "abc", "w1");
        using var stream = new MemoryStream();
        CheckpointFile.Write(stream, Layout, State, "abc");
        Assert.Equal(File.ReadAllBytes(saved.Path), stream.ToArray());
        Same(State, CheckpointFile.Read(new MemoryStream(stream.ToArray()), "member", Layout).State);
    }

    [Fact]
    public void Every_single_altered_byte_is_found()
    {
        using var stream = new MemoryStream();
        CheckpointFile.Write(stream, Layout, State, "abc");
        var sound = stream.ToArray();
        for (var i = 0; i < sound.Length; i++)
        {
            var altered = (byte[])sound.Clone();
            altered[i] ^= 0x04;
            Assert.Throws<TensorFileException>(() => CheckpointFile.Read(new MemoryStream(altered), "altered", Layout));
        }
    }

    [Fact]
    public void Every_truncation_is_found()
    {
        using var stream = new MemoryStream();
        CheckpointFile.Write(stream, Layout, State, "abc");
        var sound = stream.ToArray();
        for (var length = 0; length < sound.Length; length++)
            Assert.Throws<TensorFileException>(() => CheckpointFile.Read(new MemoryStream(sound, 0, length), "cut", Layout));
    }

    [Fact]
    public void An_altered_weight_is_reported_in_one_line_with_both_hashes()
    {
        var saved = CheckpointFile.Save(directory.File("state.safetensors"), Layout, State, "abc", "w1");
        var bytes = File.ReadAllBytes(saved.Path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(saved.Path, bytes);
        var error = Assert.Throws<TensorFileException>(() => CheckpointFile.Verify(saved.Path));
        Assert.Matches("^.*state\\.safetensors: was altered: its content has SHA-256 [0-9a-f]{64}, but it was written with '[0-9a-f]{64}'$", error.Message);
    }

    [Fact]
    public void A_checkpoint_of_another_model_is_refused_naming_the_tensor()
    {
        var saved = CheckpointFile.Save(directory.File("state.safetensors"), Layout, State, "abc", "w1");
        var wider = new ModelLayout([new ParameterSlot(new TensorSlot("conv1.adder", [4, 1], 0, 4), ParameterKind.AdderFilter)], Layout.Statistics);
        Assert.EndsWith("tensor 'conv1.adder' is F32 [2,1,1,1], but this model's is F32 [4,1]", Error(() => CheckpointFile.Load(saved.Path, wider)), StringComparison.Ordinal);
        var smaller = new ModelLayout([Layout.Parameters[0]], Layout.Statistics);
        Assert.EndsWith("tensor 'bn1.weight' is not one of this model's", Error(() => CheckpointFile.Load(saved.Path, smaller)), StringComparison.Ordinal);
        var larger = new ModelLayout([.. Layout.Parameters, new ParameterSlot(new TensorSlot("fc.bias", [3], 4, 3), ParameterKind.Bias)], Layout.Statistics);
        Assert.EndsWith("lacks tensor 'fc.bias' F32 [3] of this model", Error(() => CheckpointFile.Load(saved.Path, larger)), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_read_from_a_weights_file_and_from_a_checkpoint()
    {
        var final = WeightsFile.Save(directory.File("final.safetensors"), Layout, State, "w1");
        var checkpoint = CheckpointFile.Save(directory.File("state.safetensors"), Layout, State, "abc", "w1");
        foreach (var path in new[] { final.Path, checkpoint.Path })
            Same(State with { Step = 0, Momentum = new float[4] }, WeightsFile.Load(path, Layout));
        Assert.EndsWith("is not a checkpoint (state.safetensors) of this program", Error(() => CheckpointFile.Load(final.Path, Layout)), StringComparison.Ordinal);
    }

    [Fact]
    public void Final_weights_depend_on_nothing_but_the_weights()
    {
        var one = WeightsFile.Save(directory.File("one.safetensors"), Layout, State, "w1");
        var two = WeightsFile.Save(directory.File("two.safetensors"), Layout, State with { Step = 9, Momentum = new float[4] }, "w2");
        Assert.Equal(one.Sha256, two.Sha256);
    }

    [Fact]
    public void A_state_dict_of_another_program_is_read_without_its_prefix_and_counters()
    {
        var path = directory.File("torch.safetensors");
        using (var file = File.Create(path))
        {
            SafetensorsFile.Write(
                file,
                [
                    NamedTensor.Float32("module.conv1.adder", [2, 1, 1, 1], new[] { 1f, 2f }), NamedTensor.Float32("module.bn1.weight", [2], new[] { 3f, 4f }),
                    NamedTensor.Float32("module.bn1.running_mean", [2], new[] { 8f, 9f }), NamedTensor.Int64("module.bn1.num_batches_tracked", [], new long[] { 5 }),
                ],
                new Dictionary<string, string> { ["format"] = "pt" });
        }

        Same(State with { Step = 0, Momentum = new float[4] }, WeightsFile.Load(path, Layout));
    }

    [Fact]
    public void The_weights_hash_follows_its_published_definition()
    {
        // Built by hand: ordinal order of names, name 0 dtype 0 shape 0 bytes.
        byte[] expected =
        [
            .. Encoding.UTF8.GetBytes("bn1.running_mean\0F32\02\0"), 0, 0, 0, 0x41, 0, 0, 0x10, 0x41,
            .. Encoding.UTF8.GetBytes("bn1.weight\0F32\02\0"), 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40,
            .. Encoding.UTF8.GetBytes("conv1.adder\0F32\02,1,1,1\0"), 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40,
        ];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), WeightsHash.Compute(Layout, State));
    }

    [Fact]
    public void The_state_hash_notices_step_momentum_statistics_and_the_sign_of_zero()
    {
        var hash = StateHash.Compute(Layout, State);
        Assert.Equal(hash, StateHash.Compute(Layout, State with { Parameters = [1f, 2f, 3f, 4f] }));
        Assert.NotEqual(hash, StateHash.Compute(Layout, State with { Step = 8 }));
        Assert.NotEqual(hash, StateHash.Compute(Layout, State with { Momentum = [0.5f, -0.5f, 0f, 0f] }));
        Assert.NotEqual(hash, StateHash.Compute(Layout, State with { Statistics = [8f, 9.000001f] }));
        Assert.NotEqual(hash, StateHash.Compute(Layout, State with { Parameters = [2f, 1f, 3f, 4f] }));
    }

    private static string Error(Action action) => Assert.Throws<TensorFileException>(action).Message;

    private static void Same(ReplicaState expected, ReplicaState actual)
    {
        Assert.Equal(expected.Step, actual.Step);
        Assert.Equal(StateHash.Compute(Layout, expected), StateHash.Compute(Layout, actual));
        Assert.Equal(expected.Parameters, actual.Parameters);
        Assert.Equal(expected.Momentum.Select(BitConverter.SingleToInt32Bits), actual.Momentum.Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(expected.Statistics, actual.Statistics);
    }
}
