"""Test nats a row of the binary sets of the density-estimation benchmark (Van Haaren & Davis 2012), beside published values.

    python benches/compare/density.py SEGRE FOLDER [--sets nltcs plants …] [--time 60s | --steps 2000] [--out RUNS]

FOLDER has `NAME.train.data.gz`, `NAME.valid.data.gz` and `NAME.test.data.gz` as https://github.com/UCLA-StarAI/Density-Estimation-Datasets
has them. Training and validation rows are one table, of which a tenth is held out to validate (all defaults); the test rows are
only scored, by `segre score --method auto`. Runs that are there already are scored, not fitted again.
"""

import argparse
import gzip
import json
import pathlib
import subprocess

# Best published circuit and mixture of trees (Meilă & Jordan 2000), nats a row; quoted from memory, as targets.
PUBLISHED = {
    "nltcs": (5.99, 6.01),
    "plants": (11.84, 12.80),
    "baudio": (39.39, 39.98),
    "jester": (51.29, 52.94),
    "accidents": (26.89, 29.92),
    "dna": (79.88, None),
}


def table(folder, name, parts, target):
    rows = [gzip.open(folder / f"{name}.{part}.data.gz", "rt").read().strip() for part in parts]
    columns = rows[0].split("\n", 1)[0].count(",") + 1
    header = ",".join(f"x{column}" for column in range(columns))
    target.write_text("\n".join([header, *rows]) + "\n")
    return str(target)


def run(*words):
    return subprocess.run(list(words), check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("segre")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sets", nargs="+", default=list(PUBLISHED))
    parser.add_argument("--time")
    parser.add_argument("--steps")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/density"))
    parser.add_argument("--set", action="append", default=[], help="as of segre fit")
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    budget = [f"--{name}={value}" for name, value in (("time", options.time), ("steps", options.steps)) if value]
    budget += [word for value in options.set for word in ("--set", value)]
    print("| set | Segre, nats a row | bound | best circuit | mixture of trees |\n|---|---|---|---|---|", flush=True)
    for name in options.sets:
        train = table(options.folder, name, ["train", "valid"], options.out / f"{name}.csv")
        test = table(options.folder, name, ["test"], options.out / f"{name}.test.csv")
        model = options.out / name
        if not (model / "model.safetensors").exists():
            run(options.segre, "fit", train, "--test-data", test, "--out", str(model), "--force", "--quiet", *budget)
        found = json.loads(run(options.segre, "score", str(model), test, "--method", options.method, "--json", "--quiet"))
        error = found["std_error"] * found["nats"] / found["bits_per_dim"]
        published = " | ".join("" if value is None else f"{value:.2f}" for value in PUBLISHED[name])
        print(f"| {name} | {found['nats']:.3f} ± {error:.3f} | {found.get('method', options.method)} | {published} |", flush=True)
