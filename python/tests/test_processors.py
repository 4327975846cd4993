"""Threads, and processors that have fewer instructions than this one: the package decides when it runs, not when it is built."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import segre

ROOT = Path(__file__).parents[2]
QEMU = shutil.which("qemu-x86_64") if platform.machine() == "x86_64" else None

WORK = """
import sys, numpy as np, segre
rows = np.random.default_rng(0).integers(0, 2, (300, 1)).repeat(4, axis=1)
model = segre.fit(rows, steps=20, seed=0, progress=False, set={"network.hidden": 32, "network.blocks": 1})
np.savez(sys.argv[1], scores=model.log_prob(rows[:50], progress=False), drawn=model.sample(20, progress=False))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What a fit scores and draws at each level of instructions, this machine's best one among them."""
    folder = tmp_path_factory.mktemp("levels")
    answers = {}
    for level in ("", "avx2", "plain"):
        contents = folder / f"{level}.npz"
        environment = {**os.environ, "SEGRE_SIMD": level}
        subprocess.run([sys.executable, "-c", WORK, str(contents)], env=environment, check=True, timeout=120)
        with np.load(contents) as arrays:
            answers[level] = arrays["scores"], arrays["drawn"]
    return answers


@pytest.mark.parametrize("level", ["avx2", "plain"])
def test_lower_levels_of_instructions_give_the_same(level: str, found: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    (scores, drawn), (best, _) = found[level], found[""]
    # Sums are rounded in another order, and twenty steps carry that on.
    assert np.abs(scores - best).max() < 0.05
    assert drawn.shape == (20, 4) and set(np.unique(drawn)) <= {0, 1}


@pytest.mark.skipif(QEMU is None, reason="there is no emulator of other processors (Debian: qemu-user)")
def test_a_processor_without_avx(tmp_path: Path) -> None:
    contents = tmp_path / "found.npz"
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": paths, "QEMU_CPU": "Nehalem"}
    python = str(Path(sys.executable).resolve())
    short = WORK.replace("steps=20", "steps=3")
    subprocess.run([str(QEMU), python, "-c", short, str(contents)], env=environment, check=True, timeout=300)
    with np.load(contents) as arrays:
        assert np.isfinite(arrays["scores"]).all() and arrays["drawn"].shape == (20, 4)


def test_the_build_asks_for_no_processor_of_its_own() -> None:
    settings = [ROOT / ".cargo" / "config.toml", ROOT / "Cargo.toml", ROOT / "pyproject.toml"]
    settings += (ROOT / "crates").glob("*/Cargo.toml")
    settings += (ROOT / "crates").glob("*/build.rs")
    texts = {path: path.read_text(encoding="utf-8") for path in settings if path.is_file()}
    assert len(texts) >= 6
    asking = [path for path, text in texts.items() if "target-cpu" in text or "target-feature" in text]
    assert asking == []


def test_more_threads_than_processors_work_and_nonsense_is_refused() -> None:
    rows = np.random.default_rng(0).integers(0, 2, (200, 3))
    try:
        answers = []
        for threads in (1, 4 * (os.cpu_count() or 1)):
            segre.set_threads(threads)
            answers.append(segre.fit(rows, steps=5, seed=0, progress=False).log_prob(rows, progress=False))
        assert np.array_equal(answers[0], answers[1])
        for wrong in (0, -1):
            with pytest.raises(ValueError, match="threads cannot work"):
                segre.set_threads(wrong)
        for wrong_type in ("2", 1.5, [1]):
            with pytest.raises(TypeError):
                segre.set_threads(wrong_type)  # type: ignore[arg-type]
    finally:
        segre.set_threads(None)
