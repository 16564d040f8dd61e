"""Pages and figures of Runs of other tasks than classification."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.figures.drawing import quality
from edge_bench.app.figures.drawing.canvas import render
from edge_bench.app.render.formats import Layout
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.reproduce import reproduce_section
from edge_bench.app.report.trust import trust_section
from edge_bench.app.report.write import write_history
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.tasks.measures import Measure, TaskAgreement
from edge_bench.bench.tasks.registry import Task
from tests.app.report.pages import PI, Outline, page_of, section_of, words_of
from tests.command_line import Refuses
from tests.made.graph.output_runs import box_truth, detections, scores, segmentation, task_run, tensors, true_values

SIZES = [(64, 64)] * 4
BOXES = [[(8, 8, 40, 40, 0, 0.9)], [(4, 4, 20, 30, 1, 0.8)], [], [(1, 1, 9, 9, 0, 0.7)]]
FEWER = [BOXES[0], [], [], BOXES[3]]
ONES = np.ones((4, 2), np.float32)
HOSTILE = "<script>$\\frac{a}{b$</script>"

RUNS = {
    "detect": task_run(
        "detect", detections(SIZES, *BOXES), detections(SIZES, *FEWER), count=4,
        truth=box_truth(SIZES, ["cat", HOSTILE], *([row[:5] for row in rows] for rows in BOXES)),
    ),
    "segment": task_run("segment", *(segmentation(2, *[np.full((4, 4), value)] * 4) for value in (0, 1)), count=4),
    "regress": task_run("regress", scores(ONES), scores(2 * ONES), count=4, truth=true_values(ONES.astype(float))),
    "tensor": task_run("tensor", tensors(a=ONES), tensors(a=2 * ONES), count=4),
}  # fmt: skip


class Measured:
    """A task whose measures a test states."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = measures
        self.asked = 0

    def task(self, name: str) -> Task:
        return Task(
            name=name, summary="", measures=self._measures_of, differences=lambda *_: [],
            agreement=lambda *_: TaskAgreement(share=0.5, text="3 of 4 boxes", examples=4, identical=2),
        )  # fmt: skip

    def _measures_of(self, *_: Any) -> Sequence[Measure]:
        self.asked += 1
        return self._measures


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Any:
    """State the measures of every task."""

    def use(*measures: Measure) -> Measured:
        measured = Measured(measures)
        monkeypatch.setattr(quality, "task_named", measured.task)
        return measured

    return use


MAP = Measure(name="mAP", value=0.25, interval=Interval(0.2, 0.3))
ERROR = Measure(name="MAE", value=3.5, percent=False, higher_is_better=False)


def svg_of(drawing: Any) -> str:
    return render(drawing, Layout.PAGE, "inline-svg").decode()


@pytest.mark.slow
@pytest.mark.parametrize("task", RUNS)
def test_a_run_of_any_task_has_a_page_and_a_history(tmp_path: Path, task: str) -> None:
    text = page_of(tmp_path, [RUNS[task], msgspec.structs.replace(RUNS[task], run_id="f" * 32, machine=PI)])
    outline = Outline(text)
    assert "script" not in outline.tags
    assert [address for address in outline.addresses if not address.startswith(("#", "data:"))] == []
    assert "<figure" not in section_of(text, 6)
    (path,) = write_history(history([RUNS[task]]), tmp_path / "history.html")
    assert "<svg" in path.read_text()


def test_figures_name_the_tasks_first_measure(state: Any) -> None:
    measured = state(MAP, Measure(name="AR", value=0.5))
    (section,) = bundle_sections([RUNS["detect"]], [])
    both, trade_off = section.accuracy_and_time, section.trade_off
    assert section.confusion is None
    assert both is not None
    assert trade_off is not None
    assert both.title == "mAP and inference time"
    assert trade_off.title == "mAP against time"
    for drawing in (both, trade_off):
        assert ">mAP, %<" in svg_of(drawing)
        assert "AR" not in drawing.caption
    assert "mAP 25.00 %" in both.description
    assert measured.asked == 2  # once for each configuration: an interval takes seconds


def test_of_errors_the_lowest_are_on_the_front(state: Any) -> None:
    state(ERROR)
    (section,) = bundle_sections([RUNS["regress"]], [])
    drawing = section.trade_off
    assert drawing is not None
    assert "MAE (lower is better)" in svg_of(drawing)
    lower, higher = (msgspec.structs.replace(ERROR, value=value) for value in (1.0, 9.0))
    entries = section.entries
    for entry, measure in zip(entries, (lower, higher), strict=True):
        entry.__dict__["quality"] = measure
    from edge_bench.app.figures.runs.tradeoff import trade_off

    assert all(entry.full_name in trade_off(entries).description for entry in entries)  # slower and better, or faster
    entries[1].__dict__["quality"] = msgspec.structs.replace(ERROR, value=0.5)  # faster and better
    assert entries[0].full_name not in trade_off(entries).description


def test_without_a_quality_there_is_only_time(state: Any) -> None:
    state()
    (section,) = bundle_sections([RUNS["tensor"]], [])
    drawing = section.accuracy_and_time
    assert section.trade_off is None
    assert drawing is not None
    assert drawing.title == "Inference time"
    assert ">ms/inference<" in svg_of(drawing)
    assert "right" not in svg_of(drawing)


@pytest.mark.parametrize("error", [ValueError("torn"), ResultsError("torn", "")])
def test_a_quality_that_cannot_be_computed_has_its_reason(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(_: str) -> Task:
        raise error

    monkeypatch.setattr(quality, "task_named", fail)
    (section,) = bundle_sections([RUNS["detect"]], [])
    measures = [entry.quality for entry in section.entries]
    assert all(measure and measure.value is None and "torn" in measure.remark for measure in measures)
    assert section.trade_off is None
    assert section.accuracy_and_time is not None


def test_missing_true_values_are_said_unless_the_task_has_none() -> None:
    def trust(whole: Run) -> str:
        (section,) = bundle_sections([whole], [])
        return words_of(str(trust_section(section)))

    assert "no true" not in trust(RUNS["detect"])
    assert "no true" not in trust(RUNS["tensor"])
    assert "no true values" in trust(msgspec.structs.replace(RUNS["detect"], truth=None))
    assert "no true values" in trust(RUNS["segment"])


def test_the_commands_state_the_task_and_the_folder_of_images(tmp_path: Path) -> None:
    from PIL import Image

    for number, size in enumerate(SIZES):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
    (section,) = bundle_sections([RUNS["detect"]], [], data=[tmp_path])
    text = words_of(str(reproduce_section(section)))
    assert "--task detect" in text
    assert "report results --data d" in text


def test_a_folder_of_images_of_no_run_is_refused_on_the_command_line(refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "images").mkdir()
    (tmp_path / "results" / "run-1.json").write_bytes(msgspec.json.encode(RUNS["tensor"]))
    error = refuses("report", "results", "--data", "images")
    assert isinstance(error, BadInput)
    assert "images" in error.problem
