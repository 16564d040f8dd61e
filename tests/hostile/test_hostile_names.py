"""Names with control characters and markup, in terminals and pages."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.app.cli.console import comparison_tables
from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.io.record_codec import encode_record
from tests.command_line import CommandLine, assert_refused
from tests.fuzz import seeds


@pytest.mark.slow
def test_control_characters_and_markup_in_names_are_shown_as_text(edge_bench_here: CommandLine, tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\x9b31m[/red]<script>alert(1)</script>\nrun trusted: yes"
    first = seeds.runs()[0]
    run = msgspec.structs.replace(
        first,
        machine=msgspec.structs.replace(first.machine, hostname=evil, cpu=evil),
        bundle=msgspec.structs.replace(first.bundle, model=evil, dataset=evil, note=evil, classes=[evil] * 10),
        stopped=evil,
    )
    (tmp_path / "results").mkdir()
    (tmp_path / "results/run-x.json").write_bytes(encode_record(run))
    done = edge_bench_here("compare", "results")
    assert done.returncode == 0, done.stderr
    assert "\\u001b" in done.stdout
    shown = {Format.TABLE: done.stdout + done.stderr}
    for form in Format:
        shown[form] = "\n".join(render(table, form) for table in (run_table(run), *comparison_tables(compare([run]))))
    for form, text in shown.items():
        for control in ("\x1b", "\x07", "\x9b", "\u202e"):
            assert control not in text, form
        assert "<script" not in text or form is not Format.HTML
        assert form is Format.CSV or not any(line.startswith("run trusted") for line in text.splitlines()), form
    done = edge_bench_here("report", "results", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert_refused(edge_bench_here("compare", f"no\x1b[2J{evil[:9]}.json"), "\\u001b")
