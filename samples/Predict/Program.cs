// Says what a picture shows, by weights that were trained before.
//   dotnet run --project samples/Predict -- CONFIG WEIGHTS PICTURE.pgm         a grey picture of the size that the model was trained on
//   dotnet run --project samples/Predict -- CONFIG WEIGHTS MNIST-FOLDER INDEX  a test image of MNIST
using System.Text;
using AdderNet.Core.Checkpoints;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Engine;
using AdderNet.Core.Models;

if (args.Length is not (3 or 4))
{
    Console.Error.WriteLine("usage: Predict CONFIG WEIGHTS (PICTURE.pgm | MNIST-FOLDER INDEX)");
    return 2;
}

try
{
    var run = RunDescriptionFile.Load(args[0]);
    var (shape, image, label) = args.Length == 3 ? ReadPgm(args[2]) : ReadTestImage(run.Data, args[2], int.Parse(args[3]));
    var model = ModelCatalog.Describe(run.Model, shape);
    using var classifier = new Classifier(model, WeightsFile.Load(args[1], model.Layout));
    var prediction = classifier.Classify(image);
    Console.WriteLine($"class {prediction.Class}, probability {prediction.Probability:0.0000}{(label is null ? "" : $", labelled {label}")}");
    return 0;
}
catch (Exception e) when (e is InvalidDescriptionException or TensorFileException or DataException or IOException or FormatException or OverflowException or ArgumentException)
{
    Console.Error.WriteLine($"Predict: {e.Message}");
    return 1;
}

static (InputShape Shape, float[] Image, int? Label) ReadTestImage(DataOptions options, string folder, int index)
{
    var data = DataSource.Open(options, folder);
    if (index < 0 || index >= data.Test.Count)
        throw new FormatException($"there is no test image {index}, only 0 to {data.Test.Count - 1}");
    var image = new float[data.Input.Elements];
    data.Test.Read(index, null, image);
    return (data.Input, image, data.Test.Label(index));
}

// Binary PGM: "P5 width height 255", one white-space character, then a byte for each pixel.
static (InputShape Shape, float[] Image, int? Label) ReadPgm(string path)
{
    var bytes = File.ReadAllBytes(path);
    var header = new List<string>();
    var at = 0;
    while (header.Count < 4 && at < bytes.Length)
    {
        var end = Array.FindIndex(bytes, at, b => b is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t');
        if (end < 0)
            break;
        var word = Encoding.ASCII.GetString(bytes, at, end - at);
        at = end + 1;
        if (word.StartsWith('#'))
            at = Array.IndexOf(bytes, (byte)'\n', end) + 1;
        else if (word.Length > 0)
            header.Add(word);
    }

    if (header is not ["P5", var width, var height, "255"])
        throw new FormatException($"{path} is not a binary PGM of 8 bits (P5 WIDTH HEIGHT 255)");
    var shape = new InputShape(int.Parse(height), int.Parse(width), 1);
    if (bytes.Length - at != shape.Elements)
        throw new FormatException($"{path} has {bytes.Length - at} pixels, not {width} x {height}");

    // As the trainer normalises MNIST: by mean and standard deviation of its training images.
    return (shape, [.. bytes[at..].Select(pixel => ((pixel / 255f) - 0.1307f) / 0.3081f)], null);
}
