"""Hostile names in every text of every record, through every table, page and figure, in every format."""

import csv
import io
import json
import pkgutil
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints
from xml.etree import ElementTree as ET

import msgspec
import pytest
from markdown_it import MarkdownIt

import edge_bench.app.tables
from edge_bench.app.conversion.inspect import GraphInspection, LoadAttempt, ModelInspection, known_support
from edge_bench.app.conversion.measurable import Measurability
from edge_bench.app.figures.drawing.canvas import render as drawn
from edge_bench.app.figures.drawing.svg import inline_svg
from edge_bench.app.fleet.docker.engine import Description
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.fleet.status import EngineStatus
from edge_bench.app.render.escaping import visible
from edge_bench.app.render.formats import Format, Layout
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.page import report_page
from edge_bench.app.tables.fleet import engines_table, fleet_table
from edge_bench.app.tables.models.graph_rows import graph_table
from edge_bench.app.tables.models.inspect import inspect_tables
from edge_bench.app.tables.offload.outputs import outputs_table
from edge_bench.app.tables.offload.predicted import predicted_edge_table
from edge_bench.app.tables.offload.table import offload_tables
from edge_bench.app.tables.runs.attribution import attribution_table
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.cross_machine import across_table
from edge_bench.app.tables.runs.gate import changes_table
from edge_bench.app.tables.runs.history import answers_table, history_table
from edge_bench.app.tables.runs.repeats import repeats_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Limits, changes, judge
from edge_bench.bench.analysis.over_time.history import history, not_in_history
from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.interpretation.graphs.advice import RunAdvice
from edge_bench.bench.model_formats.tflite import read_tflite
from edge_bench.bench.models.cost import model_cost
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.records.offload import Offload, OutputComparison, OutputDifference
from edge_bench.bench.prediction.answer import PredictedModel, predict_model
from edge_bench.bench.prediction.catalogue import load_device
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.records.run_files import write_run
from edge_bench.bench.tasks.tensors.differences import Sums, difference_of
from tests.app.render.hostile_text import HOSTILE, formula_cells
from tests.command_line import CommandLine, call_here
from tests.fuzz import seeds
from tests.hostile.runs import FIXED, hostile_runs, hostile_tensors
from tests.hostile.small_tables import SMALL_TABLES, hostile_subject
from tests.struct_paths import with_every_text


def hostile_inspection(name: str, folder: Path) -> ModelInspection:
    path = folder / "x.tflite"
    path.write_bytes(seeds.tflites()[0])
    file = read_tflite(path)
    made = ModelInspection(path, False, file, model_cost(file), known_support(file), (LoadAttempt("", "", "x"),),
                           Measurability((), "x"), None)  # fmt: skip
    return with_every_text(made, name, but=("path", "operators", "graphs", "dtype"))  # type: ignore[no-any-return]


def graph(name: str, folder: Path) -> list[Table]:
    spec = TensorSpec(dtype="float32", shape=[1, -1], name=name)
    advice = RunAdvice("tensor", name, [f"--shape {name}=1xN"], name, name, [spec], [spec], [name])
    return [graph_table(GraphInspection(folder / "x.onnx", 1, Measurability(("onnxruntime",), advice=advice)))]


def hostile_offload(name: str) -> Offload:
    made = msgspec.json.decode(seeds.offloads()[0], type=Offload)
    difference = difference_of([Sums()])
    output = OutputDifference(name="y", other_name="y", identical=1, other_shapes=0, difference=difference)
    compared = OutputComparison(examples=2, identical=1, by_name=False, outputs=[output])
    return with_every_text(msgspec.structs.replace(made, comparison=compared), name, but=FIXED)  # type: ignore[no-any-return]


def edge(name: str) -> PredictedModel:
    made = predict_model(hostile_subject("x"), load_device("pi4"))
    return msgspec.structs.replace(made, model=name, device=name, board=name, reliable=False)


def of_runs(make: Callable[[Any], Table | None]) -> Callable[[str, Path], list[Table]]:
    return lambda name, _: [table for table in [make(compare(hostile_runs(name)))] if table]


def gate(name: str, _: Path) -> list[Table]:
    first, same = hostile_runs(name)[0], hostile_runs(name)[0]
    pairing = pair_runs([first], [msgspec.structs.replace(same, run_id="old")])
    found = changes(pairing)
    return [changes_table(found, judge(found, Limits(slower=0.05, accuracy_drop=0.5)), [name])]


def fleet(name: str, _: Path) -> list[Table]:
    setting = EngineSetting(name=name, url=name)
    failed = DeviceState(
        engine=setting, state=name, reason=name, remedy=name, machine=name, platform=name, run_file=name
    )
    return [fleet_table([failed, msgspec.structs.replace(failed, state="done", left_behind=True)])]


def engines(name: str, _: Path) -> list[Table]:
    description = Description(
        host=name, version=name, api=name, system=name, architecture=name, platform=name, cores=1, memory_bytes=1
    )
    setting = EngineSetting(name=name, context=name, platform=name)
    return [engines_table([EngineStatus(setting, description, [name], [name]), EngineStatus(setting, reason=name)])]


#: Every function that makes tables, as functions of a name and a folder.
TABLES: dict[Callable[..., Any], Callable[[str, Path], Sequence[Table]]] = {
    run_table: lambda name, _: [run_table(run) for run in (*hostile_runs(name), hostile_tensors(name))],
    repeats_table: lambda name, _: [repeats_table(hostile_runs(name)[:1] * 2)],
    answers_table: lambda name, _: [answers_table(history(hostile_runs(name)))],
    history_table: lambda name, _: [
        history_table(history(hostile_runs(name)), not_in_history(list(map(measured, hostile_runs(name)))))
    ],
    comparison_table: lambda name, _: [
        comparison_table(compare(runs)) for runs in (hostile_runs(name), [hostile_tensors(name)])
    ],
    across_table: of_runs(across_table),
    attribution_table: of_runs(attribution_table),
    changes_table: gate,
    offload_tables: lambda name, _: offload_tables(hostile_offload(name), assess(hostile_offload(name))),
    predicted_edge_table: lambda name, _: [
        predicted_edge_table(hostile_offload(name), assess(hostile_offload(name)), edge(name))
    ],
    outputs_table: lambda name, _: [outputs_table(hostile_offload(name))],
    fleet_table: fleet,
    engines_table: engines,
    graph_table: graph,
    **SMALL_TABLES,
    inspect_tables: lambda name, folder: inspect_tables(hostile_inspection(name, folder)),
}


def test_this_module_has_every_function_that_makes_a_table() -> None:
    found = set()
    for module in pkgutil.walk_packages(edge_bench.app.tables.__path__, "edge_bench.app.tables."):
        for function_name in getattr(loaded := import_module(module.name), "__all__", ()):
            function = getattr(loaded, function_name)
            result = get_type_hints(function).get("return") if callable(function) else None
            if result in (Table, Table | None, list[Table]):
                found.add(function)
    assert found == set(TABLES)


class Elements(HTMLParser):
    """All elements of a page, with their attributes, and whether anything in it could run or load something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.count, self.dangerous = 0, list[str]()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.count += 1
        for name, value in [(tag, None), *attributes]:
            if name in ("script", "iframe", "object", "embed", "base", "form", "foreignobject") or name.startswith(
                "on"
            ):
                self.dangerous.append(f"{tag} {name}={value}")
            if name in ("href", "src", "xlink:href") and not (value or "").startswith(("#", "data:")):
                self.dangerous.append(f"{tag} {name}={value}")


def check(text: str, form: Format, table: Table) -> None:
    """Assert that a table in a format has its rows, and that all names in it are text."""
    assert visible(text) == text
    text.encode("utf-8")
    if form is Format.CSV:
        assert formula_cells(text) == []
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) <= 1
        assert len(rows) == (len(table.records) + 1 if table.records else 0)
    elif form is Format.JSON:
        assert len(json.loads(text)) == len(table.records)
    elif form is Format.MARKDOWN:
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
        kinds = [token.type for token in tokens]
        assert kinds.count("tr_open") == len(table.rows) + 1
        assert kinds.count("td_open") == len(table.rows) * len(table.header)
        assert set(kinds) <= {
            "paragraph_open", "paragraph_close", "inline", "table_open", "table_close", "thead_open", "thead_close",
            "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close",
        }  # fmt: skip
        inside = {child.type for token in tokens for child in token.children or []}
        assert inside <= {"text", "strong_open", "strong_close"}
    elif form is Format.HTML:
        assert Elements(text).dangerous == []
        assert "run trusted: yes\n" not in text
    else:
        assert not any(line.startswith(("run trusted", "error:")) for line in text.splitlines())


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_are_text_in_every_table_and_format(make: Callable[..., Any], name: str, tmp_path: Path) -> None:
    tables = TABLES[make](name, tmp_path)
    assert tables
    for table in tables:
        for form in Format:
            check(render(table, form, 100), form, table)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(0, len(HOSTILE), 6))
def test_names_are_text_in_reports_and_figures(number: int) -> None:
    names = HOSTILE[number : number + 6]
    bundle = hostile_runs(names[0])[0].bundle  # the same, so that the Runs share figures
    runs = [msgspec.structs.replace(hostile_runs(name)[0], bundle=bundle) for name in names]
    (section,) = bundle_sections(runs, [], [hostile_offload(names[0])])
    page = report_page([section])
    assert visible(page) == page
    assert Elements(page).dangerous == []
    assert "<!--" not in page
    figures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(figures) == 2 * len(section.drawings) > 2 * len(names)  # each in two layouts
    for svg in figures:
        inside = ET.fromstring(f'<x xmlns:xlink="http://www.w3.org/1999/xlink">{svg}</x>')
        assert {element.tag for element in inside.iter()}.isdisjoint({"script", "a", "image", "foreignObject"})
    if number == 0:  # the escaping of files is that of the page; only the writer differs
        for drawing in {re.sub(r"-\d+$", "", each.name): each for each in section.drawings}.values():
            ET.fromstring(drawn(drawing, Layout.COLUMN, "svg"))
            assert drawn(drawing, Layout.COLUMN, "pdf").startswith(b"%PDF")


def test_a_name_that_looks_like_a_colour_or_an_id_stays_in_a_figure() -> None:
    name = '#d55e00 url(#a) id="b" 1.23456'
    first = hostile_runs(name)[0]
    (section,) = bundle_sections([first], [])
    assert section.accuracy_and_time is not None
    svg = inline_svg(section.accuracy_and_time, Layout.COLUMN, "x")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert any(text.startswith(name) for text in texts)


@pytest.mark.slow
def test_commands_print_names_of_a_hostile_run_as_text(tmp_path: Path, edge_bench: CommandLine) -> None:
    for number, name in enumerate(HOSTILE[:6]):
        for run in hostile_runs(name):
            write_run(run, tmp_path / f"results{number}")
    for number, form in zip(range(6), [*Format, Format.TABLE], strict=False):
        for command in ("compare", "history"):
            done = call_here(command, f"results{number}", "--format", form, cwd=tmp_path)
            assert done.code == 0, done.stderr
            assert visible(done.stdout) == done.stdout
            assert visible(done.stderr) == done.stderr
            assert form is not Format.CSV or formula_cells(done.stdout) == []
    hostile_file = tmp_path / "run-\x1b[2J\nerror: none.json"
    hostile_file.write_text("{}")
    refused = edge_bench("compare", hostile_file.name)
    assert (refused.returncode, "\x1b" in refused.stderr) == (2, False)
    assert sum(line.startswith("error:") for line in refused.stderr.splitlines()) == 1
    written = call_here("report", "results0", "-o", "page\x1b[2J\n.html", cwd=tmp_path)
    assert written.code == 0, written.stderr
    assert written.stdout.count("\n") == 1
    assert "\x1b" not in written.stdout + written.stderr
