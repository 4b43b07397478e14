"""Writes math.safetensors: arguments of exp, log and cos with values from mpmath at 120 digits.

<f>.x F64; <f>.value F64, correctly rounded; <f>.rest F32, exact value minus <f>.value in units of its last place.
"""
import math
import os

import mpmath
import numpy as np

import safetensors_file

HERE = os.path.dirname(os.path.abspath(__file__))
mpmath.mp.dps = 120
random = np.random.default_rng(99)


def arguments():
    near = np.concatenate([s * 10.0 ** -random.uniform(1, 15, 150) for s in (1, -1)])
    half_turns = np.concatenate([np.arange(1, 200), random.integers(1, 2**19, 201)]) * (math.pi / 2)
    return {
        "exp": np.concatenate([random.uniform(-708, 709.78, 800), random.uniform(-1, 1, 500), near,
                               random.uniform(-745.1, -708, 150), random.uniform(-60, 0, 240),
                               (random.integers(-1000, 1000, 100) + 0.5) * math.log(2) * 0.999999,
                               [0.0, -0.0, 1.0, -1.0, 709.782712893384, -745.1332191019411]]),
        "log": np.concatenate([2.0 ** random.uniform(-1022, 1023.9, 700), random.uniform(0, 1, 700), 1 + near,
                               random.uniform(0.5, 2, 300), 2.0 ** random.uniform(-1074, -1022, 50),
                               [1.0, 2.0, 0.5, 5e-324, 1.7976931348623157e308, 1 + 2**-52, 1 - 2**-53, math.sqrt(2), math.sqrt(0.5)]]),
        "cos": np.concatenate([random.uniform(0, 2 * math.pi, 900), random.uniform(-1048576, 1048576, 400), half_turns,
                               half_turns[:100] * (1 + 1e-12), near[:100], random.uniform(-math.pi / 4, math.pi / 4, 100),
                               [0.0, -0.0, math.pi, 1048576.0]]),
    }


if __name__ == "__main__":
    tensors = {}
    for name, x in arguments().items():
        exact = [getattr(mpmath, name)(mpmath.mpf(float(v))) for v in x]
        value = [float(v) for v in exact]
        tensors[name + ".x"] = x
        tensors[name + ".value"] = np.array(value)
        tensors[name + ".rest"] = np.array([float((e - mpmath.mpf(v)) / mpmath.mpf(math.ulp(v))) for e, v in zip(exact, value)], np.float32)
        print(name, len(x), "points, largest rest", np.abs(tensors[name + ".rest"]).max())
    safetensors_file.write(os.path.join(HERE, "math.safetensors"), tensors)
