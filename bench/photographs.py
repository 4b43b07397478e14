#!/usr/bin/env python3
"""Cuts photographs into an ImageNet-layout set; bench/photographs.sh brings them and calls this.

    photographs.py SOURCE DESTINATION [--train N] [--val N] [--uniform]

SOURCE holds the unpacked Debian packages. Each photograph is a class; its samples are crops of random place and scale, the
same ones on every run. Without --uniform most are 500x375 with 4:2:0 chroma, and the rest are what ImageNet has too: upright
and odd sizes, other chroma samplings, progressive files, grey ones, CMYK ones, EXIF orientations and one PNG named .JPEG.
Needs python3-pil.
"""
import argparse
import concurrent.futures
import pathlib
import random
import sys

from PIL import Image

PICTURES = (
    [f"usr/share/backgrounds/{name}.jpg" for name in (
        "Bridge_by_Sander_Klootwijk", "Dragonfly_by_Bolly", "Picture_0B_by_freespace", "Picture_1A_by_freespace",
        "Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi", "analogpattern_by_Peter_Nerlich", "free_by_Peter_Nerlich",
        "friends_by_Aitzol_Berasategi", "greentock_by_Peter_Nerlich", "life_by_Aitzol_Berasategi",
        "picosdeeuropa_by_Aitzol_Berasategi", "seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi",
        "Kleiber_by_Lukas_Baubkus")]
    + [f"usr/share/backgrounds/mate/nature/{name}.jpg" for name in (
        "Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm", "TwoWings", "Wood",
        "YellowFlower")]
    + [f"usr/share/palapeli/collection/{name}.jpg" for name in (
        "castle-maintenon", "cincinnati-bridge", "citrus-fruits", "european-honey-bee", "panther-chameleon-female")])


def sample(picture, draw, size):
    """A crop of 8 to 60 % of the picture's area in the size's proportions, resized to it."""
    share = draw.uniform(0.08, 0.6) ** 0.5
    fit = min(picture.width / size[0], picture.height / size[1]) * share
    wide, high = size[0] * fit, size[1] * fit
    left, top = draw.uniform(0, picture.width - wide), draw.uniform(0, picture.height - high)
    return picture.resize(size, Image.LANCZOS, (left, top, left + wide, top + high))


def shape(draw, uniform):
    kind = draw.random()
    if uniform or kind < 0.7:
        return 500, 375
    if kind < 0.85:
        return 375, 500
    return draw.randint(120, 1200), draw.randint(120, 900)


def save(image, path, label, index, draw, uniform):
    quality = draw.randint(88, 97)
    chroma = 2 if uniform or draw.random() < 0.85 else draw.randint(0, 1)
    options = {"quality": quality, "subsampling": chroma}
    if not uniform:
        if (label, index) == (0, 3):
            image.save(path, "PNG")
            return
        if index == 4:
            image = image.convert("L")
        if index == 5:
            options["progressive"] = True
        if index == 6:
            exif = Image.Exif()
            exif[0x0112] = 6
            options["exif"] = exif
        if index == 7 and label < 4:
            image = image.convert("CMYK")
    image.save(path, "JPEG", **options)


def cut(source, destination, label, train, val, uniform):
    picture = Image.open(source / PICTURES[label]).convert("RGB")
    synset = f"n{10000000 + label:08}"
    written = 0
    for split, count in (("train", train), ("val", val)):
        folder = destination / split / synset
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            draw = random.Random(f"{split}/{label}/{index}/{uniform}")
            path = folder / f"{synset}_{index}.JPEG"
            save(sample(picture, draw, shape(draw, uniform)), path, label, index, draw, uniform)
            written += path.stat().st_size
    return written


def main():
    arguments = argparse.ArgumentParser(description="Cuts photographs into an ImageNet-layout set.")
    arguments.add_argument("source", type=pathlib.Path)
    arguments.add_argument("destination", type=pathlib.Path)
    arguments.add_argument("--train", type=int, default=100)
    arguments.add_argument("--val", type=int, default=10)
    arguments.add_argument("--uniform", action="store_true")
    given = arguments.parse_args()
    missing = [picture for picture in PICTURES if not (given.source / picture).exists()]
    if missing:
        sys.exit(f"{given.source} has no {missing[0]}: the packages have changed")
    with concurrent.futures.ProcessPoolExecutor() as pool:
        parts = [pool.submit(cut, given.source, given.destination, label, given.train, given.val, given.uniform)
                 for label in range(len(PICTURES))]
        written = sum(part.result() for part in parts)
    count = len(PICTURES) * (given.train + given.val)
    print(f"{given.destination}: {len(PICTURES)} classes of {given.train} training and {given.val} validation photographs, "
          f"{written / 1e6:.0f} MB, {written / max(count, 1) / 1e3:.0f} kB each")


main()
