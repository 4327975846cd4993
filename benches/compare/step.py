"""Time of a training step of the class-scaling CNN, Segre beside PyTorch (2.15, CPU), in interleaved runs.

    python benches/compare/step.py target/release/segre [--categories 160] [--batch 128] [--rounds 5] [--threads 2]

The network is SPEC's one-dimensional CNN (width 128, kernel 9, five residual convolutions with dilations 1, 1, 4, 16, 64),
the loss is the replicator-weighted field matching of EG (23) on the infinite-time path with Gamma(1, 0.25) times, the
optimiser Adam. Both sides draw noise and times in every step. Printed: medians of the rounds, their range, the ratio.
"""

import argparse
import json
import math
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

WIDTH, KERNEL, DILATIONS, SITES, RATE = 128, 9, (1, 1, 4, 16, 64), 4, 0.5


class Cnn(nn.Module):
    def __init__(self, categories):
        super().__init__()
        self.register_buffer("frequencies", 30.0 * torch.randn(WIDTH // 2))
        self.time = nn.Linear(WIDTH, WIDTH)
        self.input = nn.Conv1d(categories, WIDTH, KERNEL, padding=KERNEL // 2)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, KERNEL, dilation=d, padding=d * (KERNEL // 2)) for d in DILATIONS
        )
        self.projections = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in DILATIONS)
        self.hidden, self.output = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, categories)

    def forward(self, points, times):
        angle = 2 * math.pi * times[:, None] * self.frequencies
        time_code = torch.relu(self.time(torch.cat([angle.sin(), angle.cos()], 1)))
        hidden = torch.relu(self.input(points.transpose(1, 2)))
        for convolution, projection, norm in zip(self.convolutions, self.projections, self.norms):
            code = norm(hidden.transpose(1, 2)) + projection(time_code)[:, None]
            hidden = hidden + torch.relu(convolution(code.transpose(1, 2)))
        return self.output(torch.relu(self.hidden(hidden.transpose(1, 2))))


def torch_step(network, optimizer, labels, categories):
    corners = nn.functional.one_hot(labels, categories).float()
    direction = (corners - 1 / categories) * math.sqrt(categories / (categories - 1))
    times = torch.distributions.Gamma(1.0, 0.25).sample((len(labels),))
    noise = torch.randn_like(corners)
    state = noise - noise.mean(-1, keepdim=True) + RATE * times[:, None, None] * direction
    points = torch.softmax(state, -1)
    velocity = network(points, times)
    difference = velocity - velocity.mean(-1, keepdim=True) - RATE * direction
    weighted = (points * difference * difference).sum(-1) - (points * difference).sum(-1) ** 2
    optimizer.zero_grad()
    weighted.mean().backward()
    optimizer.step()


def torch_seconds(categories, batch, steps):
    network = Cnn(categories)
    optimizer = torch.optim.Adam(network.parameters(), 5e-4)
    labels = torch.randint(categories, (batch, SITES))
    times = []
    for _ in range(steps + 3):
        start = time.perf_counter()
        torch_step(network, optimizer, labels, categories)
        times.append(time.perf_counter() - start)
    return statistics.median(times[3:])


def segre_seconds(segre, categories, batch, steps, threads):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        words = f"fit product:c={categories},n={SITES},rows=1500 --network cnn --head field --path infinite"
        words += f" --batch-size {batch} --steps {steps} --threads {threads} --quiet --out {out}"
        subprocess.run([segre, *words.split()], check=True, capture_output=True)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    # Every line has the seconds when it was written, so a step that follows a validation is timed without it.
    marks = [(line["step"], line["seconds"], "loss" in line) for line in lines]
    pairs = zip(marks, marks[1:])
    return statistics.median((t1 - t0) / (s1 - s0) for (s0, t0, _), (s1, t1, step) in pairs if step and s1 > s0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segre")
    parser.add_argument("--categories", type=int, default=160)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sizes = arguments.categories, arguments.batch, arguments.steps
    found = {"PyTorch " + torch.__version__: [], "Segre": []}
    theirs, ours = found
    for _ in range(arguments.rounds):
        found[theirs].append(torch_seconds(*sizes))
        found[ours].append(segre_seconds(arguments.segre, *sizes, arguments.threads))
    for name, seconds in found.items():
        low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
        print(f"{name}: {1e3 * middle:.1f} ms a step ({1e3 * low:.1f} to {1e3 * high:.1f})")
    ratio = statistics.median(ours / theirs for ours, theirs in zip(found[ours], found[theirs]))
    print(f"Segre / PyTorch: {ratio:.2f} (median of {arguments.rounds} interleaved rounds)")


main()
