"""Writes the pictures of the start-up probe, and pictures.safetensors: encoded pictures of every kind that ImageNet has, and
what Pillow and torchvision make of them.

<name>.file U8 [bytes]; <name>.size I64 [2], width and height; <name>.sha256 U8 [32], of the bytes of Pillow's convert('RGB');
<name>.evaluation U8 [24, 24, 3], torchvision's Resize and CenterCrop in proportion 256/224; <name>.crops I64 [n, 4], left, top,
width, height; <name>.crop.<i> U8 [24, 24, 3], torchvision's resized_crop. Needs python3-pil, python3-torchvision and libjpeg-turbo-progs.
"""
import ctypes
import hashlib
import io
import os
import subprocess
import tempfile

import numpy as np
import torchvision.transforms.functional as F
from PIL import Image

import safetensors_file

HERE = os.path.dirname(os.path.abspath(__file__))
SIZE = 24
SHORTER = 27
YCCK_FORMAT = 11
CHROMA_440, CHROMA_411 = 4, 5
random = np.random.default_rng(6)


def scene(width, height):
    """Edges, gradients and noise."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(3):
        smooth = 127 + 90 * np.sin(x / (9 + 4 * c) + y / 23) * np.cos(y / (14 - 3 * c))
        disc = 60 * (((x - width * (0.3 + 0.2 * c)) ** 2 + (y - height * 0.5) ** 2) < (height * 0.3) ** 2)
        planes.append(smooth + disc + random.normal(0, 6, (height, width)))
    return Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8))


def saved(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def by_turbojpeg(pixels, pixel_format, chroma):
    """Compresses what Pillow cannot: YCCK and rare samplings."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    code = library.tjCompress2(handle, pixels.ctypes.data_as(ctypes.c_void_p), width, 0, height, pixel_format,
                               ctypes.byref(out), ctypes.byref(size), chroma, 85, 0)
    assert code == 0
    return ctypes.string_at(out, size.value)


def by_jpegtran(data, *options):
    return subprocess.run(["jpegtran", "-copy", "all", *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def in_separate_scans(data):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as script:
        script.write("0;\n1;\n2;\n")
        script.flush()
        return by_jpegtran(data, "-scans", script.name)


def as_stored_rgb(data):
    """The same samples, declared to be red, green and blue (Adobe's transform 0) instead of JFIF's YCbCr."""
    assert data[2:4] == b"\xff\xe0"
    length = int.from_bytes(data[4:6], "big")
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    return data[:2] + adobe + data[4 + length:]


def pictures():
    wide, tall = scene(150, 112), scene(90, 170)
    exif = Image.Exif()
    exif[0x0112] = 6
    alpha = wide.convert("RGBA")
    alpha.putalpha(tall.convert("L").resize(wide.size))
    inverted = 255 - np.asarray(wide.convert("CMYK"))
    yield "420", saved(wide, quality=90)
    yield "422", saved(wide, quality=85, subsampling=1)
    yield "444", saved(tall, quality=95, subsampling=0)
    yield "440", by_turbojpeg(np.asarray(tall), 0, CHROMA_440)
    yield "411", by_turbojpeg(np.asarray(wide), 0, CHROMA_411)
    yield "grey", saved(wide.convert("L"), quality=80)
    yield "progressive", saved(wide, quality=88, progressive=True)
    yield "separate_scans", in_separate_scans(saved(wide, quality=88))
    yield "restarts", by_jpegtran(saved(tall, quality=88), "-restart", "3")
    yield "arithmetic", by_jpegtran(saved(wide, quality=88), "-arithmetic")
    yield "oriented", saved(tall, quality=90, exif=exif)
    yield "stored_rgb", as_stored_rgb(saved(wide, quality=90, subsampling=0))
    yield "cmyk", saved(wide.convert("CMYK"), quality=90)
    yield "ycck", by_turbojpeg(inverted, YCCK_FORMAT, 2)
    yield "extraneous", saved(wide, quality=70)[:-2] + b"\x00\x01\x02\xff\xd9"
    yield "small", saved(wide.resize((21, 13)), quality=90)
    yield "one_pixel", saved(wide.resize((1, 1)), quality=90)
    yield "thin", saved(wide.resize((3, 140)), quality=90)
    yield "png", saved(wide, "PNG")
    yield "png_alpha", saved(alpha, "PNG")
    yield "png_palette", saved(wide.convert("P", palette=Image.ADAPTIVE, colors=200), "PNG", transparency=3)
    yield "png_grey", saved(tall.convert("L"), "PNG")
    yield "png_bits", saved(tall.convert("1"), "PNG")
    yield "png_gamma", with_gamma(saved(wide, "PNG"))


def with_gamma(png):
    """A PNG that claims to be linear, which Pillow does not heed."""
    import zlib
    chunk = b"gAMA" + (100000).to_bytes(4, "big")
    return png[:33] + (4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + png[33:]


def crops(width, height):
    yield 0, 0, width, height
    yield 0, 0, max(1, width // 2), max(1, height // 3)
    for _ in range(4):
        w, h = int(random.integers(1, width + 1)), int(random.integers(1, height + 1))
        yield int(random.integers(0, width - w + 1)), int(random.integers(0, height - h + 1)), w, h


def main():
    tensors = {}
    for name, data in pictures():
        rgb = Image.open(io.BytesIO(data)).convert("RGB")
        boxes = list(crops(*rgb.size))
        tensors[f"{name}.file"] = np.frombuffer(data, np.uint8)
        tensors[f"{name}.size"] = np.array(rgb.size, np.int64)
        tensors[f"{name}.sha256"] = np.frombuffer(hashlib.sha256(rgb.tobytes()).digest(), np.uint8)
        tensors[f"{name}.evaluation"] = np.asarray(F.center_crop(F.resize(rgb, SHORTER), SIZE))
        tensors[f"{name}.crops"] = np.array(boxes, np.int64)
        for i, (left, top, wide, high) in enumerate(boxes):
            tensors[f"{name}.crop.{i}"] = np.asarray(F.resized_crop(rgb, top, left, high, wide, (SIZE, SIZE)))
    safetensors_file.write(os.path.join(HERE, "pictures.safetensors"), tensors)


def write_probe():
    """The pictures of the start-up probe: src/AdderNet.Core/Data/Images/Probe."""
    folder = os.path.join(HERE, "../../src/AdderNet.Core/Data/Images/Probe")
    image = scene(72, 56)
    for name, data in {
        "chroma420.jpg": saved(image, quality=90),
        "chroma422.jpg": saved(image, quality=90, subsampling=1),
        "chroma440.jpg": by_turbojpeg(np.asarray(image), 0, CHROMA_440),
        "cmyk.jpg": saved(image.convert("CMYK"), quality=75),
        "progressive.jpg": saved(image, quality=90, progressive=True),
        "palette.png": saved(image.convert("P", palette=Image.ADAPTIVE, colors=64), "PNG", optimize=True),
    }.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
    write_probe()
