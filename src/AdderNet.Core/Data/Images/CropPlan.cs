using AdderNet.Core.Configuration;
using AdderNet.Core.Numerics;

namespace AdderNet.Core.Data.Images;

/// <summary>
/// What part of a picture becomes a sample: a rectangle of it is resampled to a size, of which a square window is kept,
/// mirrored or not. The rules are torchvision's.
/// </summary>
/// <param name="Across">The rectangle's columns.</param>
/// <param name="Down">The rectangle's rows.</param>
/// <param name="Width">To how many columns the rectangle is resampled.</param>
/// <param name="Height">To how many rows.</param>
/// <param name="Left">The window's first column.</param>
/// <param name="Top">The window's first row.</param>
/// <param name="Mirror">The window is mirrored left to right.</param>
internal readonly record struct CropPlan(Stretch Across, Stretch Down, int Width, int Height, int Left, int Top, bool Mirror)
{
    private const int Tries = 10;
    private const double SmallestArea = 0.08;
    private const double NarrowestRatio = 3.0 / 4.0;
    private const double WidestRatio = 4.0 / 3.0;

    // ImageNet's usual 256 for a crop of 224.
    private const int ShorterSideOf224 = 256;

    /// <summary>Resize(256), CenterCrop(224), in proportion to the size.</summary>
    public static CropPlan Centered(int width, int height, int size)
    {
        var (wide, high) = ResizedForCrop(width, height, size);
        return new CropPlan(new Stretch(0, width), new Stretch(0, height), wide, high, Middle(wide - size), Middle(high - size), false);
    }

    /// <summary>The plan of one sample in one epoch.</summary>
    /// <param name="augment">How samples are varied.</param>
    /// <param name="width">Of the picture.</param>
    /// <param name="height">Of the picture.</param>
    /// <param name="size">Side of the sample.</param>
    /// <param name="random">The sample's draws.</param>
    public static CropPlan Draw(Augmentation augment, int width, int height, int size, Philox random) => augment switch
    {
        Augmentation.ImageNet => RandomResized(width, height, size, ref random),
        Augmentation.CropFlip => RandomPlace(width, height, size, ref random),
        _ => Centered(width, height, size),
    };

    /// <summary>
    /// RandomResizedCrop and RandomHorizontalFlip. Draws, in order: for each of at most ten tries area and ratio (doubles);
    /// once one fits top and left (integers); then mirror (integer below 2).
    /// </summary>
    private static CropPlan RandomResized(int width, int height, int size, ref Philox random)
    {
        var (narrowest, widest) = (DeterministicMath.Log(NarrowestRatio), DeterministicMath.Log(WidestRatio));
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var area = (double)width * height * (SmallestArea + ((1.0 - SmallestArea) * random.NextDouble()));
            var ratio = DeterministicMath.Exp(narrowest + ((widest - narrowest) * random.NextDouble()));
            var wide = (int)Math.Round(Math.Sqrt(area * ratio));
            var high = (int)Math.Round(Math.Sqrt(area / ratio));
            if (wide < 1 || wide > width || high < 1 || high > height)
                continue;
            var top = random.NextBelow(height - high + 1);
            var left = random.NextBelow(width - wide + 1);
            return Whole(left, top, wide, high, size, random.NextBelow(2) == 1);
        }

        var (fallbackWide, fallbackHigh) = LargestCentered(width, height);
        return Whole((width - fallbackWide) / 2, (height - fallbackHigh) / 2, fallbackWide, fallbackHigh, size, random.NextBelow(2) == 1);
    }

    /// <summary>The whole picture, or as much of it as the ratios allow.</summary>
    private static (int Wide, int High) LargestCentered(int width, int height)
    {
        var ratio = (double)width / height;
        return ratio < NarrowestRatio ? (width, (int)Math.Round(width / NarrowestRatio))
            : ratio > WidestRatio ? ((int)Math.Round(height * WidestRatio), height)
            : (width, height);
    }

    /// <summary>Resize(256), RandomCrop(224), RandomHorizontalFlip. Draws, in order: top, left, mirror (integers).</summary>
    private static CropPlan RandomPlace(int width, int height, int size, ref Philox random)
    {
        var (wide, high) = ResizedForCrop(width, height, size);
        var top = random.NextBelow(high - size + 1);
        var left = random.NextBelow(wide - size + 1);
        return new CropPlan(new Stretch(0, width), new Stretch(0, height), wide, high, left, top, random.NextBelow(2) == 1);
    }

    private static CropPlan Whole(int left, int top, int wide, int high, int size, bool mirror) =>
        new(new Stretch(left, wide), new Stretch(top, high), size, size, 0, 0, mirror);

    /// <summary>The shorter side becomes 256/224 of the size, rounded; the longer one keeps the proportions, rounded down.</summary>
    private static (int Wide, int High) ResizedForCrop(int width, int height, int size)
    {
        var shorter = ((size * ShorterSideOf224) + 112) / 224;
        return width <= height
            ? (shorter, (int)((long)shorter * height / width))
            : ((int)((long)shorter * width / height), shorter);
    }

    /// <summary>Half, rounded to even as Python rounds.</summary>
    private static int Middle(int difference) => (int)Math.Round(difference / 2.0);
}
