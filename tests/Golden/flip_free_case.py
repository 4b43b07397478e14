"""Searches a LeNet-5-BN batch whose activations are far from every kink, and writes flip_free.case.safetensors.

Two correct float32 programs differ in the last bits; where such a difference moves a value across zero before a ReLU, or
swaps the winner of a max pool, whole gradients change. (The clamp of eq. 6-7 and |x - f| are continuous: crossing their
kinks costs no more than the rounding itself.) The batch kept has the widest margin of the seeds tried, measured
in float32's own error at the same batch norm.
"""
import os

import numpy as np
import torch

import safetensors_file
from adder_torch import Model
from step_cases import HERE, case_of, digit_like

BATCH = 8


def activations(model, case, dtype):
    """Batch-norm outputs of one forward pass, {name: tensor}."""
    torch.set_default_dtype(dtype)
    shapes = model.measure(case["images"].shape[2:])
    model.parameters = {name: torch.from_numpy(case["model." + name]).to(dtype) for name in shapes}
    found = {}
    model.watch = lambda name, y: found.__setitem__(name, y.double())
    with torch.no_grad():
        model.forward(torch.from_numpy(case["images"][0]).to(dtype))
    model.watch = None
    return found


def margins(found):
    """Per batch norm, the smallest distance to a flip: |value| before each ReLU, the winner's lead in each 2x2 window."""
    smallest = {name: y.abs().min().item() for name, y in found.items() if name != "bn5"}
    for name in ("bn1", "bn2"):
        windows = torch.nn.functional.unfold(found[name].relu().flatten(0, 1)[:, None], 2, stride=2)
        best = windows.topk(2, dim=1).values
        smallest[name] = min(smallest[name], (best[:, 0] - best[:, 1])[best[:, 0] > 0].min().item())
    return smallest


def safety(case):
    """The smallest margin of any batch norm, in units of float32 PyTorch's largest error at that batch norm."""
    model = Model("lenet5")
    oracle, single = (activations(model, case, dtype) for dtype in (torch.float64, torch.float32))
    return min(value / (oracle[name] - single[name]).abs().max().item() for name, value in margins(oracle).items())


def make(seed):
    random = np.random.default_rng(seed)
    return case_of(Model("lenet5"), f"flip_free.{seed}.", digit_like(random, BATCH)[None], random.integers(0, 10, (1, BATCH)))


if __name__ == "__main__":
    scores = {seed: safety(make(seed)) for seed in range(600)}
    best = max(scores, key=scores.get)
    case = make(best)
    print(f"seed {best}: every value is at least {scores[best]:.1f} times float32 PyTorch's error from a flip "
          f"(median seed: {np.median(list(scores.values())):.2f} times)")
    values = {"images": case["images"], "labels": case["labels"], "seed": np.array([best]), "safety": np.array([scores[best]])}
    safetensors_file.write(os.path.join(HERE, "flip_free.case.safetensors"), values)
