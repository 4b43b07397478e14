"""Numbers that two languages compute alike, so that large weights need not be checked in.

value(name, i): h = splitmix64 finaliser of (FNV-1a 64 of the UTF-8 name + (i + 1) * golden ratio), modulo 2^64; the four
16-bit words of h are added, centred, and scaled by 7 * 2^-18: an exact float32, close to a standard normal.
tests/Core.Tests/Golden/SeededValues.cs is the other side.
"""
import numpy as np


def seeded(name, shape):
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = ((key ^ byte) * 0x100000001B3) % 2**64
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        h = np.uint64(key) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h = h ^ (h >> np.uint64(31))
    words = sum(((h >> np.uint64(16 * i)) & np.uint64(0xFFFF)).astype(np.int64) for i in range(4))
    return ((words - 2 * 65535) * 7 / 2.0**18).astype(np.float32).reshape(shape)


def initial_values(prefix, shapes):
    """Parameters of a model: {name: shape} -> {name: float32 array}.

    Adder filters about N(0,1); multiplying weights about N(0, 1/16); scales 1 + N/8; shifts and biases N/8. The last scale
    of a bottleneck is a sixteenth of that: near 1 a fresh ResNet-50 is chaotic and multiplies every rounding error until
    float32 PyTorch itself is 1e-3 and more from float64.
    """
    values = {}
    for name, shape in shapes.items():
        value = seeded(prefix + name, shape)
        if name.endswith(".adder"):
            values[name] = value
        elif len(shape) > 1:
            values[name] = value * np.float32(0.25)
        elif name.endswith(".weight"):
            values[name] = (1 + value * np.float32(0.125)) * np.float32(0.0625 if name.endswith(".bn3.weight") else 1)
        else:
            values[name] = value * np.float32(0.125)
    return values


def images(prefix, shape):
    """A tint, a pattern of 8x8-pixel squares and noise of half the size: [steps, B, C, H, W] float32, exact."""
    steps, batch, channels, height, width = shape
    rows, columns = -(-height // 8), -(-width // 8)
    coarse = seeded(prefix + "squares", (steps, batch, channels, rows, columns))
    coarse = coarse.repeat(8, axis=3).repeat(8, axis=4)[..., :height, :width]
    tint = seeded(prefix + "tint", (steps, batch, channels, 1, 1))
    return tint + coarse + np.float32(0.5) * seeded(prefix + "noise", shape)


def labels(prefix, shape, classes):
    return np.floor((seeded(prefix + "labels", shape).astype(np.float64) + 4) * 2**18).astype(np.int64) % classes
