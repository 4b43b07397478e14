using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Kernels;
using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

public sealed class PhotographPipelineTests
{
    [Fact]
    public void Training_samples_have_the_same_bits_from_any_thread_and_at_any_vector_width()
    {
        const int Samples = 120;
        var expected = Render(new ReferenceResampler(), 1);
        Assert.Equal(expected, Render(VectorResampler.Best, 8));
        foreach (var width in Enum.GetValues<VectorWidth>().Where(width => width <= VectorKernels.Widest))
            Assert.Equal(expected, Render(VectorResampler.Create(width), 2));

        static float[][] Render(IResampler resampler, int threads)
        {
            var encoded = GoldenPictures.Names.Select(GoldenPictures.Encoded).ToArray();
            using var pipeline = new PhotographPipeline(GoldenPictures.Side, Augmentation.ImageNet, PhotographDecoding.Full, resampler);
            var rendered = new float[Samples][];
            Parallel.For(0, Samples, new ParallelOptions { MaxDegreeOfParallelism = threads }, sample =>
            {
                rendered[sample] = new float[pipeline.Elements];
                pipeline.RenderTraining(encoded[sample % encoded.Length], "x", 5, 2, sample, rendered[sample]);
            });
            return rendered;
        }
    }

    [Fact]
    public void A_sample_depends_on_seed_epoch_and_index()
    {
        using var pipeline = new PhotographPipeline(GoldenPictures.Side, Augmentation.ImageNet);
        float[][] samples = [Render(1, 0, 0), Render(2, 0, 0), Render(1, 1, 0), Render(1, 0, 1), Render(1UL << 63, 0, 0), Render(1, 0, uint.MaxValue)];
        Assert.Equal(samples.Length, samples.DistinctBy(sample => string.Join(' ', sample)).Count());
        Assert.Equal(samples[0], Render(1, 0, 0));

        float[] Render(ulong seed, long epoch, long sample)
        {
            var values = new float[pipeline.Elements];
            pipeline.RenderTraining(GoldenPictures.Encoded("420"), "x", seed, epoch, sample, values);
            return values;
        }
    }

    [Fact]
    public void Rendering_leaves_no_garbage_to_speak_of()
    {
        using var pipeline = new PhotographPipeline(GoldenPictures.Side, Augmentation.ImageNet);
        var sample = new float[pipeline.Elements];
        var encoded = GoldenPictures.Names.Select(GoldenPictures.Encoded).ToArray();
        RenderAll();
        Assert.InRange(AllocatedBytes.LeastOf(RenderAll) / (double)encoded.Length, 0, 500);

        void RenderAll()
        {
            for (var i = 0; i < encoded.Length; i++)
                pipeline.RenderTraining(encoded[i], "x", 1, 0, i, sample);
        }
    }

    [Fact]
    public void Scaled_decoding_gives_nearly_the_pixels_of_full_decoding_where_a_picture_is_twice_as_large_as_needed()
    {
        foreach (var name in new[] { "420", "422", "444", "grey", "progressive", "cmyk", "ycck" })
        {
            var (width, height) = GoldenPictures.Size(name);
            var plan = new CropPlan(new Stretch(7, width - 20), new Stretch(3, height - 11), GoldenPictures.Side, GoldenPictures.Side, 0, 0, false);
            var full = GoldenPictures.Bytes(GoldenPictures.Render(GoldenPictures.Encoded(name), plan));
            var scaled = GoldenPictures.Bytes(GoldenPictures.Render(GoldenPictures.Encoded(name), plan, decoding: PhotographDecoding.Scaled));
            Assert.NotEqual(full, scaled);
            Assert.InRange(full.Zip(scaled, (a, b) => Math.Abs(a - b)).Average(), 0, 4.0);
        }
    }

    [Fact]
    public void Scaled_decoding_changes_nothing_where_every_pixel_is_needed()
    {
        var encoded = GoldenPictures.Encoded("420");
        var plan = CropPlan.Centered(150, 112, 64);
        Assert.Equal(GoldenPictures.Render(encoded, plan, 64), GoldenPictures.Render(encoded, plan, 64, decoding: PhotographDecoding.Scaled));
    }
}
