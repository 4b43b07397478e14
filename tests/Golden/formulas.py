"""The paper's layers in NumPy float64, written from the formulas, layout [N, C, H, W], filters [T, C, kh, kw].

Everything here is an oracle: plain, slow, and never derived from the C# code.
"""
import numpy as np


def patches(x, kh, kw, stride, padding):
    """X[n, ho, wo, c, i, j] with zero padding."""
    n, c, h, w = x.shape
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    padded[:, :, padding:padding + h, padding:padding + w] = x
    ho, wo = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    out = np.zeros((n, ho, wo, c, kh, kw))
    for i in range(kh):
        for j in range(kw):
            cut = padded[:, :, i:i + stride * ho:stride, j:j + stride * wo:stride]
            out[:, :, :, :, i, j] = cut[:, :, :ho, :wo].transpose(0, 2, 3, 1)
    return out


def gather(columns, shape, stride, padding):
    """The adjoint of patches: adds each column element to the input element that it was read from."""
    n, c, h, w = shape
    _, ho, wo, _, kh, kw = columns.shape
    padded = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    for i in range(kh):
        for j in range(kw):
            for p in range(ho):
                for q in range(wo):
                    padded[:, :, p * stride + i, q * stride + j] += columns[:, p, q, :, i, j]
    return padded[:, :, padding:padding + h, padding:padding + w]


def adder_forward(x, f, stride, padding):
    """Eq. 2: Y[p,t] = -sum_k |X[p,k] - F[t,k]|; padding takes part."""
    columns = patches(x, f.shape[2], f.shape[3], stride, padding)
    y = [-np.abs(columns - filter).sum(axis=(3, 4, 5)) for filter in f]
    return np.stack(y, axis=1)


def adder_filter_gradient(x, f, g, stride, padding, sign=False):
    """Eq. 5: dF[t,k] = sum_p (X[p,k] - F[t,k]) G[p,t]; eq. 4 takes the sign of the difference."""
    columns = patches(x, f.shape[2], f.shape[3], stride, padding)
    gradient = np.zeros_like(f)
    for t in range(f.shape[0]):
        difference = columns - f[t]
        if sign:
            difference = np.sign(difference)
        gradient[t] = (difference * g[:, t, :, :, None, None, None]).sum(axis=(0, 1, 2))
    return gradient


def adder_input_gradient(x, f, g, stride, padding):
    """Eq. 6-7: dX[p,k] = sum_t HT(F[t,k] - X[p,k]) G[p,t], HT clamps to [-1, 1]."""
    columns = patches(x, f.shape[2], f.shape[3], stride, padding)
    total = np.zeros_like(columns)
    for t in range(f.shape[0]):
        total += np.clip(f[t] - columns, -1, 1) * g[:, t, :, :, None, None, None]
    return gather(total, x.shape, stride, padding)


def forward(x, f, bias, stride, padding):
    """Y[p,t] = sum_k X[p,k] F[t,k] + bias[t]."""
    columns = patches(x, f.shape[2], f.shape[3], stride, padding)
    return np.einsum("nhwcij,tcij->nthw", columns, f) + (0 if bias is None else bias[:, None, None])


def filter_gradient(x, f, g, stride, padding):
    columns = patches(x, f.shape[2], f.shape[3], stride, padding)
    return np.einsum("nhwcij,nthw->tcij", columns, g)


def input_gradient(x, f, g, stride, padding):
    return gather(np.einsum("tcij,nthw->nhwcij", f, g), x.shape, stride, padding)


def batch_norm(x, gamma, beta, eps=1e-5):
    """Returns y, mean, biased variance, over N, H, W."""
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    normal = (x - mean[:, None, None]) / np.sqrt(variance + eps)[:, None, None]
    return gamma[:, None, None] * normal + beta[:, None, None], mean, variance


def batch_norm_backward(x, gamma, g, eps=1e-5):
    """dx, dgamma, dbeta of the training-mode batch norm."""
    m = x.size / x.shape[1]
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    inverse = 1 / np.sqrt(variance + eps)[:, None, None]
    normal = (x - mean[:, None, None]) * inverse
    shift, scale = g.sum(axis=(0, 2, 3)), (g * normal).sum(axis=(0, 2, 3))
    dx = gamma[:, None, None] * inverse * (g - shift[:, None, None] / m - normal * scale[:, None, None] / m)
    return dx, scale, shift


def max_pool(x, g, kernel, stride, padding):
    """y and dx; padding never wins; of equal values the first in row-major order receives the gradient."""
    n, c, h, w = x.shape
    ho, wo = (h + 2 * padding - kernel) // stride + 1, (w + 2 * padding - kernel) // stride + 1
    y, dx = np.zeros((n, c, ho, wo)), np.zeros_like(x)
    for b in range(n):
        for d in range(c):
            for p in range(ho):
                for q in range(wo):
                    cells = [(r, s) for r in range(p * stride - padding, p * stride - padding + kernel)
                             for s in range(q * stride - padding, q * stride - padding + kernel)
                             if 0 <= r < h and 0 <= s < w]
                    best = max(cells, key=lambda cell: x[b, d, cell[0], cell[1]])
                    y[b, d, p, q] = x[b, d, best[0], best[1]]
                    dx[b, d, best[0], best[1]] += g[b, d, p, q]
    return y, dx


def cross_entropy(logits, labels):
    """Mean over the batch of -log softmax(logits)[label], and its gradient."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logarithm = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    gradient = np.exp(logarithm)
    gradient[rows, labels] -= 1
    return -logarithm[rows, labels].mean(), gradient / len(labels)
