"""The idle power is measured before the first trial, and the energies of a run are those of its trials."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_bench.bench.analysis.energy.joules import energy_of
from edge_bench.bench.measure.energy import start
from edge_bench.bench.measure.energy.start import chosen_meter, idle_power, start_metering
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.recording.run_builder import RunBuilder
from edge_bench.bench.measure.stored.matching import same_settings
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.journal.entries import Entry, FindingAdded, PowerMeasured
from edge_bench.bench.records.power import NO_ENERGY, MeteredPower, stated_power
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.system.power.find import Search
from edge_bench.bench.system.power.meters import METER, Meter, Wattmeter
from edge_bench.bench.system.sensors import Sensors
from tests.bench.system.power.simulated import SimulatedMachine
from tests.factories import machine, measure, result, run


def test_idle_power_is_that_of_each_second(tmp_path: Path) -> None:
    computer = SimulatedMachine(tmp_path, 3.0)
    computer.rapl(0, "package-0", start_uj=262_143_000_000)
    found = idle_power(computer.meter(), 10.0, Sensors(tmp_path), computer)
    assert (found.source, found.idle_seconds) == ("rapl", 10.0)
    assert found.idle_w == pytest.approx([3.0] * 10, rel=1e-5)
    assert found.idle_other_cpu_ns is None  # the tree has no /proc/stat


def started(monkeypatch: pytest.MonkeyPatch, search: Search, begun: Run, earlier: MeteredPower | None = None) -> Any:
    """Return the meter of a run, and what it recorded."""
    monkeypatch.setattr(start, "find_meter", lambda file="": search)
    monkeypatch.setenv("EDGE_BENCH_IDLE_SECONDS", "0.001")
    entries: list[Entry] = []
    return start_metering(begun, earlier, entries.append, Silent()), entries


def test_a_resumed_run_keeps_its_idle_power_and_its_meter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    meter = Wattmeter(METER, "hwmon ina219", lambda: 3.0, 1e-4)
    begun = run(result("int8", "litert", 1.0))
    found, (shortened, entry) = started(monkeypatch, Search(meter), begun)
    assert found is meter
    assert isinstance(shortened, FindingAdded)
    assert "EDGE_BENCH_IDLE_SECONDS" in shortened.finding.what
    assert isinstance(entry, PowerMeasured)
    assert started(monkeypatch, Search(meter), begun, entry.power) == (meter, [])
    for search in (Search(None), Search(Wattmeter(METER, "hwmon ina226", lambda: 3.0, 1e-4))):
        other, (finding,) = started(monkeypatch, search, begun, entry.power)
        assert other is None
        assert isinstance(finding, FindingAdded)
        assert "hwmon ina219" in finding.finding.what


def test_a_meter_that_cannot_be_read_is_a_finding_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search(None, "/sys/x: Permission denied", "sudo chmod a+r /sys/x")
    meter, (entry,) = started(monkeypatch, search, run(result("int8", "litert", 1.0)))
    assert meter is None
    assert isinstance(entry, FindingAdded)
    assert "/sys/x: Permission denied" in entry.finding.what
    assert entry.finding.remedy == "sudo chmod a+r /sys/x"
    assert not entry.finding.spoils
    emulated = run(on=machine(emulated=True))
    assert started(monkeypatch, search, emulated) == (None, [])


def test_no_meter_is_read_if_the_power_is_stated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "power1_input"
    path.write_text("5000000\n")
    monkeypatch.setattr(start, "find_meter", lambda file="": Search(Wattmeter(METER, file or "best", lambda: 1.0, 1.0)))
    assert chosen_meter(stated_power("pi4")).meter is chosen_meter(NO_ENERGY).meter is None
    found, best = chosen_meter(str(path)).meter, chosen_meter(None).meter
    assert found is not None
    assert found.name == str(path)
    assert best is not None
    assert best.name == "best"


def test_a_run_with_another_power_is_not_reused() -> None:
    stated, plain = Settings(power=stated_power("pi4")), Settings()
    assert not same_settings(stated, plain, {"power"})
    assert not same_settings(stated, plain, None)
    assert same_settings(stated, Settings(power=stated_power("pi4")), {"power"})
    assert same_settings(stated, plain, {"trials"})  # without --power, any energy will do


def test_entries_of_a_journal_make_the_power_of_a_run() -> None:
    power = MeteredPower(source="pmic", meter="m", least_trial_s=0.2, idle_w=[2.5], idle_seconds=10.0)
    builder = RunBuilder(run(result("int8", "litert", 1.0)))
    builder.apply(PowerMeasured(power=power))
    assert builder.run(complete=True).power == power


@pytest.mark.slow
def test_a_run_has_the_energy_of_its_trials(monkeypatch: pytest.MonkeyPatch, digits_bundle: Bundle) -> None:
    watts = [2.0]
    meter = Wattmeter(METER, "m", lambda: watts[0], 1e-3)

    def measured_idle(by: Meter, *arguments: Any) -> MeteredPower:
        found = idle_power(by, *arguments)
        watts[0] = 5.0  # from now on there are workers
        return found

    monkeypatch.setattr(start, "find_meter", lambda file="": Search(meter))
    monkeypatch.setattr(start, "idle_power", measured_idle)
    monkeypatch.setenv("EDGE_BENCH_IDLE_SECONDS", "0.02")
    settings = Settings(trials=4, processes=2, limit=60)
    made = measure(digits_bundle, Selection(variants=["float32"], runtimes=["litert"]), settings)
    (result_,) = made.results
    assert made.power is not None
    assert made.power.idle_w == [2.0]
    assert [trial.power_w for trial in result_.trials] == [5.0] * 4
    energy = energy_of(made, result_)
    pairs = [[trial for trial in result_.trials if trial.process == process] for process in (0, 1)]
    per_inference = [sum(t.elapsed_ns for t in own) / 1e9 / 60 / sum(t.passes for t in own) for own in pairs]
    assert energy.joules is not None
    assert energy.joules.value == pytest.approx(5.0 * sum(per_inference) / 2)
    assert energy.joules.interval is not None
    assert energy.above_idle is not None
    assert energy.above_idle.value == pytest.approx(3.0 * sum(per_inference) / 2)
    without = measure(digits_bundle, Selection(variants=["float32"], runtimes=["litert"]),
                      msgspec.structs.replace(settings, power=NO_ENERGY))  # fmt: skip
    assert without.power is None
    assert [trial.power_w for trial in without.results[0].trials] == [None] * 4
