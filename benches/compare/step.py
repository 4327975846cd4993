"""Time and memory of a training step, Segre beside PyTorch (written for 2.15, CPU, eager), in interleaved rounds.

    python benches/compare/step.py target/release/segre [--cases dense cnn unet unet-bf16 forward street] [--rounds 5] [--threads 2] [--json]

dense   the toy of EG (91 × 91), hidden layers (256, 256), batch 512, field head, infinite-time path
cnn     class scaling, 4 sites of 160 categories, batch 128, field head, infinite-time path
unet    preset `mnist` on 28 × 28 binary images padded to 32 × 32, batch 64, posterior head
street  preset `cityscapes` on 128 × 256 label maps of 8 classes, batch 4, posterior head (minutes a round, 8 GB)
forward  no training: an evaluation of the `unet` network for 64 images; Segre's by the difference of two long draws

With `-bf16` the products of the UNet's layers are of bfloat16: PyTorch's autocast, Segre's `--precision bf16`. Otherwise
everything has 32 bits.

Both sides draw noise and times in every step, clip the gradient's norm, step Adam and keep a moving average of the
weights. Each side is a process of its own with nothing else to do; the order alternates. Printed: medians of the
rounds, their range, the ratio of the medians, the peak of resident memory.
"""

import argparse
import json
import math
import os
import resource
import statistics
import struct
import tempfile
import time
from pathlib import Path

from rounds import add_arguments, processor, segre_process, spread, step_seconds, take_turns, torch_process

RATE = 0.5
UNETS = {
    "unet": {"channels": 32, "multipliers": (1, 2, 2, 2), "blocks": 2, "attention": (16,), "heads": 4},
    "street": {"channels": 64, "multipliers": (1, 1, 2, 3, 4), "blocks": 3, "attention": (32, 16, 8), "heads": 4},
}
# Sites (or height and width), categories, batch, steps of a round.
CASES = {
    "dense": ((2,), 91, 512, 200),
    "cnn": ((4,), 160, 128, 60),
    "unet": ((28, 28), 2, 64, 12),
    "unet-bf16": ((28, 28), 2, 64, 12),
    "forward": ((28, 28), 2, 64, 12),
    "street": ((128, 256), 8, 4, 3),
    "street-bf16": ((128, 256), 8, 4, 3),
}
WARM_UP = 2
# Levels of the two draws whose difference is the time of evaluations.
FEW, MANY = 4, 20


def unet_of(case):
    """The sizes of the case's UNet, if it has one."""
    return UNETS.get({"forward": "unet"}.get(case, case.removesuffix("-bf16")))


def torch_side(case):
    """Prints the median seconds of a step and the peak memory in bytes; runs in a process of its own."""
    import torch
    from networks import Cnn, Dense, Unet
    from torch.nn import functional

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    sites, categories, batch, steps = CASES[case]
    narrow, unet = case.endswith("-bf16"), unet_of(case)
    if unet:
        network = Unet(categories, **unet)
    else:
        network = Dense(*sites, categories) if case == "dense" else Cnn(categories)
    parameters = list(network.parameters())
    averages = [parameter.detach().clone() for parameter in parameters]
    optimizer = torch.optim.Adam(parameters, 5e-4)
    labels = torch.randint(categories, (batch, *sites))
    scale = math.sqrt(categories / (categories - 1))
    gamma = torch.distributions.Gamma(1.0, 0.25)

    def field_loss(corners, times, states):
        direction = (corners - 1 / categories) * scale
        points = torch.softmax(states - states.mean(-1, keepdim=True), -1)
        velocity = network(points, times)
        difference = velocity - velocity.mean(-1, keepdim=True) - RATE * direction
        return ((points * difference**2).sum(-1) - (points * difference).sum(-1) ** 2).mean()

    def posterior_loss(corners, times, states):
        evidence = states * (RATE * times * scale)[:, None, None, None]
        evidence = evidence.movedim(-1, 1)
        level = (RATE * times)[:, None, None].expand(-1, *sites)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=narrow):
            context = network(evidence, torch.softmax(evidence, 1), level).float()
        return functional.cross_entropy(evidence + context, labels)

    def step():
        corners = functional.one_hot(labels, categories).float()
        times = gamma.sample((batch,))
        signal = (RATE * times).reshape(-1, *[1] * (corners.dim() - 1))
        states = torch.randn_like(corners) + signal * scale * corners
        if case == "forward":
            with torch.no_grad():
                return posterior_loss(corners, times, states)
        optimizer.zero_grad()
        (posterior_loss if unet else field_loss)(corners, times, states).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(averages, parameters, 0.002)
        return None

    seconds = []
    for _ in range(WARM_UP + steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps([statistics.median(seconds[WARM_UP:]), peak, torch.__version__]))


def random_images(path, count, height, width, categories):
    """An IDX file of random labels, as grey values in the middle of as many equal levels."""
    pixels = bytes((label % categories * 256 + 128) // categories for label in os.urandom(count * height * width))
    path.write_bytes(struct.pack(">IIII", 0x803, count, height, width) + pixels)


def segre_side(segre, case, threads):
    """Median seconds of a step by the run's own records, and the peak memory in bytes."""
    sites, categories, batch, steps = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        if unet_of(case):
            source = Path(folder) / "images-idx3-ubyte"
            random_images(source, 4 * batch, *sites, categories)
            test = Path(folder) / "test-images-idx3-ubyte"
            random_images(test, 4, *sites, categories)
            preset = "cityscapes" if case.startswith("street") else "mnist"
            # Few rows to validate and to test, which takes longer than the steps.
            words = f"fit {source} --test-data {test} --levels {categories} --network unet --preset {preset} --dropout 0"
            words += " --precision bf16" if case.endswith("-bf16") else ""
        elif case == "dense":
            words = "fit pinwheel:rows=5000 --network dense --head field"
        else:
            words = f"fit product:c={categories},n={sites[0]},rows=1500 --network cnn --head field"
        words += f" --batch-size {batch} --steps {WARM_UP + steps} --set training.validations=1 --threads {threads} --quiet --out {out}"
        if case == "forward":
            return forward(segre, words, out, batch, threads)
        _, spent = segre_process(segre, words.split())
        return step_seconds(out), spent["peak_bytes"]


def forward(segre, fit, out, batch, threads):
    """Seconds of an evaluation, and the peak memory of draws in bytes: long draws less short ones."""
    segre_process(segre, fit.split())
    draw = f"sample {out} -n {batch} --sampler ancestral --threads {threads} --quiet --out {out / 'drawn.npy'}"
    few, many = (segre_process(segre, [*draw.split(), "--steps", steps])[1] for steps in (FEW, MANY))
    return (many["seconds"] - few["seconds"]) / (MANY - FEW), many["peak_bytes"]


def compare(segre, case, rounds, threads):
    sides = {
        "torch": lambda _: torch_process(__file__, [case], threads),
        "segre": lambda _: segre_side(segre, case, threads),
    }
    turns = take_turns(sides, rounds)
    found = {"case": case, "rounds": rounds, "threads": threads, "torch_version": turns["torch"][0][2]}
    for name, figures in turns.items():
        seconds, peaks, *_ = zip(*figures)
        found[name] = {**spread(seconds), "peak_bytes": int(statistics.median(peaks))}
    found["ratio"] = found["segre"]["seconds"] / found["torch"]["seconds"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segre", nargs="?")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=["dense", "cnn", "unet"])
    add_arguments(parser, rounds=5)
    parser.add_argument("--torch", choices=CASES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch:
        return torch_side(arguments.torch)
    if not arguments.segre:
        parser.error("which segre? Give the path of the program")
    if not arguments.json:
        print(f"{processor()}, {arguments.threads} threads")
    for case in arguments.cases:
        found = compare(arguments.segre, case, arguments.rounds, arguments.threads)
        if arguments.json:
            print(json.dumps(found), flush=True)
            continue
        for name, label in (("torch", f"PyTorch {found['torch_version']}"), ("segre", "Segre")):
            own = found[name]
            low, high = (1e3 * seconds for seconds in own["range"])
            print(
                f"{case}: {label} {1e3 * own['seconds']:.1f} ms a step ({low:.1f} to {high:.1f}), "
                f"peak {own['peak_bytes'] / 2**20:.0f} MiB"
            )
        print(f"{case}: Segre / PyTorch {found['ratio']:.2f} (medians of {arguments.rounds} rounds)", flush=True)
    return None


if __name__ == "__main__":
    main()
