"""A model of images that Segre fitted, in PyTorch: its weights, its posterior, the assignment flow of the papers."""

import csv
import gzip
import io
import json
import math
import os
import struct
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from networks import Unet
from rounds import segre_process

# Rounding of 32 bits through some fifty layers, and of six decimals in what Segre writes.
MOST_DIFFERENCE = 1e-4


def use_threads():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def read_tensors(path):
    """The tensors of a safetensors file by name, and the text beside them."""
    data = Path(path).read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    text = header.pop("__metadata__", {})
    places = {name: (own["shape"], [start + offset for offset in own["data_offsets"]]) for name, own in header.items()}
    values = {name: numpy.frombuffer(data[a:b], "<f4").reshape(shape) for name, (shape, (a, b)) in places.items()}
    return {name: torch.from_numpy(own.copy()) for name, own in values.items()}, text


def with_parameters(module, tensors):
    """Segre keeps channels last, `[kernel, kernel, inputs, outputs]` and `[inputs, outputs]`, and says scale and shift."""
    turned = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    renamed = {
        name.replace(".scale", ".weight").replace(".shift", ".bias"): own.permute(turned[own.dim()]).contiguous()
        for name, own in tensors.items()
    }
    module.load_state_dict(renamed)
    return module.eval().requires_grad_(False)


def read_config(folder):
    return json.loads((Path(folder) / "config.json").read_text())


def read_images(path, folder):
    """Labels of an IDX file of grey values, by the threshold of the model's fit."""
    threshold = read_config(folder)["read_options"]["images"]["levels"]["threshold"]
    data = (gzip.open if str(path).endswith(".gz") else open)(path, "rb").read()
    _, count, height, width = struct.unpack(">IIII", data[:16])
    values = numpy.frombuffer(data[16:], numpy.uint8).reshape(count, height, width)
    return (values / 255 > threshold).astype(numpy.int64)


class Model:
    """Posterior and velocity of a folder with a UNet, posterior head and infinite-time path."""

    def __init__(self, folder):
        config = read_config(folder)
        settings = dict(config["model"]["network"])
        kinds = (settings.pop("kind"), config["model"]["head"], config["model"]["path"]["kind"])
        if kinds != ("unet", "posterior", "infinite-time") or settings.pop("classes", None):
            sys.exit(f"{folder}: the comparison is of a UNet with posterior head, infinite-time path and without classes")
        del settings["dropout"]
        tensors, _ = read_tensors(Path(folder) / "model.safetensors")
        self.rate = config["model"]["path"]["rate"]
        self.gain = tensors.pop("context_gain").item()
        image = config["schema"]["layout"]["image"]
        self.size = image["height"], image["width"]
        prior = tensors.pop("log_marginals")
        self.categories = prior.shape[1]
        self.prior = prior.T.reshape(self.categories, *self.size)
        network = Unet(self.categories, **settings)
        network = with_parameters(network, {name.removeprefix("Unet."): own for name, own in tensors.items()})
        # Faster on the processor than channels first, five times so with gradients of few images.
        self.network = network.to(memory_format=torch.channels_last)
        self.scale = math.sqrt(self.categories / (self.categories - 1))

    def posterior(self, states, level):
        """`p(β_i = · | x)` of states `√γ v̄ + z [batch, categories, height, width]` up to a constant per pixel at the
        levels `√γ [batch, height, width]`."""
        evidence = states * (self.scale * level)[:, None]
        local = evidence + self.prior
        return torch.softmax(local + self.gain * self.network(evidence, torch.softmax(local, 1), level), 1)

    def velocity(self, states, time):
        """`V̇ = λ E[v̄ | V]` in e-coordinates, at one time for all."""
        level = torch.full((len(states), *self.size), self.rate * time)
        return self.rate * self.scale * (self.posterior(states, level) - 1 / self.categories)


def rk4(field, parts, start, end, step):
    """The classical Runge-Kutta method for a list of tensors, in e-coordinates: the geometric method of the papers.
    Returns the parts at the end and the number of evaluations."""
    steps = round(abs(end - start) / step)
    length = (end - start) / steps

    def shifted(slopes, share):
        return [part + share * length * slope for part, slope in zip(parts, slopes)]

    for time in (start + length * k for k in range(steps)):
        first = field(parts, time)
        second = field(shifted(first, 0.5), time + 0.5 * length)
        third = field(shifted(second, 0.5), time + 0.5 * length)
        fourth = field(shifted(third, 1.0), time + length)
        slopes = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(first, second, third, fourth)]
        parts = shifted(slopes, 1.0)
    return parts, 4 * steps


def check_agreement(segre, folder, images):
    """The largest difference of Segre's posterior from PyTorch's, for images with a part of the pixels hidden; ends the
    program if it is more than rounding."""
    model = Model(folder)
    generator = torch.Generator().manual_seed(0)
    labels = torch.from_numpy(images)
    shares = torch.linspace(0.1, 0.9, len(labels))[:, None, None]
    hidden = torch.rand(labels.shape, generator=generator) < shares
    # The level at which Segre shows known labels: less than 1e-5 nats a pixel lie beyond.
    others = model.categories - 1
    decisive = math.sqrt(4 * others / model.categories * math.log(2 * others / 1e-5))
    level = torch.where(hidden, 0.0, decisive)
    corners = torch.nn.functional.one_hot(labels, model.categories).movedim(-1, 1)
    ours = model.posterior(corners * (model.scale * level)[:, None], level)
    with tempfile.TemporaryDirectory() as place:
        given, found = Path(place) / "given.npy", Path(place) / "found.csv"
        numpy.save(given, torch.where(hidden, -1, labels).numpy())
        segre_process(segre, ["impute", folder, given, "--mode", "mean", "--quiet", "--out", found])
        rows = list(csv.DictReader(io.StringIO(found.read_text())))
    theirs = torch.tensor([float(row["probability"]) for row in rows]).reshape(-1, model.categories)
    difference = (ours.movedim(1, -1)[hidden] - theirs).abs().max().item()
    if not difference < MOST_DIFFERENCE:
        sys.exit(f"{folder}: the posteriors of Segre and PyTorch differ by {difference}; is it of the same version?")
    return difference
