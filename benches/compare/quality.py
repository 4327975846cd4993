"""How good samples are: the Fréchet distance of a classifier's features from those of test images."""

import json

import numpy
import torch
from flow import read_tensors, with_parameters
from networks import Classifier

BLOCKS = 8
TOGETHER = 256


class Judge:
    """A classifier that `segre evaluate --classifier FILE` has trained, and the test images."""

    def __init__(self, path, test):
        tensors, text = read_tensors(path)
        card = json.loads(text["segre"].split(" ", 1)[1])
        self.categories = card["categories"]
        self.network = with_parameters(Classifier(card["image"], self.categories, len(card["classes"])), tensors)
        self.test = self.features(test)

    def features(self, images):
        found = []
        for own in numpy.array_split(images, -(-len(images) // TOGETHER)):
            corners = torch.nn.functional.one_hot(torch.from_numpy(own), self.categories).movedim(-1, 1).float()
            with torch.inference_mode():
                found.append(self.network(corners)[0])
        return torch.cat(found).double().numpy()

    def judge(self, images):
        """The distance and its standard error, by the jackknife over blocks of images."""
        features = self.features(images)
        distance = frechet_distance(features, self.test)
        blocks = numpy.array_split(numpy.arange(len(features)), BLOCKS)
        left = [frechet_distance(numpy.delete(features, block, 0), self.test) for block in blocks]
        return distance, float(numpy.sqrt((BLOCKS - 1) * numpy.var(left)))

    def perfect(self, count):
        """What a perfect model gets with as many images: test images against the other test images."""
        mixed = numpy.random.default_rng(0).permutation(len(self.test))
        parts = [mixed[start : start + count] for start in range(0, len(mixed) - count, count)]
        distances = [frechet_distance(self.test[own], numpy.delete(self.test, own, 0)) for own in parts]
        return float(numpy.mean(distances)), float(numpy.std(distances))


def frechet_distance(first, second):
    """`|m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½)` of vectors (Dowson & Landau 1982), as in `segre evaluate`."""
    means = first.mean(0) - second.mean(0)
    one, two = numpy.cov(first.T), numpy.cov(second.T)
    values, vectors = numpy.linalg.eigh(one)
    root = vectors * numpy.sqrt(values.clip(0)) @ vectors.T
    cross = numpy.sqrt(numpy.linalg.eigvalsh(root @ two @ root).clip(0)).sum()
    return float(means @ means + numpy.trace(one) + numpy.trace(two) - 2 * cross)
