using AdderNet.Core.Configuration;
using AdderNet.Core.Data.Images;
using AdderNet.Core.Numerics;
using Xunit;

namespace AdderNet.Core.Tests.Data.Images;

public sealed class CropPlanTests
{
    private const int Side = 224;

    [Fact]
    public void Random_resized_crops_lie_inside_have_torchvisions_areas_and_ratios_and_half_of_them_are_mirrored()
    {
        const int Samples = 20_000;
        const int Width = 500, Height = 375;
        var plans = Enumerable.Range(0, Samples).Select(sample => Draw(Augmentation.ImageNet, Width, Height, (uint)sample)).ToList();
        Assert.All(plans, plan =>
        {
            Assert.InRange(plan.Across.First, 0, Width - plan.Across.Count);
            Assert.InRange(plan.Down.First, 0, Height - plan.Down.Count);
            Assert.Equal((Side, Side, 0, 0), (plan.Width, plan.Height, plan.Left, plan.Top));
        });
        var areas = plans.Select(plan => (double)plan.Across.Count * plan.Down.Count / (Width * Height)).ToList();
        var ratios = plans.Select(plan => (double)plan.Across.Count / plan.Down.Count).ToList();
        Assert.InRange(areas.Min(), 0.078, 0.09);
        Assert.InRange(areas.Max(), 0.97, 1.0);
        Assert.InRange(ratios.Min(), 0.735, 0.76);
        Assert.InRange(ratios.Max(), 1.32, 1.36);
        // torchvision 0.14's own get_params gave 0.433 and 1.045 for this size, over 60,000 draws.
        Assert.InRange(areas.Average(), 0.425, 0.441);
        Assert.InRange(ratios.Average(), 1.037, 1.053);
        Assert.InRange(plans.Count(plan => plan.Mirror) / (double)Samples, 0.485, 0.515);
    }

    [Theory]
    [InlineData(1000, 100, 433, 133, 0, 100)]
    [InlineData(100, 1000, 0, 100, 433, 133)]
    [InlineData(7, 1, 3, 1, 0, 1)]
    public void A_picture_that_no_try_fits_gives_its_middle_in_the_nearest_ratio(int width, int height, int left, int wide, int top, int high)
    {
        // Far from every ratio a try fits only by luck; most samples fall back.
        var plans = Enumerable.Range(0, 50).Select(sample => Draw(Augmentation.ImageNet, width, height, (uint)sample) with { Mirror = false }).ToList();
        Assert.Contains(new CropPlan(new Stretch(left, wide), new Stretch(top, high), Side, Side, 0, 0, false), plans);
    }

    [Fact]
    public void What_is_drawn_is_part_of_the_numerics_version()
    {
        string[] expected = ["188+309 3+367 0,0 mirrored", "45+303 101+235 0,0 mirrored", "130+335 5+367 0,0 mirrored", "1+412 37+331 0,0 straight"];
        Assert.Equal(expected, Enumerable.Range(0, 4).Select(sample => Text(Draw(Augmentation.ImageNet, 500, 375, (uint)sample, epoch: 7))));
        Assert.Equal("0+500 0+375 79,3 straight", Text(Draw(Augmentation.CropFlip, 500, 375, 3)));
    }

    [Fact]
    public void Seed_epoch_and_sample_each_change_what_is_drawn()
    {
        CropPlan[] plans =
        [
            Draw(Augmentation.ImageNet, 500, 375, 1), Draw(Augmentation.ImageNet, 500, 375, 2), Draw(Augmentation.ImageNet, 500, 375, 1, epoch: 1),
            CropPlan.Draw(Augmentation.ImageNet, 500, 375, Side, new Philox(2, DrawPurpose.Augmentation, 1)),
        ];
        Assert.Equal(plans.Length, plans.Distinct().Count());
        Assert.Equal(plans[0], Draw(Augmentation.ImageNet, 500, 375, 1));
    }

    [Theory]
    [InlineData(500, 375, 224, 341, 256, 58, 16)]
    [InlineData(375, 500, 224, 256, 341, 16, 58)]
    [InlineData(256, 259, 224, 256, 259, 16, 18)]
    [InlineData(10, 1000, 32, 37, 3700, 2, 1834)]
    public void Evaluation_resizes_the_shorter_side_and_takes_the_middle_rounding_as_Python_does(int width, int height, int side, int wide, int high, int left, int top) =>
        Assert.Equal(new CropPlan(new Stretch(0, width), new Stretch(0, height), wide, high, left, top, false), CropPlan.Centered(width, height, side));

    [Fact]
    public void Crop_flip_places_the_window_anywhere_in_the_resized_picture()
    {
        var plans = Enumerable.Range(0, 20_000).Select(sample => Draw(Augmentation.CropFlip, 500, 375, (uint)sample)).ToList();
        Assert.All(plans, plan => Assert.Equal((500, 375, 341, 256), (plan.Across.Count, plan.Down.Count, plan.Width, plan.Height)));
        Assert.Equal((0, 341 - Side, 0, 256 - Side), (plans.Min(p => p.Left), plans.Max(p => p.Left), plans.Min(p => p.Top), plans.Max(p => p.Top)));
    }

    [Fact]
    public void Without_augmentation_training_sees_what_evaluation_sees() =>
        Assert.Equal(CropPlan.Centered(500, 375, Side), Draw(Augmentation.None, 500, 375, 3));

    private static CropPlan Draw(Augmentation augment, int width, int height, uint sample, uint epoch = 0) =>
        CropPlan.Draw(augment, width, height, Side, new Philox(1, DrawPurpose.Augmentation, sample, epoch));

    private static string Text(CropPlan plan) =>
        $"{plan.Across.First}+{plan.Across.Count} {plan.Down.First}+{plan.Down.Count} {plan.Left},{plan.Top} {(plan.Mirror ? "mirrored" : "straight")}";
}
