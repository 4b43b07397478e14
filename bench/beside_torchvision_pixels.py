#!/usr/bin/env python3
"""Renders photographs with ./addernet and with torchvision on Pillow, and prints how far apart the pixels are.

    beside_torchvision_pixels.py ADDERNET DIR

Evaluation (Resize 256, CenterCrop 224) and training crops (resized_crop to 224, mirrored or not, the boxes that we drew), of
200 photographs; then the same with scaled decoding. Ends with 1 where full decoding is further away than 1 level on average
in any photograph, or 3 levels anywhere. Called by beside_torchvision.sh.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import torchvision.transforms.functional as F
from PIL import Image

MEANS, DEVIATIONS = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])
MEAN_BOUND, MAX_BOUND = 1, 3


def tensors(path):
    data = numpy.memmap(path, numpy.uint8, "r")
    (length,) = struct.unpack("<Q", data[:8])
    for name, entry in json.loads(bytes(data[8:8 + length])).items():
        first, end = entry["data_offsets"]
        kind = {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]
        yield name, numpy.frombuffer(data[8 + length + first:8 + length + end], kind).reshape(entry["shape"])


def normalized(image):
    return F.normalize(F.to_tensor(image), MEANS.tolist(), DEVIATIONS.tolist()).numpy().transpose(1, 2, 0)


def compare(ours, image):
    """(largest mean over a photograph, largest difference anywhere) in levels; whether the float32 values are equal."""
    levels = numpy.rint((ours * DEVIATIONS + MEANS) * 255)
    apart = numpy.abs(levels - numpy.asarray(image, numpy.float32))
    return apart.mean(), apart.max(), numpy.array_equal(ours, normalized(image))


def run(addernet, directory, decode):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "pixels.safetensors")
        subprocess.run([addernet, "bench", "pixels", "--data", directory, "--output", path, "--decode", decode],
                       check=True, stdout=subprocess.DEVNULL)
        ours = dict(tensors(path))
        results = {"evaluation": [], "training": []}
        for name in (key[:-len(".crop")] for key in ours if key.endswith(".crop")):
            image = Image.open(pathlib.Path(directory, name)).convert("RGB")
            results["evaluation"].append(compare(ours[f"{name}.evaluation"], F.center_crop(F.resize(image, 256), 224)))
            left, top, wide, high, mirrored = ours[f"{name}.crop"].tolist()
            crop = F.resized_crop(image, top, left, high, wide, (224, 224))
            results["training"].append(compare(ours[f"{name}.training"], F.hflip(crop) if mirrored else crop))
    within = True
    for kind, rows in results.items():
        means, most, equal = zip(*rows)
        print(f"{decode:6} {kind:10} {len(rows)} photographs: mean difference {numpy.mean(means):.4f} levels, at most {max(means):.4f} "
              f"in one; largest {max(most):.0f}; equal in all bits: {sum(equal)}")
        within &= max(means) <= MEAN_BOUND and max(most) <= MAX_BOUND
    return within


def main():
    addernet, directory = sys.argv[1:]
    within = run(addernet, directory, "full")
    run(addernet, directory, "scaled")
    print(f"within {MEAN_BOUND} level (mean) and {MAX_BOUND} (max) with full decoding: {'yes' if within else 'NO'}")
    sys.exit(0 if within else 1)


main()
