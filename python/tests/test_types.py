"""Types: what checkers say of the package and its tests, and whether the stubs are those of the module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def check(*command: str) -> None:
    found = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stdout + found.stderr


def test_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    check("mypy", "--cache-dir", str(tmp_path))


def test_pyright() -> None:
    pytest.importorskip("pyright")
    check("pyright", "--pythonpath", sys.executable)


def test_stubs(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    check("mypy.stubtest", "segre._segre", "--mypy-config-file", "pyproject.toml")
