"""The README's pictures of a report, from real Runs: ``make screenshots RUNS="results" BUNDLE=artifacts/bundle``.

Two PNGs in docs/images, each below 300 KB: the top of the page on a wide screen, and figures on a telephone in the
dark. Needs Chromium and its driver (Debian: apt-get install chromium chromium-driver).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser import Browser, chromium, why_no_browser

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST = 300_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--bundle", type=Path, required=True)
    arguments = parser.parse_args()
    if missing := why_no_browser():
        print(missing, file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "report.html"
        command = [
            sys.executable,
            "-m",
            "edge_bench",
            "report",
            *arguments.runs,
            "--bundle",
            arguments.bundle,
            "-o",
            page,
        ]
        subprocess.run([str(part) for part in command], check=True)
        browser.show(page, 1280, scale=1.1)
        browser.screenshot(IMAGES / "report.png", height=below(browser, ".box", 1))
        browser.show(page, 390, dark=True, scale=1.5)
        browser.screenshot(
            IMAGES / "report-phone.png",
            top=above(browser, "figure", 2),
            height=below(browser, "figure", 3) - above(browser, "figure", 2),
        )
    for path in (IMAGES / "report.png", IMAGES / "report-phone.png"):
        size = path.stat().st_size
        print(f"{path}: {size:,} bytes{'' if size < LARGEST else f', more than {LARGEST:,}'}")
    return 0


def above(browser: Browser, selector: str, number: int) -> int:
    """Where the number-th element begins, CSS pixels from the page's top, less some air."""
    script = f"return document.querySelectorAll('{selector}')[{number - 1}].getBoundingClientRect().top"
    return int(browser.run(script)) - 12


def below(browser: Browser, selector: str, number: int) -> int:
    """Where it ends, with some air."""
    script = f"return document.querySelectorAll('{selector}')[{number - 1}].getBoundingClientRect().bottom"
    return int(browser.run(script)) + 8


if __name__ == "__main__":
    sys.exit(main())
