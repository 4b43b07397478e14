"""Writes binary.safetensors: inputs of the binary layers and the float64 oracle's outputs, rounded once to float32.

BinaryConnect, DoReFa-Net (one bit for weights and inputs) and XNOR-Net, written from their papers' formulas; docs/models.md
states what those leave open.
"""
import os

import numpy as np

import formulas
import safetensors_file

HERE = os.path.dirname(os.path.abspath(__file__))
# name: N, C, H, W, T, kernel, stride, padding
SHAPES = {
    "fully_connected": (5, 120, 1, 1, 84, 1, 1, 0),
    "whole_map": (3, 16, 5, 5, 12, 5, 1, 0),
    "three_by_three": (2, 16, 8, 8, 16, 3, 1, 1),
    "one_by_one_stride_2": (2, 16, 8, 8, 32, 1, 2, 0),
    "odd_channels": (3, 3, 7, 5, 5, 3, 1, 1),
    "more_than_a_word": (1, 70, 6, 6, 7, 3, 2, 1),
    "wide_padding": (1, 9, 4, 4, 3, 5, 1, 2),
}
random = np.random.default_rng(20240711)


def sign(v):
    return np.where(v >= 0, 1.0, -1.0)


def binary(x, w, g, stride, padding):
    """BinaryConnect: real inputs, sign(W); the gradient of sign(W) is W's."""
    return (formulas.forward(x, sign(w), None, stride, padding),
            formulas.filter_gradient(x, w, g, stride, padding),
            formulas.input_gradient(x, sign(w), g, stride, padding))


def dorefa(x, w, g, stride, padding):
    """Weights sign(W) E|W| over the layer, inputs round(clip(x, 0, 1)); straight through, E a constant."""
    a, quantized = np.rint(np.clip(x, 0, 1)), sign(w) * np.abs(w).mean()
    inside = (x >= 0) & (x <= 1)
    return (formulas.forward(a, quantized, None, stride, padding),
            formulas.filter_gradient(a, w, g, stride, padding),
            formulas.input_gradient(a, quantized, g, stride, padding) * inside)


def xnor(x, w, g, stride, padding):
    """sign(X) with K, sign(W) with alpha of each filter; backward K is a constant."""
    n, kernel = w[0].size, w.shape[2]
    alpha = np.abs(w).mean(axis=(1, 2, 3), keepdims=True)
    magnitude = np.abs(x).mean(axis=1, keepdims=True)
    scale = formulas.patches(magnitude, kernel, kernel, stride, padding).sum(axis=(3, 4, 5))[:, None] / kernel**2
    y = formulas.forward(sign(x), alpha * sign(w), None, stride, padding) * scale
    estimate = formulas.filter_gradient(sign(x), w, g * scale, stride, padding)
    dw = estimate * (1 / n + alpha * (np.abs(w) <= 1))
    dx = formulas.input_gradient(x, alpha * sign(w), g * scale, stride, padding) * (np.abs(x) <= 1)
    return y, dw, dx


def with_edges(values, edges):
    """Every eleventh value is one at which a step or a clip decides."""
    flat = values.reshape(-1)
    flat[::11] = np.resize(edges, flat[::11].shape)
    return values


if __name__ == "__main__":
    tensors = {}
    for name, (n, c, h, w, t, kernel, stride, padding) in SHAPES.items():
        height, width = ((size + 2 * padding - kernel) // stride + 1 for size in (h, w))
        x = with_edges(random.standard_normal((n, c, h, w)), [0.0, -0.0, 0.5, 1.0, -1.0]).astype(np.float32)
        f = with_edges(0.6 * random.standard_normal((t, c, kernel, kernel)), [0.0, -0.0, 1.0, -1.0]).astype(np.float32)
        g = random.standard_normal((n, t, height, width)).astype(np.float32)
        tensors.update({f"{name}.geometry": np.array([n, h, w, c, t, kernel, kernel, stride, padding], np.int64),
                        f"{name}.x": x, f"{name}.f": f, f"{name}.g": g})
        for method in (binary, dorefa, xnor):
            results = method(*(value.astype(np.float64) for value in (x, f, g)), stride, padding)
            for output, value in zip(("y", "df", "dx"), results):
                tensors[f"{name}.{method.__name__}.{output}"] = value.astype(np.float32)
    safetensors_file.write(os.path.join(HERE, "binary.safetensors"), tensors)
    print(f"{len(tensors)} tensors")
