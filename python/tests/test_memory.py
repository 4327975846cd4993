"""How much memory the reading of a large frame takes, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ROWS, COLUMNS = 1_000_000, 20

WORK = f"""
import gc, json, time
import numpy as np, pandas as pd, pyarrow, segre
from segre._frames import to_library

rng = np.random.default_rng(0)
frame = pd.DataFrame({{
    f"c{{k}}": pd.Categorical.from_codes(rng.integers(0, n, {ROWS}).astype(np.int8), [f"v{{i}}" for i in range(n)])
    for k, n in enumerate(range(5, 5 + 3 * {COLUMNS}, 3))
}})
model = segre.fit(frame[:2000], steps=1, progress=False, set={{"network.hidden": 8, "network.blocks": 1}})

def resident(what):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(what))

gc.collect()
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before, began = resident("VmRSS"), time.process_time()
rows = model._inner.gaps(to_library(frame), True, "error")
print(json.dumps({{"rows": len(rows), "bytes": resident("VmHWM") - before, "seconds": time.process_time() - began}}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks of memory are those that Linux tells")
def test_a_frame_of_categories_is_read_in_twice_what_its_labels_take() -> None:
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    labels = 2 * ROWS * COLUMNS
    assert found["rows"] == ROWS
    assert found["bytes"] <= 2 * labels, f"{found['bytes'] / 1e6:.0f} MB"
    # Of a processor's time, which other work does not stretch.
    assert found["seconds"] <= 1.5
