"""Screenshots of a report for the README, made from real Runs.

    python -m studies.screenshots results --bundle artifacts/bundle

Writes docs/images/report.png, the top of the page on a wide screen, and report-phone.png, the same on a phone with the
dark colour scheme. Prints their sizes; the limit is 300 kB each. Takes less than a minute. Needs Chromium and its
driver (Debian: apt-get install chromium chromium-driver).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser import Browser, chromium, why_no_browser

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
MAX_BYTES = 300_000  # of each file


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--bundle", type=Path, required=True)
    arguments = parser.parse_args()
    if reason := why_no_browser():
        print(reason, file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        page = Path(folder) / "report.html"
        options = map(str, [*arguments.runs, "--bundle", arguments.bundle, "-o", page])
        subprocess.run([sys.executable, "-m", "edge_bench", "report", *options], check=True)
        browser.show(page, 1280, scale=1.1)
        browser.screenshot(IMAGES / "report.png", height=below(browser, ".box", 1))
        browser.show(page, 390, dark=True, scale=1.5)
        browser.screenshot(IMAGES / "report-phone.png", height=below(browser, ".box", 1))
    for path in (IMAGES / "report.png", IMAGES / "report-phone.png"):
        size = path.stat().st_size
        print(f"{path}: {size:,} bytes{'' if size < MAX_BYTES else f', more than {MAX_BYTES:,}'}")
    return 0


def below(browser: Browser, selector: str, number: int) -> int:
    """Return the bottom of the number-th element (from 1) plus a margin, in CSS pixels from the top of the page."""
    script = f"return document.querySelectorAll('{selector}')[{number - 1}].getBoundingClientRect().bottom"
    return int(browser.run(script)) + 8


if __name__ == "__main__":
    sys.exit(main())
