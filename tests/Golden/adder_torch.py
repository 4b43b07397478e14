"""AdderNets in PyTorch, any dtype: the paper's formulas as autograd functions, the released code's models, one training step.

Names and shapes are those of the released code's state dicts. Batch norm, pooling, loss and SGD are PyTorch's own.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F


class AdderConvolution(torch.autograd.Function):
    """Eq. 2 forward, eq. 5 (or 4) for the filters, eq. 6-7 for the input."""

    @staticmethod
    def forward(ctx, x, f, stride, padding, sign):
        ctx.save_for_backward(x, f)
        ctx.geometry = stride, padding, sign
        columns = F.unfold(x, f.shape[2:], padding=padding, stride=stride)
        flat = f.reshape(f.shape[0], -1, 1)
        y = torch.stack([-(columns - one).abs().sum(1) for one in flat], 1)
        height = (x.shape[2] + 2 * padding - f.shape[2]) // stride + 1
        return y.reshape(x.shape[0], f.shape[0], height, -1)

    @staticmethod
    def backward(ctx, g):
        x, f = ctx.saved_tensors
        stride, padding, sign = ctx.geometry
        columns = F.unfold(x, f.shape[2:], padding=padding, stride=stride)
        flat = f.reshape(f.shape[0], -1, 1)
        g = g.reshape(g.shape[0], g.shape[1], -1)
        filters = torch.empty(flat.shape[:2], dtype=f.dtype)
        inputs = torch.zeros_like(columns)
        for t, one in enumerate(flat):
            difference = columns - one
            weight = g[:, t:t + 1, :]
            filters[t] = ((difference.sign() if sign else difference) * weight).sum((0, 2))
            inputs -= difference.clamp_(-1, 1).mul_(weight)
        dx = F.fold(inputs, x.shape[2:], f.shape[2:], padding=padding, stride=stride)
        return dx, filters.reshape(f.shape), None, None, None


class Model:
    """A network as its forward pass over named tensors; running the pass once without values collects the shapes."""

    def __init__(self, name, method="adder", classes=10, sign=False):
        self.name, self.method, self.classes, self.sign = name, method, classes, sign
        self.watch = None

    def layer(self, x, name, shape, stride=1, padding=0):
        """A layer of the chosen method."""
        if self.method == "conv":
            return self.convolution(x, name, shape, stride, padding)
        f = self.parameter(name + ".adder", shape)
        if len(shape) == 2:
            f = f[:, :, None, None]
        return AdderConvolution.apply(x, f, stride, padding, self.sign)

    def convolution(self, x, name, shape, stride=1, padding=0, bias=False):
        f = self.parameter(name + ".weight", shape)
        if len(shape) == 2:
            f = f[:, :, None, None]
        return F.conv2d(x, f, self.parameter(name + ".bias", shape[:1]) if bias else None, stride, padding)

    def norm(self, x, name):
        c = x.shape[1:2]
        gamma, beta = self.parameter(name + ".weight", c), self.parameter(name + ".bias", c)
        mean, variance = self.statistic(name + ".running_mean", c, 0), self.statistic(name + ".running_var", c, 1)
        y = F.batch_norm(x, mean, variance, gamma, beta, training=True, momentum=0.1, eps=1e-5)
        if self.watch is not None:
            self.watch(name, y)
        return y

    def parameter(self, name, shape):
        if self.parameters is None:
            self.shapes[name] = tuple(shape)
            return torch.ones(shape)
        return self.parameters[name]

    def statistic(self, name, shape, value):
        if self.parameters is None or name not in self.statistics:
            self.statistics[name] = torch.full(tuple(shape), float(value), dtype=torch.get_default_dtype())
        return self.statistics[name]

    def measure(self, image_shape):
        """{parameter name: shape} in model order."""
        self.parameters, self.statistics, self.shapes = None, {}, {}
        with torch.no_grad():
            self.forward(torch.zeros(2, *image_shape))
        self.statistics = {name: torch.full_like(value, name.endswith("running_var")) for name, value in self.statistics.items()}
        return self.shapes

    def forward(self, x):
        if self.name == "lenet5":
            return self.lenet5(x)
        depths = {"resnet20": [3, 3, 3], "resnet32": [5, 5, 5], "resnet18": [2, 2, 2, 2], "resnet50": [3, 4, 6, 3]}
        return self.resnet(x, depths[self.name])

    def lenet5(self, x):
        x = F.relu(self.norm(self.layer(x, "conv1", (6, 1, 5, 5), padding=2), "bn1"))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.norm(self.layer(x, "conv2", (16, 6, 5, 5)), "bn2"))
        x = F.max_pool2d(x, 2).reshape(x.shape[0], -1, 1, 1)
        x = F.relu(self.norm(self.layer(x, "fc1", (120, 400)), "bn3"))
        x = F.relu(self.norm(self.layer(x, "fc2", (84, 120)), "bn4"))
        return self.norm(self.layer(x, "fc3", (self.classes, 84)), "bn5").flatten(1)

    def resnet(self, x, depths):
        imagenet, bottleneck = len(depths) == 4, self.name == "resnet50"
        planes = 64 if imagenet else 16
        kernel, stride, padding = (7, 2, 3) if imagenet else (3, 1, 1)
        x = self.convolution(x, "conv1", (planes, 3, kernel, kernel), stride, padding)
        x = F.relu(self.norm(x, "bn1"))
        if imagenet:
            x = F.max_pool2d(x, 3, 2, 1)
        for stage, depth in enumerate(depths):
            for block in range(depth):
                step = 2 if stage > 0 and block == 0 else 1
                make = self.bottleneck if bottleneck else self.basic
                x = make(x, f"layer{stage + 1}.{block}", planes * 2**stage, step)
        x = x.mean((2, 3), keepdim=True)
        x = self.convolution(x, "fc", (self.classes, x.shape[1], 1, 1), bias=imagenet)
        return self.norm(x, "bn2").flatten(1)

    def basic(self, x, name, planes, stride):
        y = self.layer(x, name + ".conv1", (planes, x.shape[1], 3, 3), stride, 1)
        y = F.relu(self.norm(y, name + ".bn1"))
        y = self.norm(self.layer(y, name + ".conv2", (planes, planes, 3, 3), 1, 1), name + ".bn2")
        return F.relu(y + self.shortcut(x, name, planes, stride))

    def bottleneck(self, x, name, planes, stride):
        y = F.relu(self.norm(self.layer(x, name + ".conv1", (planes, x.shape[1], 1, 1)), name + ".bn1"))
        y = F.relu(self.norm(self.layer(y, name + ".conv2", (planes, planes, 3, 3), stride, 1), name + ".bn2"))
        y = self.norm(self.layer(y, name + ".conv3", (4 * planes, planes, 1, 1)), name + ".bn3")
        return F.relu(y + self.shortcut(x, name, 4 * planes, stride))

    def shortcut(self, x, name, planes, stride):
        if stride == 1 and x.shape[1] == planes:
            return x
        y = self.layer(x, name + ".downsample.0", (planes, x.shape[1], 1, 1), stride)
        return self.norm(y, name + ".downsample.1")


def adaptive(gradient, eta):
    """Eq. 12-13: alpha * g with alpha = eta * sqrt(k) / |g|."""
    norm = float(gradient.double().norm())
    return gradient * float(np.float32(eta * math.sqrt(gradient.numel()) / max(norm, 1e-12)))


def replay(model, case, optimizer, dtype, report=lambda text: None):
    """Runs the steps of a case ({images, labels, model.*} in NumPy) and returns replay's output, with grad.* and
    state.<step>.<name> (parameters and running statistics after the step) of every step, in NumPy of the dtype.

    optimizer: learning_rate, momentum, nesterov, weight_decay, eta, scaling (adaptive, increased, none).
    """
    torch.set_default_dtype(dtype)
    images, labels = torch.from_numpy(case["images"]).to(dtype), torch.from_numpy(case["labels"])
    shapes = model.measure(images.shape[2:])
    model.parameters = {name: torch.from_numpy(case["model." + name]).to(dtype).clone().requires_grad_() for name in shapes}
    for name in model.statistics:
        if "model." + name in case:
            model.statistics[name] = torch.from_numpy(case["model." + name]).to(dtype).clone()
    sgd = torch.optim.SGD(model.parameters.values(), lr=optimizer["learning_rate"], momentum=optimizer["momentum"],
                          nesterov=optimizer["nesterov"], weight_decay=optimizer["weight_decay"])
    result = {"loss": np.zeros(len(images))}
    for step in range(len(images)):
        sgd.zero_grad()
        loss = F.cross_entropy(model.forward(images[step]), labels[step])
        loss.backward()
        for name, parameter in model.parameters.items():
            if name.endswith(".adder"):
                if optimizer["scaling"] == "adaptive":
                    parameter.grad = adaptive(parameter.grad, optimizer["eta"])
                elif optimizer["scaling"] == "increased":
                    parameter.grad = parameter.grad * 100
            result[f"grad.{step}.{name}"] = parameter.grad.numpy().copy()
        sgd.step()
        result["loss"][step] = loss.item()
        for name, value in {**model.parameters, **model.statistics}.items():
            result[f"state.{step}.{name}"] = value.detach().numpy().copy()
        report(f"{model.name} {dtype} step {step}: loss {loss.item():.7f}")
    return result


def distance(a, b):
    """Relative L2 distance of a from b."""
    a, b = np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel()
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300))
