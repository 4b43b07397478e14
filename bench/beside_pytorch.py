"""Lays AdderNet's adder layers and training steps beside PyTorch, one thread each, in one run:

    /usr/bin/python3 bench/beside_pytorch.py [--models resnet50,resnet20] [--step-images N] [--only-convolution] [--no-layers | --no-steps]

Every distinct adder layer of the models is timed four ways: ours (`./addernet bench kernels`, forward, filter gradient and input
gradient), PyTorch's ordinary convolution with its backward pass, torch.cdist with p=1 over patches, and the paper's formulas with
broadcasting. Then whole training steps: ours (`./addernet bench step`), PyTorch's with ordinary convolutions, and for small models
PyTorch's with the paper's formulas. Prints one table. PyTorch is Debian's python3-torch; ADDERNET names another addernet to run.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F

REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get("ADDERNET", os.path.join(REPOSITORY, "addernet"))
sys.path.insert(0, os.path.join(REPOSITORY, "tests", "Golden"))
from adder_torch import Model, adaptive  # noqa: E402

SIDES = {"lenet5": (1, 28), "resnet20": (3, 32), "resnet50": (3, 224)}
STEP_IMAGES = {"lenet5": 32, "resnet20": 128, "resnet50": 8}
# With one thread PyTorch takes 1x1 layers of stride 1 past oneDNN to a plain matrix product when they have fewer images: 80 ms
# an image instead of 12 for 256-64 @56x56 with Debian's BLAS, not what anyone would train with.
CONVOLUTION_IMAGES = 16
# The paper's formulas hold every difference of a step's layer in memory and take minutes on large images.
FORMULA_STEP_IMAGES = {"lenet5": 32, "resnet20": 4}


def median_seconds(call, budget, fewest):
    """Median processor time of repeated calls (one thread, so what it waits for a core does not count): at least `fewest`, then more while they fit into `budget` seconds; one call beforehand if more than one counts."""
    if fewest > 1:
        call()
    seconds = []
    begin = time.perf_counter()
    while len(seconds) < fewest or (len(seconds) < 25 and time.perf_counter() - begin < budget):
        start = time.thread_time()
        call()
        seconds.append(time.thread_time() - start)
    return statistics.median(seconds)


def convolution(images, s):
    x = torch.randn(images, s["c"], s["h"], s["w"], requires_grad=True)
    f = torch.randn(s["t"], s["c"], s["kh"], s["kw"], requires_grad=True)
    g = torch.randn_like(F.conv2d(x, f, None, s["stride"], s["padding"]))

    def run():
        x.grad = f.grad = None
        F.conv2d(x, f, None, s["stride"], s["padding"]).backward(g)
    return run


def patches(images, s):
    """[P, K] and [T, K]."""
    x = torch.randn(images, s["c"], s["h"], s["w"])
    columns = F.unfold(x, (s["kh"], s["kw"]), padding=s["padding"], stride=s["stride"])
    return columns.transpose(1, 2).reshape(-1, columns.shape[1]).contiguous(), torch.randn(s["t"], columns.shape[1])


def cdist(images, s):
    columns, filters = patches(images, s)
    columns.requires_grad_()
    filters.requires_grad_()
    g = torch.randn(columns.shape[0], filters.shape[0])

    def run():
        columns.grad = filters.grad = None
        (-torch.cdist(columns, filters, p=1)).backward(g)
    return run


def formula(images, s):
    """Eq. 2, 5 and 6-7 as they stand: one difference for each pair of an input and a filter element."""
    columns, filters = patches(images, s)
    g = torch.randn(columns.shape[0], filters.shape[0], 1)

    def run():
        difference = columns[:, None, :] - filters[None, :, :]
        -difference.abs().sum(2)
        (difference * g).sum(0)
        -(difference.clamp_(-1, 1) * g).sum(1)
    return run


def training_step(name, method, images):
    channels, side = SIDES[name]
    classes = 1000 if name == "resnet50" else 10
    model = Model(name, method, classes)
    shapes = model.measure((channels, side, side))
    model.parameters = {n: torch.randn(s).mul_(1 if n.endswith(".adder") else 0.05).requires_grad_() for n, s in shapes.items()}
    sgd = torch.optim.SGD(model.parameters.values(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    x, labels = torch.randn(images, channels, side, side), torch.randint(classes, (images,))

    def run():
        sgd.zero_grad()
        F.cross_entropy(model.forward(x), labels).backward()
        for n, parameter in model.parameters.items():
            if n.endswith(".adder"):
                parameter.grad = adaptive(parameter.grad, 0.1)
        sgd.step()
    return run


def ours(*arguments):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([PROGRAM, "bench", *arguments, "--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return json.load(open(file.name))


def shape_of(text):
    found = re.match(r"(\d+)x(\d+) (\d+)-(\d+) @(\d+)x(\d+) stride (\d+) padding (\d+) batch (\d+) ", text)
    return dict(zip(("kh", "kw", "c", "t", "h", "w", "stride", "padding", "batch"), map(int, found.groups())))


def layers(model):
    """The machine, and [(shape in words, shape, seconds of the three passes)]."""
    report = ours("kernels", "--model", model)
    seconds = {}
    for row in report["rows"]:
        seconds.setdefault(row["shape"], []).append(row["seconds"])
    return report["machine"], [(text, shape_of(text), sum(passes)) for text, passes in seconds.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="resnet50,resnet20", help="layers and steps of these; of " + ", ".join(SIDES))
    parser.add_argument("--step-images", type=int, help="images of ResNet-50's step; without it 8")
    parser.add_argument("--no-layers", action="store_true", help="only training steps")
    parser.add_argument("--only-convolution", action="store_true", help="of layers, leave out cdist and the formulas, which take minutes")
    parser.add_argument("--no-steps", action="store_true", help="only layers")
    args = parser.parse_args()
    models = args.models.split(",")
    unknown = [model for model in models if model not in SIDES]
    if unknown:
        parser.error(f"--models: '{unknown[0]}' is not known; valid: {', '.join(SIDES)}")
    torch.set_num_threads(1)
    print(f"{datetime.date.today()}, PyTorch {torch.__version__}, one thread each")

    for model in [] if args.no_layers else models:
        machine, rows = layers(model)
        print(f"\n{machine['processor']}, {machine['vectors']}, {machine['runtime']}\n")
        print("Milliseconds an image for forward, filter gradient and input gradient; in brackets times ours.\n")
        columns = ["PyTorch convolution"] + ([] if args.only_convolution else ["torch.cdist p=1", "the paper's formulas, broadcast"])
        print(f"| layer of {model} | ours | {' | '.join(columns)} |")
        print("|---|---|" + "---|" * len(columns))
        ratios = [[] for _ in columns]
        for text, shape, total in rows:
            mine = total / shape["batch"]
            images = max(shape["batch"], CONVOLUTION_IMAGES)
            theirs = [median_seconds(convolution(images, shape), 0.5, 3) / images]
            if not args.only_convolution:
                theirs += [median_seconds(cdist(1, shape), 0, 1), median_seconds(formula(1, shape), 0, 1)]
            for all_, seconds in zip(ratios, theirs, strict=True):
                all_.append(seconds / mine)
            cells = " | ".join(f"{seconds * 1e3:.3g} ({seconds / mine:.3g})" for seconds in theirs)
            print(f"| {re.sub(' batch.*', '', text)} | {mine * 1e3:.3g} | {cells} |", flush=True)
        cells = " | ".join(f"({statistics.median(r):.3g})" for r in ratios)
        print(f"| median | | {cells} |", flush=True)

    if args.no_steps:
        return
    print("\nMilliseconds an image of a training step (forward, backward, update); in brackets times ours.\n")
    print("| step | ours | PyTorch, convolutions | PyTorch, the paper's formulas |")
    print("|---|---|---|---|")
    for model in models:
        images = args.step_images or STEP_IMAGES[model] if model == "resnet50" else STEP_IMAGES[model]
        mine = ours("step", model, "--batch", str(images))["summary"]["seconds"] / images
        conv = median_seconds(training_step(model, "conv", images), 10, 3) / images
        few = FORMULA_STEP_IMAGES.get(model)
        slow = median_seconds(training_step(model, "adder", few), 0, 1) / few if few else None
        print(f"| {model}, {images} images | {mine * 1e3:.3g} | {conv * 1e3:.3g} ({conv / mine:.3g}) | "
              + (f"{slow * 1e3:.3g} ({slow / mine:.3g}), {few} images |" if slow else "not measured |"), flush=True)


if __name__ == "__main__":
    main()
