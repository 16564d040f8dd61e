"""What `fleet run` answers: the fastest machine, machines that failed, one machine, emulated ones."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.runs.state import DeviceState
from edge_bench.app.tables.answer.fleet import FleetAnswered, fleet_sentences, fleet_text
from edge_bench.app.tables.fleet import fleet_table
from edge_bench.bench.analysis.answer.machines import compare_machines
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import machine, result, run
from tests.nine_configurations import nine, on_pi

EMULATED = machine(hostname="emulated", emulated=True, emulation_signs=["a sign"])


def device(name: str, measured: Run | None = None, **changes: Any) -> DeviceState:
    done = {"state": "done", "run_file": "run.json", "run_id": measured.run_id} if measured else {}
    return DeviceState(engine=EngineSetting(name=name, url="tcp://a:1"), **(done | changes))


LOST = device("pi5", state="lost", reason="connection refused", remedy="switch it on")


def subject(devices: Sequence[DeviceState], *runs: Run) -> FleetAnswered:
    comparison = compare(runs) if runs else None
    machines = compare_machines(runs, comparison) if comparison else None
    return FleetAnswered(devices, runs, comparison, machines, [fleet_table(devices, comparison, machines)], "--why")


def lines(devices: Sequence[DeviceState], *runs: Run) -> list[str]:
    text = fleet_text(subject(devices, *runs), 80).split("\n")
    assert len(text) <= 30
    assert max(map(len, text)) <= 80
    return text


def test_the_fastest_machine_is_compared_with_the_next_and_failed_ones_are_named() -> None:
    desk, pi, other = nine(), on_pi(), nine(machine=EMULATED)
    text = lines([device("pi4", pi), device("desk", desk), LOST, device("qemu", other)], pi, desk, other)
    assert text[0].startswith("Fastest: desk with dynamic on litert, 0.030 [")
    assert text[1].startswith("10.0× faster than pi4")
    assert "2 of 9" in text[2] or "of 18" in text[2]  # the emulated machine's times count for nothing
    assert "! pi5 lost: connection refused; switch it on" in text[3:5]
    rows = [line for line in text if line[2:].startswith(("desk ", "pi4 ", "qemu EMULATED"))]
    assert [line[:6] for line in rows] == ["▸ desk", "  pi4 ", "  qemu"]
    assert "ms" not in rows[2]


def test_rows_are_of_the_fastest_configuration_of_each_machine() -> None:
    first, slow = run(result("a", "x", 1.0), result("b", "x", 2.0)), machine(hostname="pi", architecture="aarch64")
    second = run(result("a", "x", 9.0), result("b", "x", 4.0), on=slow)
    found = compare_machines([second, first], compare([second, first]))
    assert [(row.configuration.variant, row.fastest, row.verdict) for row in found.rows] == [
        ("a", True, None), ("b", False, Verdict.SLOWER),
    ]  # fmt: skip
    assert found.rows[0].is_baseline
    assert found.rows[1].ratio is not None
    assert round(found.rows[1].ratio.value, 1) == 4.0


def test_machines_that_do_not_differ_have_no_winner() -> None:
    first = run(result("a", "x", 1.0))
    second = msgspec.structs.replace(run(result("a", "x", 1.001)), machine=machine(hostname="twin"))
    text = lines([device("desk", first), device("twin", second)], first, second)
    assert text[0].startswith("No clear winner: desk and twin are within ")
    assert sum(line.startswith("▸") for line in text) == 2


def test_one_machine_shows_its_configurations() -> None:
    made = nine()
    text = lines([device("desk", made), LOST], made)
    assert " ".join(text).startswith("Fastest on desk (only machine): dynamic on litert, 0.030")
    assert any(line.startswith("! pi5 lost") for line in text[2:6])
    assert sum("litert" in line and line[0] in "▸ " and line[2:9] in ("dynamic", "int8   ") for line in text) == 2


def test_without_results_only_the_reasons_are_shown() -> None:
    many = [device(f"pi{number}", state="failed", reason=f"reason {number}") for number in range(9)]
    text = lines(many)
    assert text[0] == "No answer: all 9 machines failed"
    assert text[-1] == "! 6 more machines failed (--why)"
    assert all(f"reason {number}" in " ".join(fleet_sentences(subject(many))) for number in range(9))
    assert lines([LOST])[0] == "No answer: the only machine failed"


def test_emulated_machines_get_no_verdict() -> None:
    first, second = nine(machine=EMULATED), nine(machine=msgspec.structs.replace(EMULATED, hostname="other"))
    text = lines([device("a", first), device("b", second)], first, second)
    assert "EMULATED" in text[0]
    assert not any("ms/image" in line or "▸" in line for line in text)


def test_emulated_times_that_vary_are_no_note() -> None:
    warnings = ["unstable: the standard deviation is 10 % of the mean", "labels differ from those of the original"]

    def notes(measured: Run) -> str:
        warned = [msgspec.structs.replace(each, warnings=warnings) for each in measured.results]
        return "\n".join(lines([device("a", measured)], msgspec.structs.replace(measured, results=warned)))

    one = result("a", "x", 1.0)
    assert ["unstable" in notes(run(one, on=each)) for each in (machine(), EMULATED)] == [True, False]
    assert "labels differ" in notes(run(one, on=EMULATED))
