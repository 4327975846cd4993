"""How the time and memory of a training step of Segre grow with threads, batch, categories and sites, as a table.

    python benches/compare/scaling.py target/release/segre [--network residual cnn] [--rounds 3]

Data are the built-in `product`; one size is changed at a time, the others stay. Printed: medians of the rounds of the
median step (ms), the growth from the row above, and the peak of resident memory (MiB).
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from rounds import add_arguments, processor, segre_process, step_seconds

START = {"threads": 2, "batch": 256, "c": 64, "n": 8}
SIZES = {
    "threads": (1, 2),
    "batch": (64, 256, 1024),
    "c": (16, 64, 256, 1024, 4096),
    "n": (2, 8, 32, 128),
}
STEPS = 24


def step(segre, network, sizes):
    """Seconds of a step, and the peak memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        words = f"fit product:c={sizes['c']},n={sizes['n']},rows=3000 --network {network} --batch-size {sizes['batch']}"
        words += f" --threads {sizes['threads']} --steps {STEPS} --set training.validations=1 --quiet --out {out}"
        _, spent = segre_process(segre, words.split())
        return step_seconds(out), spent["peak_bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("segre")
    parser.add_argument("--network", nargs="+", default=["residual"])
    add_arguments(parser, rounds=3)
    arguments = parser.parse_args()
    print(f"{processor()}; unless said otherwise {START}\n")
    for network in arguments.network:
        print(f"| {network} | ms a step | growth | MiB |\n|---|---|---|---|")
        for name, values in SIZES.items():
            above = None
            for value in values:
                found = [step(arguments.segre, network, {**START, name: value}) for _ in range(arguments.rounds)]
                seconds, peak = (statistics.median(figures) for figures in zip(*found))
                growth = f"{seconds / above:.2f}" if above else ""
                print(f"| {name} = {value} | {1e3 * seconds:.1f} | {growth} | {peak / 2**20:.0f} |", flush=True)
                above = seconds
        print()


if __name__ == "__main__":
    main()
