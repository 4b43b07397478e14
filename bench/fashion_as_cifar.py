#!/usr/bin/env python3
"""Writes Fashion-MNIST as CIFAR-10 binary batches, so that the 32x32 colour models can be tried on real photographs.

    fashion_as_cifar.py SOURCE DESTINATION [TRAIN [TEST]]

SOURCE holds the four IDX files (./addernet data fetch fashion-mnist SOURCE). Each 28x28 image is padded to 32x32 and its
grey copied to red, green and blue. The first TRAIN (10000) and TEST (500) images are taken. Needs python3-numpy.
"""
import pathlib
import sys

import numpy


def images(path):
    raw = numpy.frombuffer(path.read_bytes(), numpy.uint8)
    return raw[16:].reshape(-1, 28, 28)


def labels(path):
    return numpy.frombuffer(path.read_bytes(), numpy.uint8)[8:]


def records(pixels, classes):
    padded = numpy.pad(pixels, ((0, 0), (2, 2), (2, 2)))
    planes = numpy.repeat(padded.reshape(len(padded), 1, 1024), 3, axis=1).reshape(len(padded), 3072)
    return numpy.concatenate([classes.reshape(-1, 1), planes], axis=1).astype(numpy.uint8)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    source, destination = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    train = int(sys.argv[3]) if len(sys.argv) > 3 else 10000
    test = int(sys.argv[4]) if len(sys.argv) > 4 else 500
    destination.mkdir(parents=True, exist_ok=True)
    rows = records(images(source / "train-images-idx3-ubyte")[:train], labels(source / "train-labels-idx1-ubyte")[:train])
    for i, batch in enumerate(numpy.array_split(rows, 5), start=1):
        (destination / f"data_batch_{i}.bin").write_bytes(batch.tobytes())
    rows = records(images(source / "t10k-images-idx3-ubyte")[:test], labels(source / "t10k-labels-idx1-ubyte")[:test])
    (destination / "test_batch.bin").write_bytes(rows.tobytes())


main()
