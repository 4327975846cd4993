"""The command line and the package are one: same files, same figures. `SEGRE_COMMAND` names the program."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import segre
from segre.sklearn import SegreClassifier

COMMAND = os.environ.get("SEGRE_COMMAND", "")
pytestmark = pytest.mark.skipif(not COMMAND, reason="SEGRE_COMMAND is not set")


def command(*arguments: object) -> dict[str, Any]:
    words = [COMMAND, *map(str, arguments), "--json", "--quiet"]
    found = subprocess.run(words, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(found.stdout)
    return report


def test_fits_are_the_same_to_the_byte(letters: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    letters.to_csv(path, index=False)
    command("fit", path, "--out", tmp_path / "command", "--steps", 20, "--seed", 3)
    segre.fit(path, steps=20, seed=3, out=tmp_path / "path", progress=False)
    segre.fit(letters, steps=20, seed=3, out=tmp_path / "frame", progress=False)
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("command", "path", "frame")]
    assert files[0] == files[1] == files[2]
    assert len(segre.load(tmp_path / "command")._history) == len(segre.load(tmp_path / "path")._history) > 0


def test_weights_and_constraints_are_the_command_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    start = rng.integers(0, 100, 300)
    frame = pd.DataFrame({"start": start, "end": start + rng.integers(0, 50, 300), "w": rng.integers(1, 5, 300)})
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    budget = ("--steps", 20, "--seed", 3)
    command("fit", path, "--out", tmp_path / "command", *budget, "--weights", "w", "--constraint", "start<=end")
    asked: dict[str, Any] = {"steps": 20, "seed": 3, "progress": False, "constraints": ["start<=end"]}
    segre.fit(frame, weights="w", out=tmp_path / "column", **asked)
    segre.fit(frame.drop(columns="w"), weights=frame["w"], out=tmp_path / "array", **asked)
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("command", "column", "array")]
    assert files[0] == files[1] == files[2]


def test_scores_by_other_methods_are_the_command_lines(
    letters: pd.DataFrame, letters_model: segre.Model, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    letters.to_csv(path, index=False)
    letters_model.save(tmp_path / "m")
    methods: dict[tuple[str, ...], dict[str, Any]] = {
        ("--given", "x"): {"given": ["x"]},
        ("--method", "chain"): {"method": "chain"},
        ("--method", "orders", "--orders", "3"): {"method": "orders", "orders": 3},
        ("--std-error", "0.001", "--seed", "9"): {"std_error": 0.001, "seed": 9},
    }
    for words, how in methods.items():
        found = command("score", tmp_path / "m", path, *words)
        asked: dict[str, Any] = {**how, "progress": False}
        assert found["bits_per_dim"] == letters_model.bits_per_dim(letters, **asked), words
        assert found["nats"] == pytest.approx(-letters_model.score(letters, **asked).value), words


def test_folders_go_both_ways(letters: pd.DataFrame, letters_model: segre.Model, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    letters.to_csv(path, index=False)
    letters_model.save(tmp_path / "m")
    found = command("score", tmp_path / "m", path)
    assert found["bits_per_dim"] == letters_model.bits_per_dim(letters, progress=False)
    found = command("predict", tmp_path / "m", path, "--target", "y")
    report = letters_model.prediction_report(letters, "y", progress=False)
    assert found["accuracy"] == report["accuracy"] and found["log_loss"] == report["log_loss"]
    drawn = tmp_path / "drawn.csv"
    command("sample", tmp_path / "m", "-n", 40, "--out", drawn, "--seed", 5)
    assert pd.read_csv(drawn).equals(letters_model.sample(40, seed=5, progress=False))
    again = subprocess.run([COMMAND, "evaluate", tmp_path / "m"], capture_output=True, text=True)
    assert again.returncode != 0 and "in memory" in again.stderr


def test_the_classifier_predicts_as_the_command_line(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(["k", "l", "m"], 900) for name in "abcd"})
    noise = rng.random(900) < 0.1
    frame["y"] = np.where((frame["a"] == frame["b"]) ^ noise, "same", "other")
    learned, new = frame[:700], frame[700:]
    learned.to_csv(tmp_path / "t.csv", index=False)
    new.to_csv(tmp_path / "new.csv", index=False)
    command("fit", tmp_path / "t.csv", "--out", tmp_path / "m", "--steps", 300, "--seed", 0, "--conditional", "any")
    found = command("predict", tmp_path / "m", tmp_path / "new.csv", "--target", "y")
    estimator = SegreClassifier(steps=300).fit(learned.drop(columns="y"), learned["y"].to_numpy())
    accuracy = estimator.score(new.drop(columns="y"), new["y"].to_numpy())
    assert accuracy == pytest.approx(found["accuracy"], abs=0.01) and accuracy > 0.8
