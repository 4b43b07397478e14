#!/usr/bin/env python3
"""Times ./addernet bench loader and torchvision's ImageFolder with Pillow in turn, on one core each.

    beside_torchvision_loader.py ADDERNET DIR

Both open, decode, crop (random resized crop to 224), mirror and normalise the training photographs of DIR in random order.
Then ours alone with all threads over 20,000 images, watching memory; .NET's nursery is held to 4 MB there, since by default
it grows with the processor's cache before its first collection and would hide a leak or look like one. Ends with 1 below 1.5
times torchvision's rate, or where memory has grown by more than a tenth after the first thousand. Called by beside_torchvision.sh.
"""
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torchvision

ROUNDS = 3
THEIRS, OURS, LONG = 600, 2000, 20000
TARGET, GROWTH = 1.5, 1.1


def theirs(directory):
    transforms = torchvision.transforms
    images = torchvision.datasets.ImageFolder(pathlib.Path(directory, "train"), transforms.Compose([
        transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]))
    order = random.sample(range(len(images)), min(len(images), THEIRS))
    for index in order[:20]:
        images[index]
    began = time.perf_counter()
    for index in order:
        images[index]
    return len(order) / (time.perf_counter() - began)


def ours(addernet, directory, *options, **environment):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "loader.json")
        subprocess.run([addernet, "bench", "loader", "--data", directory, "--json", path, *map(str, options)],
                       check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)
        with open(path) as file:
            return json.load(file)


def main():
    addernet, directory = sys.argv[1:]
    torch.set_num_threads(1)
    rates = {"theirs": [], "ours": []}
    for _ in range(ROUNDS):
        rates["theirs"].append(theirs(directory))
        rates["ours"].append(ours(addernet, directory, "--images", OURS, "--threads", 1)["rows"][0]["images_per_second"])
    their, our = (statistics.median(rates[name]) for name in ("theirs", "ours"))
    print(f"torchvision {torchvision.__version__} with Pillow: {their:.0f} images/s of one core {[round(rate) for rate in rates['theirs']]}")
    print(f"addernet: {our:.0f} images/s of one core {[round(rate) for rate in rates['ours']]}")
    print(f"ratio {our / their:.2f}, wanted {TARGET}")
    report = ours(addernet, directory, "--images", LONG, DOTNET_GCgen0size="0x400000")
    memory, all_threads = report["summary"]["memory"], report["rows"][1]
    print(f"{all_threads['threads']} threads: {all_threads['images_per_second']:.0f} images/s; memory {memory['after_first'] / 1e6:.0f} MB "
          f"after the first thousand, {memory['at_end'] / 1e6:.0f} MB after {LONG}, at most {memory['most'] / 1e6:.0f} MB")
    print(f"machine: {report['machine']['processor']}, {report['machine']['cores']} cores, {report['machine']['vectors']}; {report['time'][:10]}")
    sys.exit(0 if our >= TARGET * their and memory["most"] <= GROWTH * memory["after_first"] else 1)


main()
