"""Pages in a browser: headless Chromium opens each, sees no error, asks for nothing, and sorts a table."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any, Iterator

import html5lib
import pytest

PROGRAM = os.environ.get("SEGRE_COMMAND")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

needs_program = pytest.mark.skipif(PROGRAM is None, reason="SEGRE_COMMAND does not name the command line's program")
needs_browser = pytest.mark.skipif(
    BROWSER is None or DRIVER is None, reason="there is no chromium with its chromedriver (Debian: chromium-driver)"
)

TINY = ["--steps", "20", "--hidden", "16", "--blocks", "1", "--quiet"]
HOSTILE = '"<script>alert(1)</script>","a""\'>&b",\u202ertl,🦀 emoji\n' + "".join(
    f'"{["<img src=x onerror=alert(2)>", "</style>", "z" * 10_000][row * 7 % 3]}",{"ab"[row % 2]},{row % 5},{row * 37 % 101}\n'
    for row in range(300)
)
ALIGNMENT = "".join(f">r{row}\n{'ACGT'[row * 5 % 4]}{'ACGT'[row * 5 % 4]}ACAC{'GT'[row % 2]}\n" for row in range(120))

#: Name, command that fits, headings that its page has, and a text of one of its charts.
PAGES = {
    "table": (["fit", "hostile.csv", *TINY], ["Likelihood", "Columns", "Extremes", "Settings"], "Scores of test rows"),
    "digits": (["fit", "digits", *TINY], ["Samples", "Nearest training pictures"], "samples"),
    "sequences": (["fit", "s.fasta", *TINY], ["Places", "Pairs of places"], "in contact"),
    "maps": (
        ["fit", "drawn", "--classes", "classes.csv", "--conditional", "any", *TINY],
        ["Samples", "Nearest training pictures", "Lower halves filled in", "Shares and regions"],
        "Areas of regions",
    ),
    "energy": (
        ["energy", "fit", "ising:2x3", "--steps", "20", "--quiet"],
        ["Figures", "Marginals and correlations", "Energies"],
        "share of samples",
    ),
    "experiment": (["experiment", "run", "tetrahedron", "--quick", "--quiet"], ["About", "Results", "Notes"], ""),
}
#: Options of a page.
OPTIONS = {"sequences": ["--contacts", "structure.txt"]}


def png(labels: list[list[int]]) -> bytes:
    """A grey PNG of 8 bits."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(labels[0]), len(labels), 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes(row) for row in labels)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "hostile.csv").write_text(HOSTILE, encoding="utf-8")
    (folder / "s.fasta").write_text(ALIGNMENT)
    (folder / "structure.txt").write_text("1 6 3.5\n1 7 9\n2 7 12\n")
    (folder / "classes.csv").write_text('id,class,colour\n0,"<b>sky</b>",#88ccff\n1,road,#804080\n2,car,#000088\n')
    (folder / "drawn").mkdir()
    for place in range(60):
        labels = [[(y * (1 + place % 3) + x) // (4 + place % 2) % 3 for x in range(8)] for y in range(6)]
        (folder / "drawn" / f"{place}.png").write_bytes(png(labels))
    assert PROGRAM is not None
    program = str(Path(PROGRAM).resolve())
    for name, (command, _, _) in PAGES.items():
        subprocess.run([program, *command, "--out", name], cwd=folder, check=True)
        subprocess.run([program, "report", name, "--quiet", *OPTIONS.get(name, [])], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return {name: folder / name / "report.html" for name in PAGES}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.binary_location = BROWSER or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield driver
    driver.quit()


@needs_program
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_valid_html(pages: dict[str, Path], name: str) -> None:
    text = pages[name].read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    assert len(text.encode()) < 3_000_000


@needs_program
@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_pages_work_in_a_browser(pages: dict[str, Path], browser: Any, name: str) -> None:
    from selenium.webdriver.common.by import By

    _, headings, chart = PAGES[name]
    browser.get_log("performance")
    browser.get(pages[name].as_uri())
    found = [heading.text for heading in browser.find_elements(By.TAG_NAME, "h2")]
    assert set(headings) <= set(found), found
    texts = browser.execute_script("return [...document.querySelectorAll('svg text')].map(t => t.textContent)")
    assert not chart or any(chart in text for text in texts), texts[:20]

    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert asked and all(url.startswith(("file:", "data:")) for url in asked), asked
    assert {url for url in asked if url.startswith("file:")} == {pages[name].as_uri()}
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []

    # A click on a heading of numbers sorts upwards, a second one downwards.
    table = browser.find_element(By.CSS_SELECTOR, ".table table")
    heading = table.find_element(By.CSS_SELECTOR, "th.number button")
    column = browser.execute_script("return arguments[0].closest('th').cellIndex", heading)

    def values() -> list[float]:
        return [
            float(value)
            for value in browser.execute_script(
                "return [...arguments[0].tBodies[0].rows].map(r => r.cells[arguments[1]].dataset.sort)"
                ".filter(v => v !== undefined)",
                table,
                column,
            )
        ]

    before = values()
    heading.click()
    assert values() == sorted(before)
    heading.click()
    assert values() == sorted(before, reverse=True)

    # On a phone nothing is wider than the screen.
    browser.set_window_size(500, 900)
    wide = browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
    browser.set_window_size(1400, 1000)
    assert not wide
