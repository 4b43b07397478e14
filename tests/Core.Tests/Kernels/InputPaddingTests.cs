using AdderNet.Core.Kernels;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace AdderNet.Core.Tests.Kernels;

public unsafe class InputPaddingTests
{
    [Fact]
    public void What_any_span_of_some_positions_copies_has_room()
    {
        var cases =
            from n in Gen.Choose(1, 4)
            from h in Gen.Choose(1, 7)
            from w in Gen.Choose(1, 7)
            from c in Gen.Choose(1, 3)
            from kh in Gen.Choose(1, 4)
            from kw in Gen.Choose(1, 4)
            from stride in Gen.Choose(1, 4)
            from padding in Gen.Choose(0, 2)
            where kh <= h + 2 * padding && kw <= w + 2 * padding
            from positions in Gen.Choose(1, 60)
            select (new ConvolutionShape(n, h, w, c, 1, kh, kw, stride, padding), positions);

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(cases.ToArbitrary(), drawn => AssertRoom(drawn.Item1, drawn.positions)));
    }

    private static void AssertRoom(ConvolutionShape shape, int positions)
    {
        var plan = new ConvolutionPlan(shape);
        var room = InputPadding.Room(plan, positions);
        if (!plan.CopiesInput)
        {
            Assert.Equal(0, room);
            return;
        }

        var x = new float[shape.InputLength];
        Array.Fill(x, 2f);
        const float untouched = -1f;
        var memory = new float[room + (long)shape.N * plan.PaddedHeight * plan.PaddedWidth * shape.C];
        fixed (float* from = x, to = memory)
        {
            for (var first = 0; first < shape.Positions; first++)
            {
                Array.Fill(memory, untouched);
                new InputPadding(plan, from, first, Math.Min(first + positions, shape.Positions), to).Copy(0, 1);
                Assert.NotEqual(untouched, memory[0]);

                // Vectors read as many as 16 elements behind what is copied.
                Assert.False(memory.AsSpan((int)room - 16).ContainsAnyExcept(untouched));
            }
        }
    }
}
