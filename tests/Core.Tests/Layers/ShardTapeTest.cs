using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AdderNet.Core.Configuration;
using AdderNet.Core.Data;
using AdderNet.Core.Layers;
using AdderNet.Core.Models;
using Xunit;

namespace AdderNet.Core.Tests.Layers;

/// <summary>The maps that a shard's passes read and write.</summary>
public sealed class ShardTapeTest
{
    private const int CacheLine = 64;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_map_begins_at_a_cache_line(int samples)
    {
        var model = ModelCatalog.Describe(new ModelOptions { Name = ModelName.ResNet20 }, new InputShape(32, 32, 3));
        var plan = new TapePlan(model.Nodes);
        var tape = new ShardTape(model, plan, samples);
        Assert.Equal(0, PlaceInLine(tape.Output(ModelDescription.Images)));
        for (var slot = 0; slot < plan.SlotLengths.Count; slot++)
        {
            Assert.Equal(samples * plan.SlotLengths[slot], tape.Slot(slot).Length);
            Assert.Equal(0, PlaceInLine(tape.Slot(slot)));
        }
    }

    private static unsafe int PlaceInLine(Memory<float> map) =>
        (int)((nuint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(map.Span)) % CacheLine);
}
