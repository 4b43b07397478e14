"""Writes layers.safetensors: inputs, the float64 oracle's outputs (rounded once to float32) and, beside each output,
how far float32 PyTorch lies from the oracle (relative L2, in <case>.<output>.torch, F64 [1])."""
import os

import numpy as np
import torch
import torch.nn.functional as F

import formulas
import safetensors_file
from adder_torch import AdderConvolution, distance

HERE = os.path.dirname(os.path.abspath(__file__))
# name: N, C, H, W, T, kernel, stride, padding
SHAPES = {
    "lenet_conv1": (2, 1, 28, 28, 6, 5, 1, 2),
    "lenet_conv2": (2, 6, 14, 14, 16, 5, 1, 0),
    "fully_connected": (5, 84, 1, 1, 10, 1, 1, 0),
    "whole_map": (3, 16, 5, 5, 12, 5, 1, 0),
    "three_by_three": (2, 16, 8, 8, 16, 3, 1, 1),
    "three_by_three_stride_2": (2, 16, 9, 9, 24, 3, 2, 1),
    "one_by_one_stride_2": (2, 16, 8, 8, 32, 1, 2, 0),
    "odd_channels": (3, 3, 7, 5, 5, 3, 1, 1),
    "batch_of_one": (1, 13, 6, 6, 7, 3, 2, 1),
    "stem": (1, 3, 15, 15, 8, 7, 2, 3),
    "deep": (1, 256, 4, 4, 2, 3, 1, 1),
    "ties": (2, 4, 6, 6, 8, 3, 1, 1),
}
tensors = {}
random = np.random.default_rng(20240607)


def expect(case, output, oracle, pytorch):
    tensors[f"{case}.{output}"] = np.asarray(oracle, np.float64).astype(np.float32)
    tensors[f"{case}.{output}.torch"] = np.array([distance(pytorch.detach().numpy(), oracle)])


def convolutions():
    for name, (n, c, h, w, t, kernel, stride, padding) in SHAPES.items():
        height, width = ((size + 2 * padding - kernel) // stride + 1 for size in (h, w))
        x, f, g, bias = (random.standard_normal(shape) for shape in
                         ((n, c, h, w), (t, c, kernel, kernel), (n, t, height, width), (t,)))
        if name == "ties":
            # Quarters: X = F and |X - F| = 1 happen often, and every sum is exact in float32.
            x, f, g, bias = (np.round(value * 4) / 4 for value in (x, f, g, bias))
        elif name not in ("lenet_conv1", "stem"):
            x = np.maximum(x, 0)
        x, f, g, bias = (value.astype(np.float32) for value in (x, f, g, bias))
        tensors.update({f"{name}.geometry": np.array([n, h, w, c, t, kernel, kernel, stride, padding], np.int64),
                        f"{name}.x": x, f"{name}.f": f, f"{name}.g": g, f"{name}.bias": bias})
        x64, f64, g64, bias64 = (value.astype(np.float64) for value in (x, f, g, bias))

        for sign in (False, True):
            xt, ft = torch.from_numpy(x).requires_grad_(), torch.from_numpy(f).requires_grad_()
            yt = AdderConvolution.apply(xt, ft, stride, padding, sign)
            yt.backward(torch.from_numpy(g))
            if not sign:
                expect(name, "adder.y", formulas.adder_forward(x64, f64, stride, padding), yt)
                expect(name, "adder.dx", formulas.adder_input_gradient(x64, f64, g64, stride, padding), xt.grad)
            expect(name, "adder.df_sign" if sign else "adder.df",
                   formulas.adder_filter_gradient(x64, f64, g64, stride, padding, sign), ft.grad)

        xt, ft = torch.from_numpy(x).requires_grad_(), torch.from_numpy(f).requires_grad_()
        yt = F.conv2d(xt, ft, torch.from_numpy(bias), stride, padding)
        yt.backward(torch.from_numpy(g))
        expect(name, "conv.y", formulas.forward(x64, f64, bias64, stride, padding), yt)
        expect(name, "conv.df", formulas.filter_gradient(x64, f64, g64, stride, padding), ft.grad)
        expect(name, "conv.dx", formulas.input_gradient(x64, f64, g64, stride, padding), xt.grad)


def batch_norms():
    # Adder outputs are large and negative: the second case has their size.
    for name, (shape, centre, spread) in {"norm_small": ((4, 5, 6, 6), 0.3, 1.0), "norm_adder": ((3, 7, 5, 4), -300.0, 12.0),
                                          "norm_flat": ((6, 10, 1, 1), -60.0, 4.0)}.items():
        c = shape[1]
        x = (centre + spread * random.standard_normal(shape)).astype(np.float32)
        gamma, beta = ((base + 0.3 * random.standard_normal(c)).astype(np.float32) for base in (1, 0))
        mean, variance = (centre + random.standard_normal(c)).astype(np.float32), (spread**2 * random.uniform(0.5, 2, c)).astype(np.float32)
        g = random.standard_normal(shape).astype(np.float32)
        tensors.update({f"{name}.x": x, f"{name}.gamma": gamma, f"{name}.beta": beta, f"{name}.g": g,
                        f"{name}.running_mean": mean, f"{name}.running_var": variance})
        x64, gamma64, beta64, g64, mean64, variance64 = (v.astype(np.float64) for v in (x, gamma, beta, g, mean, variance))
        y, batch_mean, batch_variance = formulas.batch_norm(x64, gamma64, beta64)
        dx, dgamma, dbeta = formulas.batch_norm_backward(x64, gamma64, g64)
        count = x.size / c
        unbiased = batch_variance * count / (count - 1)

        xt, gt, bt = (torch.from_numpy(v).requires_grad_() for v in (x, gamma, beta))
        mt, vt = torch.from_numpy(mean.copy()), torch.from_numpy(variance.copy())
        evaluated = F.batch_norm(xt, mt, vt, gt, bt, training=False, eps=1e-5)
        yt = F.batch_norm(xt, mt, vt, gt, bt, training=True, momentum=0.1, eps=1e-5)
        yt.backward(torch.from_numpy(g))
        evaluated64 = gamma64[:, None, None] * (x64 - mean64[:, None, None]) / np.sqrt(variance64 + 1e-5)[:, None, None] + beta64[:, None, None]
        expect(name, "evaluated", evaluated64, evaluated)
        expect(name, "y", y, yt)
        expect(name, "dx", dx, xt.grad)
        expect(name, "dgamma", dgamma, gt.grad)
        expect(name, "dbeta", dbeta, bt.grad)
        expect(name, "mean", batch_mean, xt.mean((0, 2, 3)))
        expect(name, "variance", unbiased, xt.var((0, 2, 3), unbiased=True))
        expect(name, "running_mean_after", 0.9 * mean64 + 0.1 * batch_mean, mt)
        expect(name, "running_var_after", 0.9 * variance64 + 0.1 * unbiased, vt)


def pools():
    for name, (shape, kernel, stride, padding) in {"pool_2": ((2, 3, 6, 6), 2, 2, 0), "pool_3": ((2, 5, 9, 7), 3, 2, 1)}.items():
        # Eighths, cut at zero: windows of equal values and windows of zeros occur.
        x = (np.round(np.maximum(random.standard_normal(shape), 0) * 8) / 8).astype(np.float32)
        height, width = ((size + 2 * padding - kernel) // stride + 1 for size in shape[2:])
        g = random.standard_normal((*shape[:2], height, width)).astype(np.float32)
        y, dx = formulas.max_pool(x.astype(np.float64), g.astype(np.float64), kernel, stride, padding)
        xt = torch.from_numpy(x).requires_grad_()
        yt = F.max_pool2d(xt, kernel, stride, padding)
        yt.backward(torch.from_numpy(g))
        tensors.update({f"{name}.x": x, f"{name}.g": g, f"{name}.geometry": np.array([*shape, kernel, stride, padding], np.int64)})
        expect(name, "y", y, yt)
        expect(name, "dx", dx, xt.grad)

    x, g = random.standard_normal((3, 8, 7, 7)).astype(np.float32), random.standard_normal((3, 8)).astype(np.float32)
    xt = torch.from_numpy(x).requires_grad_()
    yt = xt.mean((2, 3))
    yt.backward(torch.from_numpy(g))
    tensors.update({"average.x": x, "average.g": g})
    expect("average", "y", x.astype(np.float64).mean((2, 3)), yt)
    expect("average", "dx", np.broadcast_to(g.astype(np.float64)[:, :, None, None] / 49, x.shape), xt.grad)

    x, g = random.standard_normal((2, 3, 4, 4)).astype(np.float32), random.standard_normal((2, 3, 4, 4)).astype(np.float32)
    x[0, 0, 0] = [0.0, -0.0, 1e-38, -1e-38]
    xt = torch.from_numpy(x).requires_grad_()
    yt = F.relu(xt)
    yt.backward(torch.from_numpy(g))
    tensors.update({"relu.x": x, "relu.g": g})
    expect("relu", "y", np.maximum(x, 0), yt)
    expect("relu", "dx", np.where(x > 0, g, 0), xt.grad)


def losses():
    for name, spread in {"loss_small": 1.0, "loss_large": 40.0}.items():
        logits, labels = (spread * random.standard_normal((16, 10))).astype(np.float32), random.integers(0, 10, 16)
        loss, gradient = formulas.cross_entropy(logits.astype(np.float64), labels)
        lt = torch.from_numpy(logits).requires_grad_()
        value = F.cross_entropy(lt, torch.from_numpy(labels))
        value.backward()
        tensors.update({f"{name}.logits": logits, f"{name}.labels": labels.astype(np.int64)})
        expect(name, "loss", [loss], value.reshape(1))
        expect(name, "dlogits", gradient, lt.grad)


if __name__ == "__main__":
    convolutions()
    batch_norms()
    pools()
    losses()
    safetensors_file.write(os.path.join(HERE, "layers.safetensors"), tensors)
    worst = max((value[0], name) for name, value in tensors.items() if name.endswith(".torch"))
    print(f"{len(tensors)} tensors, float32 PyTorch at most {worst[0]:.2e} from the oracle ({worst[1]})")
