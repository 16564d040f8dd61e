"""The report, built from Runs: what it says, what it keeps apart, what it survives."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.app.render.formats import Layout
from edge_bench.app.report.write import report_formats, write_history, write_report
from edge_bench.bench.analysis.history import history
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Failure, Result, Run
from tests.app.report.conftest import EMULATED
from tests.command_line import CommandLine, assert_refused
from tests.factories import LABELS, machine, result, run

PI = machine(hostname="pi", cpu="Cortex-A72", architecture="aarch64")


def page_of(folder: Path, runs: list[Run], *bundles: Path) -> str:
    (path,) = write_report(runs, list(bundles), folder / "report.html", ["html"], Layout.COLUMN, Silent())
    text = path.read_text()
    assert len(text.encode()) < 5_000_000
    return text


def answers_of(text: str) -> str:
    found = re.search(r'<ul class="answers">(.*?)</ul>', text, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[1]).replace("\N{NO-BREAK SPACE}", " ")


def words_of(html: str) -> str:
    """What a reader reads: no tags, no coordinates."""
    return re.sub(r"<[^>]+>", " ", html)


class Outline(HTMLParser):
    """What a page refers to and which pictures and ids it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.unnamed: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "data", "srcset")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if (tag == "svg" and not (given.get("aria-label") and given.get("role") == "img")) or (
            tag == "img" and not given.get("alt")
        ):
            self.unnamed.append(tag)


def test_the_page_holds_all_it_needs_and_names_every_picture(
    tmp_path: Path, real_run: Run, emulated_run: Run, digits_bundle: Bundle
) -> None:
    outline = Outline(page_of(tmp_path, [real_run, emulated_run], digits_bundle.folder))
    assert [address for address in outline.addresses if not address.startswith(("#", "data:"))] == []
    assert outline.unnamed == []
    assert {"svg", "img", "figure", "table"} <= outline.tags
    assert "script" not in outline.tags
    assert len(outline.ids) == len(set(outline.ids))
    assert {address[1:] for address in outline.addresses if address.startswith("#")} <= set(outline.ids)


def test_the_page_has_every_section_and_what_it_takes_to_repeat_it(
    tmp_path: Path, real_run: Run, emulated_run: Run, digits_bundle: Bundle
) -> None:
    text = page_of(tmp_path, [real_run, emulated_run], digits_bundle.folder)
    for words in (
        "Accuracy and inference time", "Every trial over time", "Latency within the trials", "Accuracy against time",
        "What is taken for what", "Between machines, the same variant", "Training", "Machines", "What to believe",
        real_run.run_id, real_run.bundle.sha256, digits_bundle.variant("dynamic").sha256, real_run.tool_revision,
        "edge-bench train --bundle artifacts/bundle --model paper-cnn --dataset digits", "--limit 60",
    ):  # fmt: skip
        assert words in text, words
    assert "On 2 of the 60 images that all machines saw" in text
    assert text.count("data:image/png;base64,") >= 2


def test_the_answer_says_what_the_light_model_costs_and_up_to_which_delay_offloading_is_faster(tmp_path: Path) -> None:
    host = run(result("keras", "tensorflow", 1.0, wrong=8, size=4000), result("dynamic", "litert", 0.5, wrong=10))
    edge = run(result("dynamic", "litert", 4.0, wrong=10), on=PI)
    here, there = answers_of(page_of(tmp_path, [host, msgspec.structs.replace(edge, run_id="f" * 32)])).split(".On ")
    for words in ("2.00 [", "percentage points less accurate", "2.00 [", "times as fast", "25 % of its size",
                  "running it here is the faster choice whatever an offload costs"):  # fmt: skip
        assert words in here, words
    for words in ("pi, the light model", "(tensorflow on desk)", "times as long", "once an offload costs more than 3.0",
                  "s a pass of 100 images"):  # fmt: skip
        assert words in there, words


def test_an_undecided_answer_says_so(tmp_path: Path) -> None:
    noisy = run(result("keras", "tensorflow", 1.0, noise=0.3), result("dynamic", "litert", 1.03, noise=0.3))
    assert "undecided" in answers_of(page_of(tmp_path, [noisy]))


def test_emulated_runs_are_marked_and_their_times_are_in_no_comparison_and_no_picture(tmp_path: Path) -> None:
    host = run(result("keras", "tensorflow", 1.0))
    edge = run(result("dynamic", "litert", 97.31), on=EMULATED)
    text = page_of(tmp_path, [host, msgspec.structs.replace(edge, run_id="f" * 32)])
    assert "get no answer" in answers_of(text)
    comparison = words_of(text[text.index("<h2>Comparison") : text.index("<h2>All measurements")])
    assert "97.3" not in comparison
    assert "EMULATED: no time" in comparison  # in the picture of times
    pictures = re.findall(r'<svg [^>]*aria-label="([^"]*)', text)
    assert not any("97.3" in label or "973" in label for label in pictures)
    assert sum(label.startswith("Every trial over time") for label in pictures) == 2  # the host's, in two widths
    measured = words_of(text[text.index("<h2>All measurements") :])
    assert measured.index("EMULATED") < measured.index("97.3")


def test_runs_of_different_bundles_are_shown_apart_and_never_compared(tmp_path: Path) -> None:
    first = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5))
    second = run(result("keras", "tensorflow", 7.0), result("dynamic", "litert", 9.0), bundle="other")
    text = page_of(tmp_path, [first, msgspec.structs.replace(second, run_id="f" * 32)])
    assert "never compared" in text
    assert text.count('<article class="chapter">') == 2
    apart = [words_of(part) for part in text.split('<article class="chapter">')[1:]]
    assert "7.00" not in apart[0]
    assert "1.00 [" not in apart[1]


def test_a_run_without_true_labels_has_times_and_agreement_but_no_accuracy(tmp_path: Path) -> None:
    whole = run(result("keras", "tensorflow", 1.0), result("dynamic", "litert", 0.5, wrong=3))
    unlabelled = msgspec.structs.replace(whole, images=msgspec.structs.replace(whole.images, labels=pack(LABELS[:0])))
    text = page_of(tmp_path, [unlabelled])
    assert "gives the label of the original (tensorflow) to 97.00 % of the images" in answers_of(text)
    assert "no true labels" in text
    assert "What is taken for what" not in text


def test_a_run_without_predictions_has_times(tmp_path: Path) -> None:
    silent = [msgspec.structs.replace(r, predictions=None) for r in (result("keras", "tensorflow", 1.0),
                                                                     result("dynamic", "litert", 0.5))]  # fmt: skip
    assert "times as fast" in answers_of(page_of(tmp_path, [run(*silent)]))


def test_when_everything_failed_the_page_says_why(tmp_path: Path) -> None:
    failed = Result(
        configuration=result("dynamic", "litert", 1.0).configuration, bytes=1, sha256="",
        failure=Failure(kind="cannot load", message="unknown operator", remedy="update it"),
    )  # fmt: skip
    text = page_of(tmp_path, [run(failed)])
    assert "every configuration failed" in answers_of(text)
    assert "unknown operator" in text
    assert "update it" in text
    assert "<svg" not in text


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
def test_a_thousand_configurations_fit_into_one_page(tmp_path: Path) -> None:
    measured = [result(variant, "litert", 1.0) for variant in ("float32", "float16", "dynamic", "int8")]
    results: list[Any] = [result("keras", "tensorflow", 2.0)]
    for threads in range(1, 51):
        for batch in range(1, 6):
            for one in measured:
                changed = msgspec.structs.replace(one.configuration, threads=threads, batch_size=batch)
                results.append(msgspec.structs.replace(one, configuration=changed, warnings=["unstable: " + "x" * 80]))
    text = page_of(tmp_path, [run(*results)])
    assert "30 of 1,001 configurations" in text
    assert text.count("50 threads, batch 5") >= 8  # in both tables


@pytest.mark.slow
def test_single_pictures_are_whole_files_in_a_papers_width(tmp_path: Path, real_run: Run) -> None:
    paths = write_report([real_run], [], tmp_path / "figures", ["png", "svg", "pdf"], Layout.COLUMN, Silent())
    assert {path.suffix for path in paths} == {".png", ".svg", ".pdf"}
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".svg":
            root = ElementTree.fromstring(content)
            assert root.get("width") == "252pt"  # 3.5 inches
            assert not list(root.iter("{http://www.w3.org/2000/svg}text"))  # looks the same without our fonts
        else:
            assert content.startswith(b"\x89PNG" if path.suffix == ".png" else b"%PDF")
    again = write_report([real_run], [], tmp_path / "again", ["png", "svg", "pdf"], Layout.COLUMN, Silent())
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]


def test_a_bundle_that_none_of_the_runs_measured_is_refused(tmp_path: Path, digits_bundle: Bundle) -> None:
    with pytest.raises(BadInput, match="none of the runs"):
        page_of(tmp_path, [run(result("keras", "tensorflow", 1.0))], digits_bundle.folder)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(BadInput, match="gif"):
        report_formats(["html", "gif"])


def test_history_draws_real_series_and_marks_changes(tmp_path: Path) -> None:
    runs = [
        msgspec.structs.replace(
            run(result("dynamic", "litert", seconds)), began=f"2026-01-0{day}T00:00:00+00:00", run_id=f"{day:032d}"
        )
        for day, seconds in enumerate((1.0, 1.001, 0.5), start=1)
    ]
    (path,) = write_history(history(runs), tmp_path / "history.html")
    text = path.read_text()
    assert "faster on 2026-01-03" in text
    assert '<td class="verdict faster">faster</td>' in text
    (picture,) = write_history(history(runs), tmp_path / "history.svg")
    assert b"<svg" in picture.read_bytes()
    with pytest.raises(BadInput, match=r"history\.txt"):
        write_history(history(runs), tmp_path / "history.txt")


@pytest.mark.slow
def test_report_and_history_from_the_command_line(edge_bench: CommandLine, real_run: Run, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "run-1.json").write_bytes(msgspec.json.encode(real_run))
    done = edge_bench("report", "results", "--format", "html,svg", "-o", "out/page.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "page.html").exists()
    assert len(list((tmp_path / "out" / "page-figures").glob("*.svg"))) >= 4
    done = edge_bench("history", "results", "--figure", "history.png")
    assert done.returncode == 0, done.stderr
    assert "over time" in done.stdout
    assert (tmp_path / "history.png").exists()
    assert edge_bench("compare", "results", "--format", "html").stdout.startswith("<!doctype html>")
    assert_refused(edge_bench("report", "results", "--format", "gif"), "gif")
    assert_refused(edge_bench("history", "results", "--figure", "x.gif"), "x.gif")
