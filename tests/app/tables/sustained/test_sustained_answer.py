"""What ``run --duration`` prints, and its JSON rows."""

import json

import msgspec
import pytest

from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.rows.measured import RunRow
from edge_bench.app.tables.runs.run import run_table
from edge_bench.app.tables.sustained.sentences import sustained_sentences
from edge_bench.app.tables.sustained.text import sustained_text
from edge_bench.bench.analysis.sustained.load import loads_of
from edge_bench.bench.records.power import MeteredPower
from edge_bench.bench.records.run import Run
from tests.factories import machine, result
from tests.factories import run as ordinary_run
from tests.made.runs.sustained import DURATION_S, IMAGES, jump, sustained_result, sustained_run


def sentences(run: Run) -> list[str]:
    return sustained_sentences(run, loads_of(run))


def text(run: Run, width: int = 80, *, wide: bool = False) -> str:
    return sustained_text(run, loads_of(run), [run_table(run)], width, "--why", wide=wide)


def test_a_steady_and_a_slower_load() -> None:
    steady = sentences(sustained_run(sustained_result("int8", noise=0)))
    assert steady[0] == "Steady: int8 on litert, 0.0300 ms/image over 30 min"
    assert steady[1] == "65 °C and 1,800 MHz at the end; 45 °C and 1,800 MHz at the start; at most 65 °C"
    assert "reliable" in steady[2]
    slower = sentences(sustained_run(sustained_result("int8", jump(0.5, 1.25), noise=1e-9)))
    assert slower[0] == "Slower by 25.0 % [25.0, 25.0] after 15 min: int8 on litert, 0.0300 → 0.0375 ms/image"
    assert slower[1] == "55 °C and 1,440 MHz then; 45 °C and 1,800 MHz at the start; at most 65 °C"
    faster = sentences(sustained_run(sustained_result("int8", jump(0.5, 0.8), noise=1e-9)))
    assert faster[0] == "Faster by 20.0 % [20.0, 20.0] after 15 min: int8 on litert, 0.0300 → 0.0240 ms/image"


def test_other_outcomes() -> None:
    undecided = sentences(sustained_run(sustained_result("int8", noise=0.2)))
    assert undecided[0].startswith("Undecided whether steady: int8 on litert, ")
    broken = sustained_run(sustained_result("int8", seconds=700), complete=False)
    assert sentences(broken)[0].startswith("No answer: int8 on litert: interrupted after 11 min ")
    assert sentences(broken)[0].endswith(" of 30 min")
    blind = sentences(sustained_run(sustained_result("int8", sensors=False)))
    assert "no sensors" in blind[1]


def test_the_order_at_the_start_and_at_the_end() -> None:
    throttled = sustained_result("int8", jump(0.5, 1.5), milliseconds=0.03)
    first, second, _ = sentences(sustained_run(throttled, sustained_result("float32", milliseconds=0.04)))
    assert first.startswith("Steady: float32 on litert, the fastest at the end, 0.0400 ms/image over 30 min")
    assert second.startswith("Order at the start: int8 on litert, float32 on litert; at the end: float32 on litert, ")
    assert "not compared" in second
    _, same, _ = sentences(sustained_run(throttled, sustained_result("float32", milliseconds=0.06)))
    assert same.startswith("Order at the start and at the end: int8 on litert, float32 on litert")


@pytest.mark.parametrize("width", [40, 80])
def test_the_text_fits_the_terminal(width: int) -> None:
    names = ("int8", "float32", "a_model_with_a_very_long_name_that_has_to_be_shortened")
    run = sustained_run(*(sustained_result(name, jump(0.3, 1.2), seed=number) for number, name in enumerate(names)))
    shown = text(run, width)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("slower") >= 3
    wide = text(run, width, wide=True)
    assert wide.count("29 min") >= 3  # the last minute of each


def test_energy_is_that_of_the_whole_load_and_the_title_names_the_cores() -> None:
    made = sustained_result("int8", jump(0.5, 1.25), noise=0)
    # 2 W in the first half, 4 W in the second
    trials = [msgspec.structs.replace(each, power_w=2.0 if each.began_ns < 9e11 else 4.0) for each in made.trials]
    plain = sustained_run(msgspec.structs.replace(made, trials=trials))
    metered = MeteredPower(source="rapl", meter="packages", least_trial_s=0.05, idle_w=[1.0, 1.0], idle_seconds=2.0)
    run = msgspec.structs.replace(
        plain,
        power=metered,
        settings=msgspec.structs.replace(plain.settings, cpus="0-1"),
        machine=machine(emulated=False),
    )
    (row,) = run_table(run).records
    watts = sum((each.power_w or 0) * each.elapsed_ns for each in trials) / sum(each.elapsed_ns for each in trials)
    assert row["power_w"] == pytest.approx(watts)
    assert row["joules"] == pytest.approx(watts * row["pass_mean_s"] / IMAGES, rel=1e-3)
    assert row["joules_above_idle"] / row["joules"] == pytest.approx((watts - 1) / watts)
    assert row["joules_low"] is None  # one process
    shown = text(run, 200)
    assert "mJ/image" in shown
    assert "RAPL" in shown
    assert "cores 0-1" in shown
    assert "mJ" not in text(plain, 200)


def test_rows_of_json_have_the_load() -> None:
    run = sustained_run(
        sustained_result("int8", jump(0.5, 1.25), noise=1e-9), sustained_result("float32", seconds=DURATION_S / 2)
    )
    (row, unfinished) = json.loads(render(run_table(run), Format.JSON))
    for each in (row, unfinished):
        msgspec.convert(each, RunRow, strict=True)
    assert row["sustained"] == "slower"
    assert row["slowdown"] == pytest.approx(0.25)
    assert row["slowdown_low"] <= row["slowdown"] <= row["slowdown_high"]
    assert row["changed_after_s"] == pytest.approx(900, abs=11)
    assert len(row["sustained_load"]["bins"]) == 30
    assert (unfinished["sustained"], unfinished["slowdown"]) == ("unfinished", None)
    (other,) = json.loads(render(run_table(ordinary_run(result("int8", "litert", 1.0))), Format.JSON))
    assert (other["sustained"], other["sustained_load"]) == (None, None)
