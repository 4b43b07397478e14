"""Writes the step cases, in the form of `./addernet replay`.

lenet5.case.safetensors      three steps of 16 digit-like images with all initial values
lenet5.expected.safetensors  float64: loss, grad.0.*, and state.0.* and state.2.* (after one and three steps)
resnet20.expected.safetensors  the same of three ResNet-20 steps, whose whole case is a formula (seeded_values.py)
Of a tensor of n elements in state.*, and in ResNet-20's grad.0.*, every max(1, n // 512)-th element is kept. Beside every tensor X: X.torch, F64 [1], how far float32 PyTorch lies from float64 (relative L2).
"""
import os

import numpy as np
import torch

import safetensors_file
import seeded_values
from adder_torch import Model, distance, replay

HERE = os.path.dirname(os.path.abspath(__file__))
MNIST = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4, "eta": 0.1, "scaling": "adaptive"}
CIFAR = {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 5e-4, "eta": 0.2, "scaling": "adaptive"}
SAMPLE = 512


def digit_like(random, count):
    """Normalised 28x28 images: two or three blurred strokes on a faintly noisy ground (no two patches alike)."""
    rows, columns = np.mgrid[0:28, 0:28]
    images = np.zeros((count, 1, 28, 28))
    for image in images:
        for _ in range(random.integers(2, 4)):
            a, b = random.uniform(6, 22, 2), random.uniform(6, 22, 2)
            for s in np.linspace(0, 1, 24):
                centre = a + s * (b - a)
                image[0] = np.maximum(image[0], np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / 3))
    images = np.clip(images + 0.02 * random.standard_normal(images.shape), 0, 1)
    return ((images - 0.1307) / 0.3081).astype(np.float32)


def case_of(model, prefix, images, labels):
    values = seeded_values.initial_values(prefix, model.measure(images.shape[2:]))
    return {"images": images, "labels": labels, **{"model." + name: value for name, value in values.items()}}


def both(model, case, optimizer):
    return [replay(model, case, optimizer, dtype, print) for dtype in (torch.float64, torch.float32)]


def keep(expected, oracle, single, name, sample=None):
    value = oracle[name].astype(np.float32)
    if sample is not None:
        value = value.ravel()[::max(1, value.size // sample)]
    expected[name] = value
    expected[name + ".torch"] = np.array([distance(single[name], oracle[name])])


def lenet5():
    random, model = np.random.default_rng(7), Model("lenet5")
    images = digit_like(random, 48).reshape(3, 16, 1, 28, 28)
    case = case_of(model, "lenet5.", images, random.integers(0, 10, (3, 16)))
    oracle, single = both(model, case, MNIST)
    safetensors_file.write(os.path.join(HERE, "lenet5.case.safetensors"), case)
    expected = {"loss": oracle["loss"], "loss.torch": single["loss"] - oracle["loss"]}
    for name in oracle:
        if name.startswith("grad.0."):
            keep(expected, oracle, single, name)
        elif name.startswith(("state.0.", "state.2.")):
            keep(expected, oracle, single, name, SAMPLE)
    safetensors_file.write(os.path.join(HERE, "lenet5.expected.safetensors"), expected)
    summary("lenet5", oracle, single)


def resnet20():
    model = Model("resnet20")
    images = seeded_values.images("resnet20.", (3, 8, 3, 32, 32))
    case = case_of(model, "resnet20.", images, seeded_values.labels("resnet20.", (3, 8), 10))
    oracle, single = both(model, case, CIFAR)
    expected = {"loss": oracle["loss"], "loss.torch": single["loss"] - oracle["loss"]}
    for name in oracle:
        if name.startswith(("grad.0.", "state.0.", "state.2.")):
            keep(expected, oracle, single, name, SAMPLE)
    safetensors_file.write(os.path.join(HERE, "resnet20.expected.safetensors"), expected)
    summary("resnet20", oracle, single)


def summary(title, oracle, single):
    distances = [distance(single[name], oracle[name]) for name in oracle if name.startswith("grad.0.")]
    print(f"{title}: float32 PyTorch's first gradients from float64: median {np.median(distances):.2e}, worst {max(distances):.2e}; "
          f"losses differ by {np.abs(single['loss'] - oracle['loss'])}")


if __name__ == "__main__":
    lenet5()
    resnet20()
