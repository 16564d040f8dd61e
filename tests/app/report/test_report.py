"""The report's page and figures, and the page of a history."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.app.render.formats import Layout
from edge_bench.app.render.table import MAX_ROWS
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.write import report_formats, write_history, write_report
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Failure, Result, Run
from tests.app.report.pages import EMULATED, Outline, answers, answers_of, page_of, section_of, words_of
from tests.command_line import CommandLine, Refuses
from tests.factories import LABELS, machine, result, run

#: Sections of a page with a bundle and without Offloads, which are section 1.
SECTIONS = ["c1-s0", "c1-boards", *(f"c1-s{number}" for number in (2, 5, 6, 7, 8, 9, 10, 11))]


@pytest.mark.slow
def test_the_page_is_self_contained_and_names_every_picture(report: Path) -> None:
    outline = Outline(report.read_text())
    assert [address for address in outline.addresses if not address.startswith(("#", "data:"))] == []
    assert outline.unnamed == []
    assert {"svg", "img", "figure", "table"} <= outline.tags
    assert "script" not in outline.tags
    assert len(outline.ids) == len(set(outline.ids))
    assert {address[1:] for address in outline.addresses if address.startswith("#")} <= set(outline.ids)


@pytest.mark.slow
def test_the_page_has_every_section_and_the_commands_to_reproduce_it(
    report: Path, real_run: Run, emulated_run: Run, digits_bundle: Bundle
) -> None:
    text = report.read_text()
    (section,) = bundle_sections([real_run, emulated_run], [digits_bundle])
    assert re.findall(r'<section id="([^"]+)"', text) == SECTIONS
    names = [drawing.name for drawing in section.drawings]
    assert names == ["accuracy-and-time", "trade-off", "trials-1", "latency", "confusion", "training"]
    assert text.count("<figure ") == len(names)
    assert answers_of(text) == answers([real_run, emulated_run])
    for value in (
        real_run.run_id, real_run.bundle.sha256, digits_bundle.variant("dynamic").sha256, real_run.tool_revision,
        "edge-bench train --bundle artifacts/bundle --model paper-cnn --dataset digits", "--limit 60",
    ):  # fmt: skip
        assert value in text, value
    between_machines = section_of(text, 6).split('<ul class="gallery">')[-1]
    assert between_machines.count("data:image/png;base64,") == 2  # the two labels that the emulated Run changed


@pytest.mark.slow
def test_boards_are_predicted_for_a_bundle_and_marked(report: Path) -> None:
    text = report.read_text()
    section = text[text.index(">Which Pi should I buy?</h2>") :]
    section = section[: section.index("</section>")]
    for board in ("Raspberry Pi Zero 2 W", "Raspberry Pi 4", "Raspberry Pi 5"):
        assert board in section
    assert section.count("PREDICTED") >= 6
    assert "desk" in section or "not measured" in section
    assert not re.search(r"\b(faster|slower|undecided)\b", section)


@pytest.mark.slow
def test_emulated_times_are_marked_and_are_in_no_comparison_and_no_picture(tmp_path: Path) -> None:
    host = run(result("keras", "tensorflow", 1.0))
    edge = msgspec.structs.replace(run(result("dynamic", "litert", 97.31), on=EMULATED), run_id="f" * 32)
    text = page_of(tmp_path, [host, edge])
    assert answers_of(text) == answers([host, edge])
    measured = text.index('<section id="c1-s9"')
    assert "973" not in words_of(text[text.index('<section id="c1-s0"') : measured])
    assert "emulated" in words_of(section_of(text, 2)).lower()
    pictures = re.findall(r'<svg [^>]*aria-label="([^"]*)', text)
    assert not any("97.3" in label or "973" in label for label in pictures)
    (section,) = bundle_sections([host, edge], [])
    assert len(section.trials) == 1  # the host's
    words = words_of(section_of(text, 9)).lower()
    assert words.index("emulated") < words.index("973")


@pytest.mark.slow
def test_runs_of_different_bundles_are_shown_apart_and_never_compared(tmp_path: Path) -> None:
    first = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5))
    second = run(result("keras", "tensorflow", 7.0), result("dynamic", "litert", 9.0), bundle="other")
    text = page_of(tmp_path, [first, msgspec.structs.replace(second, run_id="f" * 32)])
    apart = [words_of(part) for part in text.split('<article class="chapter">')[1:]]
    assert len(apart) == 2
    assert ("10.0 [" in apart[0], "70.0 [" in apart[0]) == (True, False)
    assert ("10.0 [" in apart[1], "70.0 [" in apart[1]) == (False, True)


@pytest.mark.slow
def test_a_page_without_true_labels_shows_no_confusion(tmp_path: Path) -> None:
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5, wrong=3))
    unlabelled = msgspec.structs.replace(whole, images=msgspec.structs.replace(whole.images, labels=pack(LABELS[:0])))
    text = page_of(tmp_path, [unlabelled])
    assert answers_of(text) == answers([unlabelled])
    assert "<figure" not in section_of(text, 6)


@pytest.mark.slow
def test_a_page_without_predictions_has_times(tmp_path: Path) -> None:
    results = (result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5))
    silent = run(*(msgspec.structs.replace(each, predictions=None) for each in results))
    text = page_of(tmp_path, [silent])
    assert answers_of(text) == answers([silent])
    assert "2.00×" in answers_of(text)[1]


def test_a_page_on_failures_only_has_their_reasons(tmp_path: Path) -> None:
    failed = Result(
        configuration=result("dynamic", "litert", 1.0).configuration, bytes=1, sha256="",
        failure=Failure(kind="cannot load", message="unknown operator", remedy="update it"),
    )  # fmt: skip
    text = page_of(tmp_path, [run(failed)])
    assert answers_of(text) == answers([run(failed)])
    assert answers_of(text)[0].startswith("No answer")
    assert "unknown operator" in text
    assert "update it" in text
    assert "<svg" not in text


@pytest.mark.slow
def test_a_name_with_html_or_formulas_in_it_is_a_name(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)> $\\frac{a}{b$ </title></style><script>"
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5, wrong=2),
                on=machine(hostname=hostile))  # fmt: skip
    bundle = msgspec.structs.replace(whole.bundle, dataset=hostile, model=hostile, note=hostile, classes=[hostile] * 10)
    text = page_of(tmp_path, [msgspec.structs.replace(whole, bundle=bundle)])
    outline = Outline(text)
    assert "script" not in outline.tags
    assert "img" not in outline.tags
    assert "&lt;img src=x" in text


@pytest.mark.slow
def test_many_configurations_fit_into_one_page(tmp_path: Path) -> None:
    measured = [result(variant, "litert", 1.0) for variant in ("float32", "float16", "dynamic", "int8")]
    results: list[Any] = [result("keras", "tensorflow", 2.0)]
    for threads in range(1, 35):
        for batch in range(1, 5):
            for one in measured:
                changed = msgspec.structs.replace(one.configuration, threads=threads, batch_size=batch)
                results.append(msgspec.structs.replace(one, configuration=changed, warnings=["unstable: " + "x" * 80]))
    text = page_of(tmp_path, [run(*results)])
    drawn = words_of(section_of(text, 2))
    assert "30" in drawn
    assert "545" in drawn
    for table in (0, 9):
        assert section_of(text, table).count('scope="row"') >= MAX_ROWS


@pytest.mark.slow
def test_figure_files_have_a_papers_width_and_are_reproducible(tmp_path: Path) -> None:
    measured = run(result("dynamic", "litert", 0.5, wrong=3))  # one configuration, so few figures
    paths = write_report([measured], [], tmp_path / "figures", ["png", "svg", "pdf"], Layout.COLUMN, Silent())
    assert {path.suffix for path in paths} == {".png", ".svg", ".pdf"}
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".svg":
            root = ElementTree.fromstring(content)
            assert root.get("width") == "252pt"  # 3.5 inches
            assert not list(root.iter("{http://www.w3.org/2000/svg}text"))  # paths, which need no fonts
        else:
            assert content.startswith(b"\x89PNG" if path.suffix == ".png" else b"%PDF")
    again = write_report([measured], [], tmp_path / "again", ["png", "svg", "pdf"], Layout.COLUMN, Silent())
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]


def test_a_bundle_that_none_of_the_runs_measured_is_refused(tmp_path: Path, digits_bundle: Bundle) -> None:
    with pytest.raises(BadInput) as caught:
        page_of(tmp_path, [run(result("keras", "tensorflow", 1.0))], digits_bundle.folder)
    assert str(digits_bundle.folder) in caught.value.problem
    assert not (tmp_path / "report.html").exists()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        report_formats(["html", "gif"])
    assert "gif" in caught.value.problem


def test_a_history_draws_each_series_and_marks_changes(tmp_path: Path) -> None:
    runs = [
        msgspec.structs.replace(
            run(result("dynamic", "litert", seconds)), began=f"2026-01-{day:02d}T00:00:00+00:00", run_id=f"{day:032d}"
        )
        for day, seconds in enumerate([1.0, 1.001, *[1.0] * 3, 1.4, *[1.0] * 6, 0.5, 0.5], start=1)
    ]
    (path,) = write_history(history(runs), tmp_path / "history.html")
    text = path.read_text()
    assert "2026-01-13" in text
    assert '<td class="verdict faster">faster</td>' in text
    (picture,) = write_history(history(runs), tmp_path / "history.svg")
    assert b"<svg" in picture.read_bytes()
    with pytest.raises(BadInput) as caught:
        write_history(history(runs), tmp_path / "history.txt")
    assert "history.txt" in caught.value.problem


@pytest.mark.slow
def test_report_and_history_from_the_command_line(edge_bench_here: CommandLine, real_run: Run, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "run-1.json").write_bytes(msgspec.json.encode(real_run))
    done = edge_bench_here("report", "results", "--format", "html,svg", "-o", "out/page.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "page.html").exists()
    assert len(list((tmp_path / "out" / "page-figures").glob("*.svg"))) >= 4
    done = edge_bench_here("history", "results", "--figure", "history.png")
    assert done.returncode == 0, done.stderr
    assert all(variant in done.stdout for variant in ("float32", "float16", "dynamic", "int8"))
    assert (tmp_path / "history.png").exists()
    assert edge_bench_here("compare", "results", "--format", "html").stdout.startswith("<!doctype html>")


def test_unknown_formats_are_refused_on_the_command_line(refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    whole = run(result("dynamic", "litert", 1.0))
    (tmp_path / "results" / "run-1.json").write_bytes(msgspec.json.encode(whole))
    assert "gif" in refuses("report", "results", "--format", "gif").problem
    assert "x.gif" in refuses("history", "results", "--figure", "x.gif").problem
