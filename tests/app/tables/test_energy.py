"""Every table, row and report names the source of an energy, and shows the known joules."""

import msgspec
import pytest

from edge_bench.app.render.formats import Format
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.report.page import report_page
from edge_bench.app.tables.answer.text import Answered, answer_text
from edge_bench.app.tables.runs.comparison import comparison_table
from edge_bench.app.tables.runs.repeats import repeats_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.records.power import MeteredPower, stated_power
from edge_bench.bench.records.run import Result, Run, Settings
from tests.factories import group, machine, repeats, result, run

#: Of a source: the meter, and the word of tables. Each is 5 W during trials and 2 W idle.
METERS = {
    "meter": ("hwmon ina226", "meter"),
    "pmic": ("the Pi 5's power chip", "PMIC"),
    "rapl": ("RAPL: only the processor packages", "RAPL"),
}


def powered(made: Result, watts: float | None) -> Result:
    trials = [msgspec.structs.replace(trial, elapsed_ns=10**9, power_w=watts) for trial in made.trials]
    return msgspec.structs.replace(made, trials=trials)


def of_source(source: str, host: str = "desk") -> Run:
    """Two configurations of 10 ms per image: 50 mJ, 30 above idle; the other one has no readings."""
    results = [powered(result("int8", "litert", 1.0), 5.0), powered(result("keras", "tensorflow", 1.0), None)]
    made = run(*results, on=machine(hostname=host))
    if source == "stated":
        return msgspec.structs.replace(made, settings=Settings(power=stated_power("idle=2W,compute=5W")))
    if source == "none":
        return made
    power = MeteredPower(source=source, meter=METERS[source][0], least_trial_s=0.1, idle_w=[2.0] * 10, idle_seconds=10)
    return msgspec.structs.replace(made, power=power, trusted=True)


def texts(table: Table, row: int) -> str:
    """The cells of a row, and all notes."""
    return " | ".join([*table.rows[row], *table.notes])


@pytest.mark.slow
@pytest.mark.parametrize("source", METERS)
def test_every_table_names_the_meter_and_has_the_joules(source: str) -> None:
    made = of_source(source)
    meter, word = METERS[source]
    again = group(repeats(made, 3))
    tables = run_table(made), comparison_table(compare([made])), repeats_table(again)
    for table in tables:
        assert word in table.rows[0]
        assert any(meter in note for note in table.notes)
        record = table.records[0]
        assert (record["energy_source"], record["energy_meter"]) == (source, meter)
        assert record["joules"] == pytest.approx(0.05, rel=0.02)
        assert record["joules_above_idle"] == pytest.approx(0.03, rel=0.02)
        assert record["idle_w"] == pytest.approx(2.0)
        assert table.records[1]["joules"] is None
        assert table.records[1]["energy_source"] == source
    first = tables[0]
    heading = [name.split("\n")[0] for name in first.header].index("mJ/image")
    assert first.rows[0][heading : heading + 2] == ["50.0 [50.0, 50.0]", "30.0 [30.0, 30.0]"]
    assert first.rows[1][heading : heading + 2] == ["", ""]
    assert "2.00 [2.00, 2.00] W" in texts(first, 0)
    short = answer_text(Answered([made], compare([made]), tables[:1], ""), 120)
    assert word in short
    assert "50.0" in short
    assert "idle 2.00" in short
    assert "keras on tensorflow" in short.split("gave no valid reading")[0].splitlines()[-1]  # no silent absence
    page = report_page(bundle_sections([made], []))
    assert word in page
    assert meter.split("'")[-1] in page


@pytest.mark.slow
def test_a_stated_power_is_an_estimate_in_every_table() -> None:
    made = of_source("stated")
    table, compared = run_table(made), comparison_table(compare([made]))
    for each in (table, compared):
        assert "estimate" in texts(each, 0)
        assert "50.0 [" not in texts(each, 0)
        assert each.records[0]["energy_source"] == "stated"
        assert each.records[0]["joules"] == pytest.approx(0.05)
        assert each.records[0]["joules_low"] is None
    assert "estimate" in answer_text(Answered([made], compare([made]), [table], ""), 120)
    assert "estimate" in report_page(bundle_sections([made], []))


def test_without_a_source_rows_say_none_and_tables_have_no_column() -> None:
    made = of_source("none")
    for table in (run_table(made), comparison_table(compare([made])), repeats_table(group(repeats(made, 2)))):
        assert not any("mJ" in name for name in table.header)
        assert table.records[0]["energy_source"] == "none"
        assert table.records[0]["joules"] is None
        assert "energy_source" in render(table, Format.CSV)
    assert any("none" in note for note in run_table(made).notes if note.startswith("energy"))


def test_energies_of_different_meters_are_side_by_side_without_a_verdict() -> None:
    compared = comparison_table(compare([of_source("rapl"), of_source("pmic", "pi")]))
    assert "RAPL" in compared.rows[0]
    assert "PMIC" in compared.rows[2]
    assert sum("do not compare" in note for note in compared.notes) == 1
    assert sum("do not compare" in note for note in comparison_table(compare([of_source("rapl")])).notes) == 0


def test_energy_with_other_programs_is_marked() -> None:
    made = of_source("rapl")
    trials = [msgspec.structs.replace(each, cpu_ns=10**9, other_cpu_ns=10**9) for each in made.results[0].trials]
    busy = msgspec.structs.replace(made, results=[msgspec.structs.replace(made.results[0], trials=trials)])
    table = run_table(busy)
    assert "50.0 [50.0, 50.0] ~" in table.rows[0]
    assert table.records[0]["energy_reliable"] is False
    assert "~ not reliable" in answer_text(Answered([busy], compare([busy]), [table], ""), 200)
    assert run_table(made).records[0]["energy_reliable"] is True
