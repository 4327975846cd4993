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
    "digits": (["fit", "digits", *TINY], ["Samples", "Nearest training pictures"], "pixels that differ"),
    "sequences": (["fit", "s.fasta", *TINY], ["Places", "Pairs of places"], "in contact"),
    "maps": (
        ["fit", "drawn", "--classes", "classes.csv", "--conditional", "any", *TINY],
        ["Samples", "Nearest training pictures", "Lower halves filled in", "Shares and regions"],
        "Areas of regions",
    ),
    "energy": (
        ["energy", "fit", "ising:2x3", "--steps", "20", "--quiet"],
        ["Figures", "Marginals and correlations", "Energies", "Training", "Settings"],
        "share of samples",
    ),
    "neural": (
        ["energy", "fit", "ising:2x3", "--method", "neural", "--samples", "500", "--steps", "20", "--set", "network.hidden=16", "--quiet"],
        ["Figures", "Marginals and correlations", "Energies", "Training", "Settings"],
        "validation, bits/dim",
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

    # On a phone nothing is wider than the screen, and only what can be reached by keyboard scrolls.
    screen(browser, 390)
    assert browser.execute_script(TOO_WIDE) == []
    screen(browser, 1400)


#: What is wider than the screen, and what scrolls without taking the focus.
TOO_WIDE = """
const said = (e) => e.tagName + '.' + e.className;
const wide = document.documentElement.scrollWidth > window.innerWidth ? ['the page'] : [];
const scrolls = [...document.querySelectorAll('body *')].filter(
  (e) => e.scrollWidth > e.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.tabIndex < 0);
const beyond = [...document.querySelectorAll('svg, img')].filter(
  (e) => e.getBoundingClientRect().right > window.innerWidth + 1);
return [...wide, ...scrolls.map(said), ...beyond.map(said)];
"""


def screen(browser: Any, width: int) -> None:
    """A screen so wide; a window is never as narrow as a phone."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@needs_program
@needs_browser
def test_tables_are_filtered_and_classes_have_a_key(pages: dict[str, Path], browser: Any) -> None:
    from selenium.webdriver.common.by import By

    browser.get(pages["maps"].as_uri())
    key = [entry.text for entry in browser.find_elements(By.CSS_SELECTOR, ".key li")]
    assert {"<b>sky</b>", "road", "car"} <= set(key), key
    browser.get(pages["table"].as_uri())
    shown = "return [...document.querySelectorAll('.table table')].map(t => [...t.rows].filter(r => !r.hidden).length)"
    before = browser.execute_script(shown)
    for field in browser.find_elements(By.CSS_SELECTOR, "input[type=search]"):
        field.send_keys("nothing is called so")
    after = browser.execute_script(shown)
    assert all(few == 1 or few == many for few, many in zip(after, before)), (before, after)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The documents as a site."""
    writer = Path(PROGRAM or "").resolve().parent / "examples" / "book"
    if not writer.exists():
        pytest.skip(f"there is no {writer}: cargo build --release --workspace --example book")
    folder = tmp_path_factory.mktemp("book")
    subprocess.run([writer, folder], check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.html"))


@needs_program
def test_the_book_is_valid_html(book: list[Path]) -> None:
    assert len(book) > 10
    for page in book:
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))


@needs_program
@needs_browser
def test_the_book_opens_in_a_browser(book: list[Path], browser: Any) -> None:
    browser.get_log("performance")
    for page in book:
        browser.get(page.as_uri())
        found = browser.execute_script(
            "return {h1: [...document.querySelectorAll('main h1')].length,"
            " current: [...document.querySelectorAll('nav [aria-current]')].length,"
            " broken: [...document.images].filter(i => !i.complete || i.naturalWidth === 0 || !i.alt).map(i => i.src)}"
        )
        assert found == {"h1": 1, "current": 1, "broken": []}, (page.name, found)
        for width in (390, 1400):
            screen(browser, width)
            assert browser.execute_script(TOO_WIDE) == [], (page.name, width)
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert len(asked) >= len(book) and all(url.startswith(("file:", "data:")) for url in asked), asked
    assert [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []
