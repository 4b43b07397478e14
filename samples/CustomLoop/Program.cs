// Trains a model of one's own in a loop of one's own: no coordinator, no workers, no network.
//   dotnet run --project samples/CustomLoop -- [MNIST-FOLDER] [STEPS] [THREADS]
// Without a folder (or with "synthetic") the images are made up. The last line is the hash of the weights, which does not depend on THREADS.
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;

var folder = args.ElementAtOrDefault(0) ?? "synthetic";
var steps = int.Parse(args.ElementAtOrDefault(1) ?? "100");
var threads = args.Length > 2 ? int.Parse(args[2]) : Environment.ProcessorCount;

var data = folder == "synthetic"
    ? DataSource.Open(new DataOptions { Format = DataFormat.Synthetic, ImageSize = 28 }, null)
    : DataSource.Open(new DataOptions { Format = DataFormat.Idx }, folder);

// A network with one residual block. Every method returns the number of the layer it added; layers read the last one unless told otherwise.
var build = new ModelBuilder("little", data.Input);
build.Convolution("conv1", LayerMethod.Adder, filters: 12, kernel: 5, stride: 2, padding: 2);
build.BatchNorm("bn1");
var input = build.Relu("relu1");
build.Convolution("block.conv", LayerMethod.Adder, filters: 12, kernel: 3, padding: 1);
var body = build.BatchNorm("block.bn");
build.Join("block.join", body, shortcut: input);
build.Relu("block.relu");
build.MaxPool("pool", kernel: 2, stride: 2);
build.Linear("fc", LayerMethod.Adder, outputs: 10);
build.BatchNorm("bn2");
var model = build.Build();

var training = new TrainingOptions
{
    Batch = new BatchOptions { Global = 64, Shards = 4 },
    Optimizer = new OptimizerOptions { LearningRate = 0.1, Nesterov = true },
    Schedule = new ScheduleOptions { Kind = ScheduleKind.Cosine, Epochs = 1 },
};
var order = new SampleOrder(training.Seed, data.Train.Count, training.Batch.Global);
await using var batches = new ShardBatches(data.Train, data.Input, order, training, TimeProvider.System);

// The schedule is spread over one epoch: here, over exactly the steps that are taken.
using var trainer = new LocalTrainer(model, training, stepsPerEpoch: steps, threads);
while (trainer.Step < steps)
{
    var step = await trainer.StepAsync(batches);
    if (step.Step == 1 || step.Step % 10 == 0)
        Console.WriteLine($"step {step.Step}  loss {step.Loss:0.000}  accuracy {step.Accuracy:0.00}");
}

var sums = trainer.Evaluate(data.Test);
Console.WriteLine($"{OperationCounts.Of(model).Sum(_ => true).Additions:#,0} additions an image");
Console.WriteLine($"test accuracy {(double)sums.Top1 / sums.Samples:0.000}");
Console.WriteLine($"weights {WeightsHash.Compute(model.Layout, trainer.Export())}");
