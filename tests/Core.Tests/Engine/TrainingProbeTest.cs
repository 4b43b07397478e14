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
}
