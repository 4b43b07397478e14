"""Lays `./addernet replay` beside PyTorch: python3 tests/Golden/compare_replay.py MODEL [options]; see README.md.

Exit status 0 when first-step losses and gradients, and the update rule, lie within the stated bounds; else 1.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

import safetensors_file
import seeded_values
from adder_torch import Model, distance, replay

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# steps, batch, channels, side
DEFAULTS = {"lenet5": (3, 16, 1, 28), "resnet20": (3, 8, 3, 32), "resnet32": (3, 8, 3, 32),
            "resnet18": (2, 16, 3, 64), "resnet50": (2, 16, 3, 64)}


def ulp(w):
    return np.spacing(np.abs(w).astype(np.float32)).astype(np.float64)


def rule_excess(case, output, optimizer, names, steps):
    """Largest |ours - recomputed| over 1e-5 of the change's RMS plus two ulp of the weight a step; 1 is the bound.

    Recomputed in float64 from replay's own gradients by torch.optim.SGD's rule.
    """
    worst = 0.0
    for name in names:
        start = case["model." + name].astype(np.float64)
        w, momentum = start.copy(), None
        for step in range(steps):
            d = output[f"grad.{step}.{name}"].astype(np.float64) + optimizer["weight_decay"] * w
            momentum = d if momentum is None else optimizer["momentum"] * momentum + d
            w = w - optimizer["learning_rate"] * (d + optimizer["momentum"] * momentum if optimizer["nesterov"] else momentum)
        bound = 1e-5 * np.sqrt(np.mean((w - start) ** 2)) + 2 * steps * np.maximum(ulp(start), ulp(w))
        worst = max(worst, float((np.abs(output["model." + name] - w) / bound).max()))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=DEFAULTS)
    parser.add_argument("--method", choices=["adder", "conv"], default="adder")
    parser.add_argument("--kind", choices=["full", "sign"], default="full")
    parser.add_argument("--scaling", choices=["adaptive", "increased", "none"], default="adaptive")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--side", type=int)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--nesterov", action="store_true")
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--eta", type=float, default=0.1)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64", help="PyTorch's precision")
    parser.add_argument("--program", default=os.path.join(REPOSITORY, "addernet"))
    parser.add_argument("--keep", help="folder for case.safetensors and output.safetensors")
    args = parser.parse_args()

    steps, batch, channels, side = DEFAULTS[args.model]
    steps, batch, side = args.steps or steps, args.batch or batch, args.side or side
    optimizer = {"learning_rate": args.learning_rate, "momentum": 0.9, "nesterov": args.nesterov,
                 "weight_decay": args.weight_decay, "eta": args.eta, "scaling": args.scaling}
    model = Model(args.model, args.method, args.classes, args.kind == "sign")
    shapes = dict(model.measure((channels, side, side)))
    prefix = args.model + "."
    case = {"images": seeded_values.images(prefix, (steps, batch, channels, side, side)),
            "labels": seeded_values.labels(prefix, (steps, batch), args.classes),
            **{"model." + name: value for name, value in seeded_values.initial_values(prefix, shapes).items()}}

    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or scratch
        os.makedirs(folder, exist_ok=True)
        config, input, output = (os.path.join(folder, name) for name in ("case.yaml", "case.safetensors", "output.safetensors"))
        with open(config, "w") as file:
            file.write(f"model: {{name: {args.model.replace('vgg', 'vgg-')}, method: {args.method}, classes: {args.classes}}}\n"
                       f"data: {{format: synthetic, image_size: {side}}}\n"
                       f"gradient: {{kind: {args.kind}, scaling: {args.scaling}}}\n"
                       f"optimizer: {{learning_rate: {args.learning_rate}, momentum: 0.9, nesterov: {str(args.nesterov).lower()}, "
                       f"weight_decay: {args.weight_decay}, eta: {args.eta}}}\n")
        safetensors_file.write(input, case)
        begin = time.time()
        subprocess.run([args.program, "replay", config, "--input", input, "--output", output], check=True)
        print(f"./addernet replay: {time.time() - begin:.1f} s")
        ours = safetensors_file.read(output)

    begin = time.time()
    theirs = replay(model, case, optimizer, getattr(torch, args.dtype), print)
    print(f"PyTorch {args.dtype}: {time.time() - begin:.1f} s")

    names = list(shapes)
    statistics = list(model.statistics)
    missing = {"loss"} | {f"grad.{s}.{n}" for s in range(steps) for n in names} | {"model." + n for n in names + statistics}
    if missing != set(ours):
        print("names differ:", sorted(missing ^ set(ours))[:10])
        return 1
    misshapen = [n for n in names if ours["model." + n].shape != shapes[n] or ours["grad.0." + n].shape != shapes[n]]
    zero = [n for n in names if args.model in ("resnet50", "resnet18") and n == "fc.bias"]
    distances = {n: distance(ours["grad.0." + n], theirs["grad.0." + n]) for n in names if n not in zero}
    worst = max(distances, key=distances.get)
    loss = abs(float(ours["loss"][0]) - theirs["loss"][0])
    excess = rule_excess(case, ours, optimizer, names, steps)
    wrong_rules = {key: rule_excess(case, ours, {**optimizer, key: value}, names, steps)
                   for key, value in (("weight_decay", 0), ("momentum", 0), ("nesterov", not args.nesterov))}

    print("losses: ours", ours["loss"], "PyTorch", theirs["loss"])
    print(f"first loss differs by {loss:.2e} (bound 1e-5)")
    print(f"first gradients, relative L2 over {len(distances)} tensors: median {np.median(list(distances.values())):.2e} (bound 5e-3), "
          f"worst {distances[worst]:.2e} at {worst} (bound 1e-1)")
    for name in zero:
        print(f"{name}, a bias before a batch norm: largest gradient {np.abs(ours['grad.0.' + name]).max():.2e} (bound 1e-5)")
    print(f"parameters after {steps} steps against PyTorch's rule: {excess:.3f} of the bound")
    for key, value in wrong_rules.items():
        print(f"  the same with {key} {'dropped' if key != 'nesterov' else 'turned over'}: {value:.3g} of the bound (must exceed 1)")
    last = [distance(ours["model." + n], theirs[f"state.{steps - 1}.{n}"]) for n in names]
    running = [distance(ours["model." + n], theirs[f"state.{steps - 1}.{n}"]) for n in statistics]
    print(f"for the record, after the last step: parameters median {np.median(last):.2e} worst {max(last):.2e}, "
          f"running statistics median {np.median(running):.2e} worst {max(running):.2e}")
    if misshapen:
        print("misshapen:", misshapen)
    good = (loss <= 1e-5 and np.median(list(distances.values())) <= 5e-3 and distances[worst] <= 1e-1 and excess <= 1
            and min(wrong_rules.values()) > 1 and not misshapen
            and all(np.abs(ours["grad.0." + n]).max() <= 1e-5 for n in zero))
    print("within bounds" if good else "OUT OF BOUNDS")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
