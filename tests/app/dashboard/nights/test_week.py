"""A week of nightly measurements, from recorded Runs to the pages: one engine dies, one becomes 5 % slower."""

import datetime
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_bench.app.dashboard.pages import overview_page
from edge_bench.app.dashboard.snapshot import Snapshots
from tests.app.dashboard.test_pages import get, links
from tests.made.nights.weeks import DEAD, SLOW, Week, week
from tests.serving import Served, served

#: In the morning after the last night.
MORNING = datetime.datetime(2026, 3, 8, 8, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def seven_nights() -> Iterator[Week]:
    with week(seed=0) as made:
        yield made


@pytest.fixture(scope="module")
def server(seven_nights: Week) -> Iterator[Served]:
    with served(seven_nights.results, command="dashboard") as running:
        yield running


def text_of(page: str) -> str:
    """Return what a reader sees, on one line."""
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def heading_of(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)
    assert found
    return text_of(found[1])


def sentences_of(messages: list[dict[str, Any]]) -> list[str]:
    """Return the first line about each reported change and silent engine, from the texts of notifications."""
    blocks = [block.splitlines()[0] for each in messages for block in each["text"].split("\n\n")]
    return [line for line in blocks if line.startswith(("Slower", "Faster", "Silent", "Failed"))]


def told(made: Week) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in made.told]


@pytest.mark.slow
def test_the_first_page_says_which_engine_since_when_and_how_certain_as_the_notification(
    server: Served, seven_nights: Week
) -> None:
    page = get(server.url).text
    messages = told(seven_nights)
    (change,) = [each for message in messages for each in message["changes"]]
    assert (change["engine"], change["since_night"]) == ("slowing", SLOW)
    ratio = change["ratio"]
    assert 1.02 < ratio["low"] < 1.05 < ratio["high"] < 1.08  # 42 layers instead of 40
    heading = heading_of(page)
    for part in ("slowing", f"night {SLOW}", f"{ratio['value']:.2f}×", f"[{ratio['low']:.3g}, {ratio['high']:.3g}]"):
        assert part in heading
    assert "dying" in heading
    assert f"night {DEAD}" in heading
    lines = sentences_of(messages)
    assert {line.split(" ")[0] for line in lines} == {"Slower", "Silent"}
    # the change, and the dead engine as of the last night, word by word
    for line in (next(line for line in lines if line.startswith("Slower")), lines[-1]):
        assert line in text_of(page)
    assert f"p = {change['p_value']:.1g}" in text_of(page)
    assert "no route to host" in text_of(page)
    # nights 4 to 7 have one engine less
    rows = re.findall(r"<tr><th[^>]*><a href=\"/nights/1/(\d+)\">.*?</tr>", page, re.DOTALL)
    assert [int(each) for each in rows] == [7, 6, 5, 4, 3, 2, 1]
    assert text_of(page).count("2 of 3") == 4


@pytest.mark.slow
def test_the_page_of_a_night_leads_to_the_reports_of_all_its_runs(server: Served, seven_nights: Week) -> None:
    (night,) = [night for night in seven_nights.nights if night.reported]
    address = f"/nights/1/{night.number}"
    assert address in links(get(server.url).text, "/nights/")
    page = get(server.url + address).text
    (finding,) = night.reported
    assert finding.confirmation
    assert f"/runs/{finding.last_good_run}" in links(page, "/runs/")
    assert f"/runs/{finding.run_id}" in links(page, "/runs/")
    assert f"{address}/{finding.confirmation.run_file}" in links(page, f"{address}/")
    names = [name for each in night.measurements for name in each.more_runs]
    assert len(names) == 4  # two more Runs of each engine that is alive
    assert {f"{address}/{name}" for name in names} <= set(links(page, f"{address}/"))
    for link in [*links(page, "/runs/"), *links(page, f"{address}/")]:
        report = get(server.url + link)
        assert report.status == 200
        assert "edge-bench report" in report.text
    for path in ("/nights/2", "/nights/1/8", f"{address}/run-x.json", f"{address}/night-000006.json", "/nights/1/x"):
        assert get(server.url + path).status == 404
    assert get(f"{server.url}/nights/1").status == 200


@pytest.mark.slow
def test_each_configuration_has_the_verdict_of_the_nights(server: Served) -> None:
    for link in set(links(get(server.url).text, "/series/")):
        page = get(server.url + link).text
        assert heading_of(page).startswith("Slower on slowing") is ("slowing (" in page)


@pytest.mark.nightly
@pytest.mark.parametrize("deviation", [0.0, 0.005])
def test_twenty_weeks_say_the_same_on_the_page_and_in_notifications(deviation: float) -> None:
    found = 0
    for seed in range(20):
        with week(seed, deviation=deviation) as made:
            page = text_of(overview_page(Snapshots([made.results]).newest(), MORNING, 1.5 * 86_400))
            changes = [line for line in sentences_of(told(made)) if not line.startswith("Silent")]
            assert all(line in page for line in changes)
            assert page.count("; found by ") == len(changes)
            assert f"(night {DEAD}), 4 nights: dying" in page
            found += bool(changes)
    if not deviation:
        assert found >= 18


@pytest.mark.nightly
def test_fifty_quiet_nights_have_no_answer_but_that_nothing_changed() -> None:
    with week(1, slower=False, deviation=0.005, nights=50) as made:
        now = MORNING + datetime.timedelta(days=43)
        page = overview_page(Snapshots([made.results]).newest(), now, 1.5 * 86_400)
    assert heading_of(page) == "No change up to night 50: 3 of 3 Runs delivered"


def test_the_recorded_runs_are_small() -> None:
    folder = Path(__file__).parents[3] / "made" / "nights" / "recorded"
    assert sum(path.stat().st_size for path in folder.rglob("*.json")) < 200_000
