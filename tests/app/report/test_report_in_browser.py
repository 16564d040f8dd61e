"""The report in a headless Chromium: it makes no requests, logs no errors, and everything is visible."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from edge_bench.bench.records.run import Result
from tests.app.report.pages import page_of
from tests.browser import Browser, chromium, why_no_browser
from tests.factories import machine, result, run
from tests.made.graph.output_runs import detections, segmentation, task_run
from tests.nine_configurations import nine, on_pi

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser() or "-")]

#: Width and height of each visible picture, and whether it is within the page's width.
PICTURES = """
return [...document.querySelectorAll('svg, img')].filter(e => e.checkVisibility()).map(e => {
  const box = e.getBoundingClientRect();
  return [box.width, box.height, box.left >= 0 && box.right <= innerWidth + 0.5];
})"""
#: The smallest font size in the pictures, in CSS pixels.
SMALLEST = """
return Math.min(...[...document.querySelectorAll('svg text')].filter(e => e.checkVisibility()).map(e =>
  parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a || Infinity))"""
#: The smallest contrast between text and background (WCAG 2.1: at least 4.5).
CONTRAST = """
const luminance = c => c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = luminance(getComputedStyle(document.body).backgroundColor);
return Math.min(...[...document.querySelectorAll('p, td, th, figcaption, h1, h2')].map(e => {
  const ink = luminance(getComputedStyle(e).color);
  return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
}))"""


#: For each visible table with verdicts: whether a verdict is within the page's width without scrolling.
VERDICTS = """
return [...document.querySelectorAll('.box')].filter(box => box.querySelector('.verdict')).map(box => {
  const cell = box.querySelector('.verdict').getBoundingClientRect();
  return cell.left >= 0 && cell.right <= innerWidth && cell.right <= box.getBoundingClientRect().right;
})"""
#: For each table: whether it is wider than its box, and whether the hint above it is visible.
HINTS = """
return [...document.querySelectorAll('.frame')].map(frame => {
  const box = frame.querySelector('.box'), hint = frame.querySelector('.hint');
  return [box.scrollWidth > box.clientWidth, hint.getBoundingClientRect().height > 0];
})"""


def cut_trials(whole: Result, count: int) -> Result:
    return msgspec.structs.replace(whole, trials=whole.trials[:count])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def tasks_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a detector and of a segmentation, with their images."""
    folder, sizes = tmp_path_factory.mktemp("tasks"), [(640, 480), (300, 900)]
    for number, size in enumerate(sizes):
        Image.new("RGB", size, (200, 190, 40 * number)).save(folder / f"{number}.png")
    boxes = [[(0, 0, 300, 200, 0, 0.9), (500, 300, 640, 480, 1, 0.8)], [(10, 10, 290, 800, 0, 0.7)]]
    found = detections(sizes, *boxes), detections(sizes, [], boxes[1][:0])
    stripes, other = np.arange(64).reshape(8, 8) % 3, np.arange(64).reshape(8, 8) % 2
    masks = segmentation(3, stripes, stripes), segmentation(3, other, stripes)
    runs = [task_run("detect", *found, count=2), task_run("segment", *masks, count=2)]
    page_of(folder, runs, data=[folder])
    return folder / "report.html"


def test_boxes_and_masks_fit_and_are_shown(browser: Browser, tasks_page: Path) -> None:
    for width in (1280, 390):
        browser.show(tasks_page, width)
        assert browser.log() == []
        assert set(browser.fetched()) == {tasks_page.resolve().as_uri()}
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert all(wide > 50 and high > 50 and inside for wide, high, inside in browser.run(PICTURES))
        assert browser.run(SMALLEST) >= 7
        assert browser.run("return document.querySelectorAll('svg.boxes').length") == 4
        assert browser.run("return [...document.images].every(each => each.naturalWidth > 0)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_shows_every_picture_and_makes_no_requests(
    browser: Browser, report: Path, width: int, dark: bool
) -> None:
    browser.show(report, width, dark=dark)
    assert browser.log() == []
    assert set(browser.fetched()) == {report.resolve().as_uri()}
    assert browser.run("return document.documentElement.scrollWidth") <= width
    pictures = browser.run(PICTURES)
    assert len(pictures) >= 8
    assert all(wide > 50 and high > 50 and inside for wide, high, inside in pictures)
    assert browser.run(SMALLEST) >= 7
    assert browser.run(CONTRAST) >= 4.5
    verdicts = browser.run(VERDICTS)
    assert verdicts
    assert all(verdicts)
    hints = browser.run(HINTS)
    assert all(wider == hinted for wider, hinted in hints)
    assert any(wider for wider, _ in hints)


def test_verdicts_of_unusual_runs_are_visible(browser: Browser, tmp_path: Path) -> None:
    one_process = [cut_trials(result("keras", "x", 0.02), 6), cut_trials(result("dynamic", "x", 0.01), 6)]
    long_names = [result("a_name_without_spaces_" * 8 + end, "x" * 60, 0.01) for end in "ab"]
    unusual = [run(*one_process)], [run(*long_names, on=machine(hostname="h" * 60))], [nine(), on_pi()]
    for number, runs in enumerate(unusual):
        folder = tmp_path / str(number)
        folder.mkdir()
        page_of(folder, runs)
        for width in (1280, 390):
            browser.show(folder / "report.html", width)
            assert browser.run("return document.documentElement.scrollWidth") <= width
            verdicts = browser.run(VERDICTS)
            assert verdicts
            assert all(verdicts), (number, width)


def test_light_and_dark_mode_have_different_backgrounds(browser: Browser, report: Path) -> None:
    backgrounds = []
    for dark in (False, True):
        browser.show(report, 1280, dark=dark)
        backgrounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert backgrounds[0] != backgrounds[1]


def test_the_page_can_be_printed(browser: Browser, report: Path, tmp_path: Path) -> None:
    browser.show(report, 1280)
    browser.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
