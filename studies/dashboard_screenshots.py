"""A screenshot of the dashboard for its page in the docs, after a week of recorded Runs.

    python -m studies.dashboard_screenshots

Writes docs/images/dashboard.png. Needs Chromium and its driver, as `studies.screenshots`.
"""

import datetime
import sys
import tempfile
from pathlib import Path

from edge_bench.app.dashboard.pages import overview_page
from edge_bench.app.dashboard.snapshot import Snapshots
from studies.screenshots import IMAGES, below
from tests.browser import chromium, why_no_browser
from tests.made.nights.weeks import week

_MORNING = datetime.datetime(2026, 3, 8, 8, tzinfo=datetime.UTC)
_SILENT_AFTER_S = 36 * 3600.0


def main() -> int:
    if reason := why_no_browser():
        print(reason, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, week(0) as made:
        page = Path(folder) / "overview.html"
        page.write_text(overview_page(Snapshots([made.results]).newest(), _MORNING, _SILENT_AFTER_S))
        browser.show(page, 1280, scale=1.1)
        browser.screenshot(IMAGES / "dashboard.png", height=below(browser, ".box", 1))
    print(f"{IMAGES / 'dashboard.png'}: {(IMAGES / 'dashboard.png').stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
