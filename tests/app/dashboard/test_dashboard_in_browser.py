"""The dashboard of 100 devices in Chromium, on large and small screens, light and dark."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.app.dashboard.nights.pages import NightPage, night_list_page
from edge_bench.app.dashboard.pages import overview_page, series_page
from edge_bench.app.dashboard.snapshot import Snapshots
from edge_bench.bench.records.nights.files import write_night
from edge_bench.bench.records.nights.night import Night
from tests.app.dashboard.fleets import NOW, fleet, write_all
from tests.app.report.test_report_in_browser import CONTRAST
from tests.browser import Browser, chromium, why_no_browser
from tests.made.nights.whole import FINDING, NIGHT
from tests.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser() or "-")]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("hundred")
    runs = fleet(100, 10, slower="pi7", silent="pi42") + fleet(1, 10, name="a-device-with-a-very-long-name-" * 4)
    results = write_all(runs, folder / "results")
    for number in range(1, 17):
        write_night(_night(number), results)
    (results / "nights" / "night-000003.json").write_text("{}")
    snapshot = Snapshots([results]).newest()
    (nights,) = snapshot.nights
    texts = {
        "overview": overview_page(snapshot, NOW, 1.5 * 86_400),
        "series": series_page(snapshot, snapshot.series[0], NOW),
        "nights": night_list_page(nights, NOW),
        "night": NightPage(nights, nights.nights[-1], ()).page(NOW),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text)
    return [folder / f"{name}.html" for name in texts]


def _night(number: int) -> Night:
    """Return a night of 20 engines with changes, silent engines, and long names and reasons."""
    names = [*(f"pi{each}" for each in range(19)), "an-engine-with-a-very-long-name-" * 4]
    work, silent = NIGHT.measurements[0], NIGHT.silent[0]
    reason = "the connection was refused by a machine whose address is /".ljust(400, "x")
    return msgspec.structs.replace(
        NIGHT,
        number=number,
        findings=[msgspec.structs.replace(FINDING, engine=name) for name in names[2:5]],
        measurements=[msgspec.structs.replace(work, engine=name, reason=reason) for name in names],
        silent=[msgspec.structs.replace(silent, engine=name, reason=reason) for name in (names[0], names[-1])],
    )


def test_nothing_is_wider_than_the_screen_and_everything_is_readable(pages: list[Path]) -> None:
    with chromium() as browser:
        for page in pages:
            for width in (1280, 390):
                for dark in (False, True):
                    browser.show(page, width, dark=dark)
                    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
                    assert browser.run(CONTRAST) >= 4.5
                    assert browser.log() == []
        browser.show(pages[0], 390)
        assert browser.run("return document.querySelectorAll('h1').length") == 1
        names = browser.run("return [...document.querySelectorAll('tbody th')].map(e => e.textContent)")
        assert sum(name.startswith("pi") for name in names) == 100


def test_a_reader_logs_in_with_the_token(pages: list[Path], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("correct-horse")
    with (
        served(pages[0].parent / "results", "--token-file", str(token), command="dashboard") as server,
        chromium() as it,
    ):
        assert log_in(it, server.url, "wrong") == "/login"
        assert log_in(it, server.url, "correct-horse") == "/"
        assert it.run("return document.querySelectorAll('table').length") >= 2


def log_in(browser: Browser, url: str, token: str) -> str:
    """Return the path of the page after the form is sent."""
    browser.show(url, 1280)
    browser.submit("token", token)
    return str(browser.run("return location.pathname"))
