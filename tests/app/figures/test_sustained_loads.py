"""Sustained loads in the report."""

from pathlib import Path

import pytest

from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.page import report_page
from tests.app.report.pages import words_of
from tests.factories import result, run
from tests.made.runs.sustained import jump, sustained_result, sustained_run


@pytest.mark.slow
def test_the_report_shows_loads_apart_from_comparisons(tmp_path: Path) -> None:
    load = sustained_run(sustained_result("int8", jump(0.5, 1.25), noise=1e-9), sustained_result("float32"))
    alone = bundle_sections([load], [])
    assert [drawing.name for drawing in alone[0].drawings] == ["sustained-1"]
    words = words_of(report_page(alone))
    assert "Order at the start" in words
    assert "+25.0 %" in words
    assert "--duration 1800s" in words
    assert "--trials" not in words
    both = bundle_sections([load, run(result("int8", "litert", 0.003), result("float32", "litert", 0.006))], [])
    names = [drawing.name for drawing in both[0].drawings]
    assert "sustained-1" in names
    assert "trials-1" in names
    words = words_of(report_page(both))
    assert words.index("Fastest: int8 on litert") < words.index("Sustained load")
    assert both[0].comparison is not None
    assert {row.run_id for row in both[0].comparison.rows} == {both[0].runs[1].run_id}
