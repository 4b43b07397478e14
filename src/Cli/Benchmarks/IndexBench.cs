using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Data.Indexes;

namespace AdderNet.Cli.Benchmarks;

/// <summary>One reading of an index.</summary>
/// <param name="Samples">Pictures in the index.</param>
/// <param name="FileMegabytes">Its size.</param>
/// <param name="LoadSeconds">From the first byte read to an opened data set with its manifest's hash.</param>
/// <param name="LoadMegabytes">Allocated on the way.</param>
internal sealed record IndexRow(int Samples, double FileMegabytes, double LoadSeconds, double LoadMegabytes);

/// <summary>Opens a data set whose generated index has as many pictures as one likes, ImageNet's names and a thousand classes.</summary>
internal sealed class IndexBench(TimeProvider clock)
{
    private const int Classes = 1000;

    /// <summary>Writes the index into a folder of its own, opens it a few times, and removes it.</summary>
    public IReadOnlyList<IndexRow> Measure(int samples, int times, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("addernet-bench-index-").FullName;
        try
        {
            var file = Path.Combine(folder, IndexStore.FileName);
            File.WriteAllBytes(file, Generate(samples).File.Span);
            var rows = new List<IndexRow>();
            for (var i = 0; i < times; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                GC.Collect();
                var allocated = GC.GetTotalAllocatedBytes(precise: true);
                var began = clock.GetTimestamp();
                using var data = DataSource.Open(new DataOptions { Format = DataFormat.Folder }, folder);
                var seconds = clock.GetElapsedTime(began).TotalSeconds;
                rows.Add(new IndexRow(data.Train.Count, new FileInfo(file).Length / 1e6, seconds, (GC.GetTotalAllocatedBytes(precise: true) - allocated) / 1e6));
            }

            return rows;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static SampleIndex Generate(int samples)
    {
        var builder = new SampleIndexBuilder("generated", isTar: false);
        for (var label = 0; label < Classes; label++)
        {
            builder.AddClass($"n{label:00000000}");
            // Time 0: such a folder is not there, and has not changed when it still is not.
            builder.AddContainer(new IndexContainer($"train/n{label:00000000}", 0, 0));
        }

        for (var i = 0; i < samples; i++)
        {
            var label = i % Classes;
            builder.Add($"train/n{label:00000000}/n{label:00000000}_{i / Classes}.JPEG", label, 50_000 + (i % 100_000));
        }

        return builder.Build();
    }
}
