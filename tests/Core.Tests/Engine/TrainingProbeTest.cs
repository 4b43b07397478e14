using AdderNet.Core.Configuration;
using AdderNet.Core.Engine;
using Xunit;

namespace AdderNet.Core.Tests.Engine;

public sealed class TrainingProbeTest
{
    [Fact]
    public void The_probe_gives_one_hash_for_every_number_of_threads()
    {
        var hash = TrainingProbe.Hash();
        Assert.Equal(64, hash.Length);
        Assert.Equal(hash, TrainingProbe.Hash(threads: 2));
        Assert.Equal(hash, TrainingProbe.Hash(threads: 3));
    }

    [Theory]
    [InlineData(DataFormat.Folder, PhotographDecoding.Full, "41a58f30f970a55f3ebb92125cf35c7f88b05dfe762b866e216e8d12af31a963")]
    [InlineData(DataFormat.Tar, PhotographDecoding.Scaled, "5acc33769e487519e0962cdf77f7d476ff4c9e521719c0abe30e01e795604f8d")]
    [InlineData(DataFormat.Idx, PhotographDecoding.Full, "")]
    public void Pictures_are_probed_where_the_data_are_pictures_with_one_hash_on_every_machine(DataFormat format, PhotographDecoding decode, string hash) =>
        Assert.Equal(hash, TrainingProbe.HashPictures(new DataOptions { Format = format, Decode = decode }));
}
