namespace AdderNet.Core.Data;

/// <summary>
/// The binary batches of CIFAR-10 (label, then 3072 bytes: 32 x 32 red, green, blue) and CIFAR-100 (coarse label, fine
/// label, 3072 bytes; the fine label is used).
/// </summary>
internal sealed class CifarFiles
{
    private const int Side = 32;
    private const int Channels = 3;
    private const int ImageBytes = Side * Side * Channels;

    private static readonly IReadOnlyList<ChannelScale> Scales10 = [new(0.4914f, 0.2023f), new(0.4822f, 0.1994f), new(0.4465f, 0.2010f)];
    private static readonly IReadOnlyList<ChannelScale> Scales100 = [new(0.5071f, 0.2675f), new(0.4867f, 0.2565f), new(0.4408f, 0.2761f)];

    private CifarFiles(IPixels train, IPixels test, IReadOnlyList<ChannelScale> scales, DataFiles files) =>
        (Train, Test, Scales, Files) = (train, test, scales, files);

    public IPixels Train { get; }

    public IPixels Test { get; }

    public IReadOnlyList<ChannelScale> Scales { get; }

    public DataFiles Files { get; }

    /// <summary>Reads whichever set lies in the directory, or in the folder that its archive makes there.</summary>
    public static CifarFiles Read(string directory)
    {
        string[] places = [directory, Path.Combine(directory, "cifar-10-batches-bin"), Path.Combine(directory, "cifar-100-binary")];
        foreach (var place in places)
        {
            var files = new DataFiles(place);
            if (File.Exists(Path.Combine(place, "test_batch.bin")) || File.Exists(Path.Combine(place, "data_batch_1.bin")))
                return new CifarFiles(Batch(files, 1, [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")]), Batch(files, 1, "test_batch.bin"), Scales10, files);
            if (File.Exists(Path.Combine(place, "train.bin")) || File.Exists(Path.Combine(place, "test.bin")))
                return new CifarFiles(Batch(files, 2, "train.bin"), Batch(files, 2, "test.bin"), Scales100, files);
        }

        throw new DataException($"{directory}: holds neither CIFAR-10 (data_batch_1.bin ... test_batch.bin) nor CIFAR-100 (train.bin, test.bin) in binary form");
    }

    private static HeldPixels Batch(DataFiles files, int labelBytes, params string[] names)
    {
        var record = labelBytes + ImageBytes;
        var batches = names.Select(name => files.Read(name)).ToList();
        foreach (var (path, bytes) in batches)
        {
            if (bytes.Length == 0 || bytes.Length % record != 0)
                throw new DataException($"{path}: has {bytes.Length} bytes, not a multiple of {record}, a label and an image: the file is cut short or of another set");
        }

        var images = new byte[checked(batches.Sum(batch => batch.Bytes.Length / record) * ImageBytes)];
        var labels = new byte[images.Length / ImageBytes];
        var index = 0;
        foreach (var (path, bytes) in batches)
        {
            for (var first = 0; first < bytes.Length; first += record, index++)
            {
                labels[index] = bytes[first + labelBytes - 1];
                var classes = labelBytes == 1 ? 10 : 100;
                if (labels[index] >= classes)
                    throw new DataException($"{path}: record {first / record} has label {labels[index]}; labels go from 0 to {classes - 1}");
                Interleave(bytes.AsSpan(first + labelBytes, ImageBytes), images.AsSpan(index * ImageBytes, ImageBytes));
            }
        }

        return new HeldPixels(new InputShape(Side, Side, Channels), images, 0, labels);
    }

    /// <summary>From planes [C, H, W] to [H, W, C].</summary>
    private static void Interleave(ReadOnlySpan<byte> planes, Span<byte> image)
    {
        for (var pixel = 0; pixel < Side * Side; pixel++)
        {
            for (var c = 0; c < Channels; c++)
                image[(pixel * Channels) + c] = planes[(c * Side * Side) + pixel];
        }
    }
}
