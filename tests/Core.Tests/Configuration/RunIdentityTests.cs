using System.Security.Cryptography;
using System.Text;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using Xunit;

namespace AdderNet.Core.Tests.Configuration;

public sealed class RunIdentityTests
{
    private const string Text = "model: {name: lenet5}\ndata: {format: idx}\n";

    [Fact]
    public void The_identity_follows_its_published_definition()
    {
        const string lines = """
            addernet run identity 1
            batch.global=256
            batch.normalization=shard
            batch.shards=8
            data.augment=none
            data.decode=full
            data.format=idx
            data.image_size=224
            data.on_error=stop
            gradient.kind=full
            gradient.on_nonfinite=stop
            gradient.scaling=adaptive
            model.classes=10
            model.method=adder
            model.name=lenet5
            optimizer.eta=0.1
            optimizer.learning_rate=0.1
            optimizer.momentum=0.9
            optimizer.nesterov=false
            optimizer.weight_decay=0.0001
            schedule.epochs=150
            schedule.kind=cosine
            schedule.per=step
            schedule.step_epochs=30
            schedule.step_factor=0.1
            schedule.warmup_epochs=0
            seed=1
            manifest=m
            init=none
            engine=managed
            numerics=7

            """;
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ReplaceLineEndings("\n")))),
            RunIdentity.Compute(Parse(), "m", null, "managed", 7));
    }

    [Theory]
    [InlineData("model.method=conv")]
    [InlineData("model.classes=11")]
    [InlineData("data.augment=crop-flip")]
    [InlineData("data.on_error=skip")]
    [InlineData("batch.global=128")]
    [InlineData("batch.shards=16")]
    [InlineData("batch.normalization=global")]
    [InlineData("optimizer.learning_rate=0.10000000000000002")]
    [InlineData("optimizer.eta=0.2")]
    [InlineData("gradient.scaling=none")]
    [InlineData("gradient.on_nonfinite=skip")]
    [InlineData("schedule.epochs=151")]
    [InlineData("seed=2")]
    public void Another_value_of_what_decides_the_weights_is_another_run(string setting)
    {
        Assert.NotEqual(Identity(), Identity(setting));
        var difference = Assert.Single(RunIdentity.Difference(Parse(), Parse(setting)));
        Assert.StartsWith(setting[..setting.IndexOf('=', StringComparison.Ordinal)] + ": ", difference, StringComparison.Ordinal);
        Assert.EndsWith(", now " + setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..], difference, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data.path=elsewhere")]
    [InlineData("schedule.max_steps=10")]
    [InlineData("evaluation.every_epochs=5")]
    [InlineData("evaluation.keep_best=false")]
    [InlineData("checkpoint.every_steps=1")]
    [InlineData("checkpoint.keep=9")]
    [InlineData("checkpoint.path=there")]
    [InlineData("elastic.max_workers=2")]
    [InlineData("elastic.lease_ms=9000")]
    [InlineData("exchange.bucket_megabytes=1")]
    public void What_may_change_on_resume_does_not_make_another_run(string setting)
    {
        Assert.Equal(Identity(), Identity(setting));
        Assert.Empty(RunIdentity.Difference(Parse(), Parse(setting)));
    }

    [Fact]
    public void Data_initial_weights_engine_and_numerics_are_part_of_the_identity()
    {
        var description = Parse();
        string[] identities =
        [
            RunIdentity.Compute(description, "m", null, "managed", 1), RunIdentity.Compute(description, "n", null, "managed", 1),
            RunIdentity.Compute(description, "m", "i", "managed", 1), RunIdentity.Compute(description, "m", null, "cuda", 1),
            RunIdentity.Compute(description, "m", null, "managed", 2),
        ];
        Assert.Equal(identities.Length, identities.Distinct().Count());
        var manifest = new DataManifest(DataFormat.Idx, []);
        Assert.Equal(
            RunIdentity.Compute(description, manifest.Hash, null, "managed", AdderNet.Core.Numerics.NumericsVersion.Current), RunIdentity.Compute(description, manifest, null, "managed"));
    }

    private static RunDescription Parse(params string[] overrides) => RunDescriptionFile.Parse(Text, "run.yaml", overrides);

    private static string Identity(params string[] overrides) => RunIdentity.Compute(Parse(overrides), "m", null, "managed", 1);
}
