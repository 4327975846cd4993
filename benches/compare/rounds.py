"""What the comparisons share: rounds in which the sides take turns, each a process of its own, and how they are told."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def take_turns(sides, rounds):
    """Runs every side once in each round, every second round in reverse order; what they returned, by name. A side is
    called with the number of the round."""
    found = {name: [] for name in sides}
    for turn in range(rounds):
        for name in list(sides) if turn % 2 == 0 else reversed(sides):
            found[name].append(sides[name](turn))
    return found


def torch_process(file, words, threads):
    """What a file of this folder, called with `--torch` and these words, prints as JSON."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, file, "--torch", *map(str, words)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout)


def segre_process(segre, words):
    """What Segre prints; wall time and processor time of the whole process in seconds, its peak memory in bytes."""
    words = [str(word) for word in words]
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen([segre, *words], stdout=subprocess.PIPE, stderr=errors)
        printed = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = status
        if status:
            errors.seek(0)
            sys.exit(f"segre {' '.join(words)}\n{errors.read().decode()}")
    return printed, {
        "seconds": seconds,
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def step_seconds(model):
    """Median seconds of a step of a fit, by its own records: from a line of a step to the next one, as between that of a
    validation and the next the run is saved too."""
    lines = [json.loads(line) for line in (Path(model) / "metrics.jsonl").read_text().splitlines()]
    marks = [(line["step"], line["seconds"], "loss" in line) for line in lines]
    pairs = zip(marks, marks[1:])
    steps = [(t1 - t0) / (s1 - s0) for (s0, t0, first), (s1, t1, second) in pairs if first and second and s1 > s0]
    return statistics.median(steps)


def spread(values):
    """Median and range."""
    return {"seconds": statistics.median(values), "range": [min(values), max(values)]}


def spread_of(turns, pieces=1):
    """Median and range of the wall times, the median processor time, each of one of equal pieces of the work."""
    wall, processor = ([turn[kind] / pieces for turn in turns] for kind in ("seconds", "processor_seconds"))
    return {**spread(wall), "processor_seconds": statistics.median(processor)}


class Clock:
    """Wall time and processor time since it was made."""

    def __init__(self):
        self.start = time.perf_counter(), time.process_time()

    def read(self):
        now = time.perf_counter(), time.process_time()
        return dict(zip(("seconds", "processor_seconds"), (after - before for before, after in zip(self.start, now))))


def add_arguments(parser, rounds):
    """The arguments of every comparison."""
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true")


def processor():
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        return names[0].split(":")[1].strip() if names else platform.machine()
    return platform.processor() or platform.machine()
