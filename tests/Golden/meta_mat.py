#!/usr/bin/env python3
"""Writes ilsvrc2012_meta.mat: a class list in the form of the ILSVRC2012 development kit's meta.mat, by scipy (Debian's python3-scipy).

Three classes with pictures and one inner node of the hierarchy without, in an order of numbers that is not the order of names.
"""
import pathlib

import numpy
import scipy.io

CLASSES = [
    (1, "n02119789", "kit fox, Vulpes macrotis", 0, []),
    (2, "n01440764", "tench, Tinca tinca", 0, []),
    (300, "n01443537", "goldfish, Carassius auratus", 0, []),
    (1001, "n00001740", "entity", 2, [1, 2]),
]

fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]
synsets = numpy.zeros((len(CLASSES), 1), dtype=[(field, object) for field in fields])
for i, (number, wnid, words, children, kids) in enumerate(CLASSES):
    synsets[i, 0] = (float(number), wnid, words, "gloss of " + words, float(children), numpy.array(kids, dtype=float), 0.0, 1300.0 if number <= 1000 else 0.0)
folder = pathlib.Path(__file__).parent
scipy.io.savemat(folder / "ilsvrc2012_meta.mat", {"synsets": synsets}, do_compression=True)
