"""Delegates in tables, names, comparisons, gates, figures and commands: a configuration of its own everywhere."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.app.figures.drawing.entries import entries_of
from edge_bench.app.render.html.table import html_table
from edge_bench.app.render.table import Table
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.reproduce import reproduce_section
from edge_bench.app.tables.answer.short import configuration_columns, constants
from edge_bench.app.tables.delegates import delegate_notes
from edge_bench.app.tables.over_time.names import series_name
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.gate import changes_table
from edge_bench.app.tables.runs.history import answers_table, history_table
from edge_bench.app.tables.runs.repeats import repeats_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import changes
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.records.delegate import DelegateLibrary, Delegation
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.records.run_files import read_run, write_run
from tests.factories import group, repeats, result, run

LIBRARY = "libx.so,device=usb"
SECONDS = {"": 0.5, "none": 1.0, LIBRARY: 0.1}


def with_delegate(delegate: str, checksum: str = "0" * 64) -> Result:
    made = result("dynamic", "litert", SECONDS[delegate])
    has_library = delegate not in ("", "none")
    return msgspec.structs.replace(
        made,
        configuration=msgspec.structs.replace(made.configuration, delegate=delegate),
        delegations=[Delegation(name="libx.so", nodes=8, total_nodes=13, parts=2)] if has_library else [],
        delegate_library=DelegateLibrary(path="/opt/libx.so", bytes=9, sha256=checksum, version="2.1")
        if has_library
        else None,
    )


def measured(*names: str, checksum: str = "0" * 64) -> Run:
    return run(*(with_delegate(name, checksum) for name in names))


def tables(whole: Run) -> list[Table]:
    """Return every table with a row per configuration."""
    series = history(repeats(whole))
    change = changes(pair_runs([whole], [msgspec.structs.replace(whole, run_id="f" * 32)]))
    return [
        run_table(whole), comparison_table(compare([whole])), repeats_table(group(repeats(whole))),
        answers_table(series), history_table(series), changes_table(change, []),
    ]  # fmt: skip


def test_tables_have_the_column_only_if_a_delegate_is_set() -> None:
    for table in tables(measured("")):
        assert "delegate" not in table.header
        assert all(len(row) == len(table.header) for row in table.rows)
    for table in tables(measured("", "none", LIBRARY)):
        column = list(table.header).index("delegate")
        assert column < table.keys
        assert {"default", "none", LIBRARY} == {row[column] for row in table.rows}
        assert all(len(row) == len(table.header) for row in table.rows)
        assert {"", "none", LIBRARY} == {record["delegate"] for record in table.records}
        assert f"delegate {LIBRARY}" in html_table(table)


def test_names_and_short_tables_tell_delegates_apart() -> None:
    whole = measured("", "none", LIBRARY)
    rows = compare([whole]).rows
    names = [column.header for column in configuration_columns(rows)]
    assert "delegate" in names
    assert "delegate" not in constants(rows)
    assert LIBRARY in constants([row for row in rows if row.configuration.delegate == LIBRARY])
    assert "delegate" not in constants([row for row in rows if not row.configuration.delegate])
    series = history(repeats(whole))
    assert len({series_name(each, series) for each in series}) == 3
    assert len({entry.name for entry in entries_of([whole], {whole.run_id: "desk"})}) == 3
    assert any("8 of 13" in note for note in delegate_notes(whole))
    assert any("2.1" in note for note in delegate_notes(whole))
    assert delegate_notes(measured("")) == []


def test_a_baseline_is_selected_and_effects_are_attributed_by_delegate() -> None:
    whole = measured("none", "", LIBRARY)
    compared = compare([whole], f"dynamic/litert/1/1/{LIBRARY}")
    assert compared.baseline.delegate == LIBRARY
    assert compare([whole], "dynamic/litert/1/1/default").baseline.delegate == ""
    effects = [each for each in compared.effects if each.factor == "delegate"]
    assert [(each.reference.delegate, each.configuration.delegate) for each in effects] == [("", "none"), ("", LIBRARY)]
    assert effects[0].ratio.value == pytest.approx(2, rel=0.05)


def test_a_gate_pairs_the_same_delegate_and_refuses_another_library() -> None:
    old = measured("", LIBRARY)
    pairs = pair_runs([measured(LIBRARY, "none")], [old])
    assert [each.configuration.delegate for each in changes(pairs)] == [LIBRARY]
    with pytest.raises(BadInput):
        pair_runs([measured(LIBRARY, checksum="1" * 64)], [old])


def test_the_command_that_repeats_a_run_has_the_path_of_the_library() -> None:
    (section,) = bundle_sections([measured("", LIBRARY)], [])
    text = reproduce_section(section)
    assert "--delegate default --delegate /opt/libx.so,device=usb" in text
    (usual,) = bundle_sections([measured("")], [])
    assert "--delegate" not in reproduce_section(usual)


def test_runs_from_before_delegates_are_read(tmp_path: Path) -> None:
    whole = measured("", LIBRARY)
    path = write_run(whole, tmp_path)
    assert read_run(path) == whole
    older = msgspec.json.decode(path.read_bytes())
    for each in older["results"]:
        del each["configuration"]["delegate"], each["delegations"], each["delegate_library"]
    path.write_bytes(msgspec.json.encode(older))
    assert [each.configuration.delegate for each in read_run(path).results] == ["", ""]
    damaged = msgspec.json.decode(write_run(measured(LIBRARY), tmp_path).read_bytes())
    damaged["results"][0]["delegations"][0]["nodes"] = 99
    (tmp_path / "damaged.json").write_bytes(msgspec.json.encode(damaged))
    with pytest.raises(ResultsError):
        read_run(tmp_path / "damaged.json")
