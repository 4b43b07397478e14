using AdderNet.Core.Configuration;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Configuration;

public sealed class RunDescriptionFileTests
{
    private const string Smallest = "model: {name: lenet5}\ndata: {format: idx}\n";

    [Fact]
    public void A_description_with_every_key_is_read_as_written()
    {
        var description = Parse("""
            model:     {name: resnet20, method: dorefa, classes: 100}
            data:      {format: cifar, path: "some where/cifar", image_size: 64, augment: crop-flip, on_error: skip}
            batch:     {global: 64, shards: 4, normalization: global}
            optimizer: {learning_rate: 0.25, momentum: 0.5, nesterov: true, weight_decay: 5.0e-4, eta: 0.2}
            gradient:  {kind: sign, scaling: increased, on_nonfinite: skip}
            schedule:  {kind: step, per: epoch, epochs: 90, warmup_epochs: 5, step_epochs: 20, step_factor: 0.5, max_steps: 1000}
            evaluation: {every_epochs: 2, keep_best: false}
            checkpoint: {every_steps: 10, keep: 1, path: /out}   # a comment
            elastic:   {min_workers: 2, max_workers: 3, heartbeat_ms: 100, lease_ms: 700, rebalance: false}
            exchange:  {bucket_megabytes: 0.5, group_size: 4}
            seed: -12
            """);
        var expected = new RunDescription
        {
            Model = new ModelOptions { Name = ModelName.ResNet20, Method = LayerMethod.DoReFa, Classes = 100 },
            Data = new DataOptions { Format = DataFormat.Cifar, Path = "some where/cifar", ImageSize = 64, Augment = Augmentation.CropFlip, OnError = OnTrouble.Skip },
            Batch = new BatchOptions { Global = 64, Shards = 4, Normalization = Normalization.Global },
            Optimizer = new OptimizerOptions { LearningRate = 0.25, Momentum = 0.5, Nesterov = true, WeightDecay = 5e-4, Eta = 0.2 },
            Gradient = new GradientOptions { Kind = GradientKind.Sign, Scaling = GradientScaling.Increased, OnNonfinite = OnTrouble.Skip },
            Schedule = new ScheduleOptions { Kind = ScheduleKind.Step, Per = SchedulePeriod.Epoch, Epochs = 90, WarmupEpochs = 5, StepEpochs = 20, StepFactor = 0.5, MaxSteps = 1000 },
            Evaluation = new EvaluationOptions { EveryEpochs = 2, KeepBest = false },
            Checkpoint = new CheckpointOptions { EverySteps = 10, Keep = 1, Path = "/out" },
            Elastic = new ElasticOptions { MinWorkers = 2, MaxWorkers = 3, HeartbeatMs = 100, LeaseMs = 700, Rebalance = false },
            Exchange = new ExchangeOptions { BucketMegabytes = 0.5, GroupSize = 4 },
            Seed = -12,
        };
        Assert.Equal(expected, description);
    }

    [Fact]
    public void Two_required_keys_are_enough_and_the_rest_are_the_documented_defaults()
    {
        var defaults = new RunDescription { Model = new ModelOptions { Name = ModelName.LeNet5 }, Data = new DataOptions { Format = DataFormat.Idx } };
        Assert.Equal(defaults, Parse(Smallest));
        Assert.Equal(defaults, Parse("# only sections\nmodel:\n  name: lenet5\ndata:\n  format: 'idx'\n  path:\nbatch:\nschedule: {max_steps: none}\n"));
    }

    [Fact]
    public void Overrides_win_over_the_file_and_later_ones_over_earlier()
    {
        var description = Parse(Smallest + "batch: {shards: 4}\n", "batch.shards=16", "data.path=a=b c", "batch.shards=32", "schedule.max_steps = 5", "seed=9");
        Assert.Equal(32, description.Batch.Shards);
        Assert.Equal("a=b c", description.Data.Path);
        Assert.Equal(5, description.Schedule.MaxSteps);
        Assert.Equal(9, description.Seed);
        Assert.Null(Parse(Smallest + "schedule: {max_steps: 7}", "schedule.max_steps=none", "data.path=").Schedule.MaxSteps);
        Assert.Equal(ModelName.LeNet5, Parse("", "model.name=lenet5", "data.format=idx").Model.Name);
    }

    [Fact]
    public void What_is_written_parses_to_an_equal_description()
    {
        var values = ArbMap.Default.ArbFor<(long Seed, NonNull<string> Path, PositiveInt Shards, NormalFloat Rate, bool Flag, PositiveInt Many)>();
        Prop.ForAll(values, given =>
        {
            var shards = 1 << (given.Shards.Get % 10);
            var path = new string(given.Path.Get.Where(c => c != '\0' && !char.IsSurrogate(c)).ToArray());
            var rate = Math.Abs(given.Rate.Get) % 1000;
            var description = new RunDescription
            {
                Model = new ModelOptions { Name = (ModelName)(1 + (given.Many.Get % 5)), Method = (LayerMethod)(given.Many.Get % 5), Classes = 10 + given.Many.Get },
                Data = new DataOptions { Format = (DataFormat)(given.Many.Get % 5), Path = path.Length == 0 ? null : path, Augment = given.Flag ? Augmentation.CropFlip : Augmentation.None },
                Batch = new BatchOptions { Global = shards * 2, Shards = shards },
                Optimizer = new OptimizerOptions { LearningRate = rate == 0 ? 1e-300 : rate, WeightDecay = 1.0 / given.Many.Get, Nesterov = given.Flag },
                Schedule = new ScheduleOptions { MaxSteps = given.Flag ? given.Many.Get : null },
                Checkpoint = new CheckpointOptions { Path = "null" },
                Seed = given.Seed,
            };
            var text = RunDescriptionFile.Write(description);
            Assert.Equal(description, RunDescriptionFile.Parse(text, "written"));
            Assert.Equal(text, RunDescriptionFile.Write(RunDescriptionFile.Parse(text, "written")));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("9 ")]
    [InlineData("NULL")]
    [InlineData("~")]
    [InlineData("true")]
    [InlineData("- a")]
    [InlineData("a: b # c")]
    [InlineData("\\\"'\n\u0085\u2028\ufeff\U0001f600")]
    public void A_path_that_YAML_could_take_for_something_else_survives(string path)
    {
        var description = Parse(Smallest) with { Checkpoint = new CheckpointOptions { Path = path } };
        Assert.Equal(path, RunDescriptionFile.Parse(RunDescriptionFile.Write(description), "written").Checkpoint.Path);
    }

    [Fact]
    public void Canonical_yaml_is_stable()
    {
        var text = RunDescriptionFile.Write(Parse(Smallest, "optimizer.weight_decay=1e-5", "data.path=a b"));
        Assert.StartsWith("model:\n  name: lenet5\n  method: adder\n  classes: 10\ndata:\n  format: idx\n  path: \"a b\"\n  image_size: 224\n", text, StringComparison.Ordinal);
        Assert.Contains("  weight_decay: 1.0e-05\n", text, StringComparison.Ordinal);
        Assert.Contains("  max_steps: none\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\nseed: 1\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("optimizer: {lerning_rate: 0.1}", "run.yaml:3: optimizer.lerning_rate is not a key; did you mean optimizer.learning_rate; for example optimizer.learning_rate: 0.1")]
    [InlineData("optimiser: {momentum: 0.9}", "run.yaml:3: optimiser is not a key; did you mean optimizer; for example optimizer: {learning_rate: 0.1}")]
    [InlineData("batch: {learning_rate: 0.1}", "run.yaml:3: batch.learning_rate is not a key; did you mean optimizer.learning_rate; for example optimizer.learning_rate: 0.1")]
    [InlineData("shards: 8", "run.yaml:3: shards is not a key; did you mean batch.shards; for example batch.shards: 8")]
    [InlineData("sede: 8", "run.yaml:3: sede is not a key; did you mean seed; for example seed: 1")]
    [InlineData("batch: {global: 0}", "run.yaml:3: batch.global: 0 must be a whole number from 1 to 1048576; for example batch.global: 256")]
    [InlineData("batch: {global: many}", "run.yaml:3: batch.global: many must be a whole number from 1 to 1048576; for example batch.global: 256")]
    [InlineData("batch: {global: 2.5}", "run.yaml:3: batch.global: 2.5 must be a whole number")]
    [InlineData("batch: {global: 99999999999999999999}", "must be a whole number")]
    [InlineData("batch: {global: }", "run.yaml:3: batch.global:  must be a whole number")]
    [InlineData("batch: {shards: 6, global: 12}", "run.yaml: batch.shards: 6 must be a power of two; for example batch.shards: 4")]
    [InlineData("batch: {shards: 8, global: 250}", "run.yaml: batch.global: 250 must be a multiple of batch.shards: 8; for example batch.global: 256")]
    [InlineData("batch: {shards: 8, global: 8}", "run.yaml: batch.global: 8 in batch.shards: 8 leaves 1 sample a shard, but batch norm needs at least 2; for example batch.global: 16")]
    [InlineData("batch: {shards: 1, global: 1, normalization: global}", "run.yaml: batch.global: 1 is 1 sample, but batch norm needs at least 2; for example batch.global: 2")]
    [InlineData("batch: {normalization: both}", "run.yaml:3: batch.normalization: both must be one of shard, global; for example batch.normalization: shard")]
    [InlineData("gradient: {on_nonfinite: Stop}", "gradient.on_nonfinite: Stop must be one of stop, skip")]
    [InlineData("gradient: {kind: 0}", "gradient.kind: 0 must be one of full, sign")]
    [InlineData("optimizer: {learning_rate: nan}", "optimizer.learning_rate: nan must be a number above 0 and at most 1000")]
    [InlineData("optimizer: {learning_rate: 0}", "optimizer.learning_rate: 0 must be a number above")]
    [InlineData("optimizer: {learning_rate: 1e999}", "optimizer.learning_rate: 1e999 must be a number")]
    [InlineData("optimizer: {momentum: 1}", "optimizer.momentum: 1 must be a number at least 0 and below 1")]
    [InlineData("optimizer: {momentum: 0, nesterov: true}", "optimizer.momentum: 0 must be above 0 with optimizer.nesterov: true")]
    [InlineData("optimizer: {nesterov: yes}", "optimizer.nesterov: yes must be true or false; for example optimizer.nesterov: true")]
    [InlineData("schedule: {max_steps: 0}", "schedule.max_steps: 0 must be none or a whole number of at least 1; for example schedule.max_steps: 1000")]
    [InlineData("schedule: {epochs: 5, warmup_epochs: 5}", "schedule.warmup_epochs: 5 must be less than schedule.epochs: 5; for example schedule.warmup_epochs: 0")]
    [InlineData("elastic: {min_workers: 5, max_workers: 4}", "elastic.min_workers: 5 must be at most elastic.max_workers: 4; for example elastic.min_workers: 4")]
    [InlineData("elastic: {heartbeat_ms: 500, lease_ms: 900}", "elastic.lease_ms: 900 must be at least twice elastic.heartbeat_ms: 500; for example elastic.lease_ms: 2500")]
    [InlineData("checkpoint: {keep: 0}", "checkpoint.keep: 0 must be a whole number from 1")]
    [InlineData("seed: one", "run.yaml:3: seed: one must be a whole number")]
    [InlineData("seed: {a: 1}", "run.yaml:3: seed is a section here; for example seed: 1")]
    [InlineData("seed: [1, 2]", "run.yaml:3: seed is a list here; for example seed: 1")]
    [InlineData("batch: 8", "run.yaml:3: batch: 8 is a value, but this is a section of keys; for example batch: {global: 256}")]
    [InlineData("batch: [8]", "run.yaml:3: batch is a list here; for example batch: {global: 256}")]
    [InlineData("batch: {shards: {deep: {deeper: 1}}}", "run.yaml:3: batch.shards is a section here; for example batch.shards: 8")]
    [InlineData("batch: {shards: 8, shards: 8}", "run.yaml:3: batch.shards: 8 is given twice; for example one line batch.shards: 8")]
    [InlineData("model: {classes: 3}\nmodel: {classes: 3}", "run.yaml:4: model.classes: 3 is given twice")]
    [InlineData("batch: &a {shards: 8}", "has an anchor or tag")]
    [InlineData("batch: {shards: !!int 8}", "has an anchor or tag")]
    [InlineData("batch: {shards: *a}", "is an alias here")]
    [InlineData("batch: {shards: 8", "is not valid YAML")]
    [InlineData("{batch[: 8}", "run.yaml")]
    [InlineData("\tbatch: 8", "is not valid YAML")]
    [InlineData("---\nseed: 1", "holds more than one YAML document")]
    public void A_wrong_key_or_value_is_refused_with_one_line_that_shows_a_valid_one(string added, string message) =>
        Refused(message, Smallest + added + "\n");

    [Theory]
    [InlineData("", "run.yaml: model.name is missing and has no default; for example model.name: lenet5")]
    [InlineData("model: {name: lenet5}", "run.yaml: data.format is missing and has no default; for example data.format: idx")]
    [InlineData("- 1", "run.yaml:1: the document is a list here; for example sections such as model: {name: lenet5}")]
    [InlineData("hello", "run.yaml:1: the document is a value here")]
    [InlineData("? {a: b}\n: 1", "run.yaml:1: a key is a section here")]
    [InlineData("model: {name: lenet}\ndata: {format: idx}", "run.yaml:1: model.name: lenet must be one of lenet5, vgg-small, resnet20, resnet32, resnet18, resnet50; for example model.name: lenet5")]
    [InlineData("model: {name: lenet5}\ndata: {format: cifar}", "run.yaml: data.format: cifar gives colour images, but model.name: lenet5 takes 28 x 28 grey ones; for example data.format: idx")]
    [InlineData("model: {name: lenet5}\ndata: {format: synthetic}", "run.yaml: data.image_size: 224 does not suit model.name: lenet5, which takes 28 x 28 images; for example data.image_size: 28")]
    [InlineData("model: {name: lenet5, classes: 5}\ndata: {format: synthetic, image_size: 28}", "run.yaml: model.classes: 5 is too few for data.format: synthetic, which has 10 classes; for example model.classes: 10")]
    [InlineData("model: {name: resnet20}\ndata: {format: cifar, decode: scaled}", "run.yaml: data.decode: scaled is about JPEGs, which data.format: cifar does not have; for example data.decode: full")]
    [InlineData("model: {name: resnet20}\ndata: {format: cifar, augment: imagenet}", "run.yaml: data.augment: imagenet crops photographs of any size, which data.format: cifar does not have; for example data.augment: crop-flip")]
    public void A_description_that_cannot_be_run_is_refused(string text, string message) => Refused(message, text);

    [Theory]
    [InlineData("batch.shrads=8", "--set batch.shrads=8: batch.shrads is not a key; did you mean batch.shards; for example batch.shards: 8")]
    [InlineData("batch.shards=eight", "--set batch.shards=eight: batch.shards: eight must be a whole number from 1 to 65536; for example batch.shards: 8")]
    [InlineData("batch.shards", "--set: 'batch.shards' is not key=value; for example --set schedule.epochs=20")]
    [InlineData("=8", "--set: '=8' is not key=value")]
    [InlineData("batch=8", "--set batch=8: batch is not a key")]
    [InlineData("batch.shards=3\n3", "--set batch.shards=3 3: batch.shards: 3 3 must be a whole number")]
    public void A_wrong_override_is_refused_with_one_line(string setting, string message) => Refused(message, Smallest, setting);

    [Fact]
    public void A_long_or_binary_text_is_refused_in_a_short_line()
    {
        Refused("is too long: a run description has at most 1048576 characters", new string('a', 2_000_000));
        Refused("is not a key", "\"" + new string('b', 900) + "\\nx\": 1");
        Refused("", new string('[', 100_000));
        Refused("", "model: {name: lenet5}\u0001\u0002");
    }

    [Fact]
    public void Any_text_is_read_or_refused_but_never_crashes()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<(NonNull<string> Noise, PositiveInt Place)>(), given =>
        {
            var place = given.Place.Get % Smallest.Length;
            try
            {
                Parse(Smallest[..place] + given.Noise.Get + Smallest[place..]);
            }
            catch (InvalidDescriptionException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<InvalidDescriptionException>(() => RunDescriptionFile.Load("no/such.yaml"));
        Assert.Equal("no/such.yaml: no such run description; for example configs/mnist-lenet5.yaml", error.Message);
    }

    [Fact]
    public void A_file_without_end_is_refused_and_a_directory_is_called_one()
    {
        if (File.Exists("/dev/zero"))
            Assert.Contains("is too long", Assert.Throws<InvalidDescriptionException>(() => RunDescriptionFile.Load("/dev/zero")).Message, StringComparison.Ordinal);
        Assert.Contains("is a directory", Assert.Throws<InvalidDescriptionException>(() => RunDescriptionFile.Load(Path.GetTempPath())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_lies_nowhere_is_refused_unless_an_option_gives_it_or_it_is_synthetic()
    {
        var error = Assert.Throws<InvalidDescriptionException>(() => RunDescriptionFile.RequireDataPath(Parse(Smallest), null, "run.yaml"));
        Assert.Equal("run.yaml: data.path is missing, but data.format: idx reads files; give --data DIR; for example data.path: datasets/mnist", error.Message);
        RunDescriptionFile.RequireDataPath(Parse(Smallest), "somewhere", "run.yaml");
        RunDescriptionFile.RequireDataPath(Parse(Smallest, "data.path=x"), null, "run.yaml");
        RunDescriptionFile.RequireDataPath(Parse(Smallest, "data.format=synthetic", "data.image_size=28"), null, "run.yaml");
    }

    [Fact]
    public void Every_value_of_every_enumeration_has_a_spelling_that_parses_back()
    {
        void Roundtrip<T>()
            where T : struct, Enum
        {
            foreach (var value in Enum.GetValues<T>())
                Assert.True(Spelling.TryParse<T>(Spelling.Of(value), out var back) && back.Equals(value));
        }

        Roundtrip<ModelName>();
        Roundtrip<LayerMethod>();
        Roundtrip<DataFormat>();
        Roundtrip<Augmentation>();
        Roundtrip<OnTrouble>();
        Roundtrip<Normalization>();
        Roundtrip<GradientKind>();
        Roundtrip<GradientScaling>();
        Roundtrip<ScheduleKind>();
        Roundtrip<SchedulePeriod>();
    }

    private static RunDescription Parse(string text, params string[] overrides) => RunDescriptionFile.Parse(text, "run.yaml", overrides);

    private static void Refused(string message, string text, params string[] overrides)
    {
        var error = Assert.Throws<InvalidDescriptionException>(() => Parse(text, overrides));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(error.Message.Length < 600, error.Message);
    }
}
