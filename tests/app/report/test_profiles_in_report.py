"""Profiles in the report and in ``compare``."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from edge_bench.app.figures.drawing.canvas import Drawing
from edge_bench.app.render.html.elements import Html, fragment
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.profiles import profile_section
from edge_bench.app.report.write import write_profiles
from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.run_files import write_run
from tests.app.report.pages import page_of, section_of, words_of
from tests.browser import chromium, why_no_browser
from tests.command_line import CommandLine
from tests.factories import result, run
from tests.made.profiles import FLOAT32, INT8, profiled_run

SENTENCE = "int8 is 2.82× faster than float32: conv2d_1 explains 62 % of the difference, conv2d 42 %."


@pytest.mark.slow
def test_the_report_explains_the_difference_and_has_all_operators(tmp_path: Path) -> None:
    text = section_of(page_of(tmp_path, [profiled_run(FLOAT32, INT8)]), 3)
    assert SENTENCE in words_of(text)
    assert text.count("<figure") == 2
    assert text.count("<table") == 3
    rows = 6 + (5 + 1) + (6 + 1)  # and a row for the time between operators
    assert text.count('<th scope="row"') + text.count('class="only" scope="row"') >= rows
    drawn = list[Drawing]()
    (section,) = bundle_sections([profiled_run(INT8)], [])

    def keep(drawings: Sequence[Drawing]) -> Html:
        drawn.extend(drawings)
        return fragment()

    one = profile_section(section, keep)
    assert (len(drawn), str(one).count("<table")) == (2, 1)
    (section,) = bundle_sections([run(result("int8", "litert", 0.1))], [])
    assert profile_section(section, lambda _: fragment()) is None


def test_compare_names_the_operators_before_the_notes(tmp_path: Path, edge_bench_here: CommandLine) -> None:
    write_run(profiled_run(FLOAT32, INT8), tmp_path)
    shown = edge_bench_here("compare", tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert SENTENCE in " ".join(shown.stdout.split())
    why = edge_bench_here("compare", tmp_path, "--why")
    assert " ".join(why.stdout.split()).count(SENTENCE) == 1
    assert "conv2d_1" in edge_bench_here("compare", tmp_path, "--wide").stdout
    assert SENTENCE in edge_bench_here("compare", tmp_path, "--format", "html").stdout
    assert len(json.loads(edge_bench_here("compare", tmp_path, "--format", "json").stdout)) == 2


@pytest.mark.slow
def test_a_figure_of_profiles_is_a_roofline_or_a_page(tmp_path: Path) -> None:
    assert write_profiles([FLOAT32, INT8], tmp_path / "r.svg").read_text().startswith("<?xml")
    assert SENTENCE in write_profiles([FLOAT32, INT8], tmp_path / "r.html").read_text()
    with pytest.raises(BadInput):
        write_profiles([FLOAT32], tmp_path / "r.gif")
    with pytest.raises(BadInput):
        write_profiles([msgspec.structs.replace(FLOAT32, peaks=None)], tmp_path / "r.png")


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())
def test_the_page_of_profiles_fits_a_phone(tmp_path: Path) -> None:
    page = write_profiles([FLOAT32, INT8], tmp_path / "r.html")
    with chromium() as browser:
        for width, dark in ((1280, False), (390, True)):
            browser.show(page, width, dark=dark)
            assert browser.log() == []
            assert browser.run("return document.documentElement.scrollWidth") <= width
            shown = (
                "return [...document.querySelectorAll('.plot svg')].filter(e => e.getBoundingClientRect().width > 50)"
            )
            assert len(browser.run(shown)) == 2
