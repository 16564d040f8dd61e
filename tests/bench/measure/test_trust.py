"""Findings that make measurements unreliable, with their remedies, and machines without any."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.trust import disturbed, trial_findings, trusted
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Trial
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.environment import COOLING, LESS_LOAD, REMEDIES, load_now, machine_findings
from edge_bench.bench.system.machine import Finding, Machine, describe_machine
from edge_bench.bench.system.sensors import FIRMWARE_BITS, MachineState, Sensors, throttling
from tests import trees
from tests.bench.messages import numbers_in
from tests.factories import machine, measure, result, run

MS = 1_000_000


def described(root: Path, architecture: str = "aarch64") -> tuple[Machine, list[Finding]]:
    found = describe_machine(root, architecture)
    return found, machine_findings(found, root)


def test_a_pi_4_with_default_settings_has_a_finding_about_its_governor(tmp_path: Path) -> None:
    pi, (governor,) = described(trees.raspberry_pi_4(tmp_path))
    assert (pi.hostname, pi.board, pi.cpu, pi.cores) == ("pi4", "Raspberry Pi 4 Model B Rev 1.5", "Cortex-A72", 4)
    assert (pi.frequency_mhz, pi.governor, pi.memory_bytes) == (1800, "ondemand", 3_885_396 * 1024)
    assert (pi.kernel, pi.os, pi.load_average) == ("6.12.25+rpt-rpi-v8", "Debian GNU/Linux 12 (bookworm)", 0.08)
    assert not pi.emulated
    assert "ondemand" in governor.what
    assert "performance" in governor.remedy
    assert governor.spoils


def test_past_throttling_of_a_pi_4_differs_from_present_throttling(tmp_path: Path) -> None:
    _, once = described(trees.raspberry_pi_4(tmp_path, governor="performance", throttled="50000"))
    assert [finding.spoils for finding in once] == [False, False]
    _, now = described(trees.raspberry_pi_4(tmp_path, governor="performance", throttled="50005"))
    assert [finding.spoils for finding in now] == [True, True]
    under_voltage, throttled = FIRMWARE_BITS[0], FIRMWARE_BITS[2]
    for under_voltage_finding, throttled_finding in (once, now):
        assert under_voltage in under_voltage_finding.what
        assert throttled in throttled_finding.what
        assert (under_voltage_finding.remedy, throttled_finding.remedy) == (REMEDIES[under_voltage], COOLING)
    assert {finding.what for finding in once}.isdisjoint(finding.what for finding in now)


def test_a_well_configured_pi_5_has_no_findings(tmp_path: Path) -> None:
    pi, findings = described(trees.raspberry_pi_5(tmp_path))
    assert (pi.cpu, pi.frequency_mhz) == ("Cortex-A76", 2400)
    assert findings == []
    state = Sensors(tmp_path).read()
    assert (state.temperature_c, state.frequency_low_mhz, state.frequency_high_mhz) == (48.2, 600, 1500)
    assert state.firmware == 0


def test_a_laptop_on_battery_has_findings_about_governor_and_battery(tmp_path: Path) -> None:
    laptop, findings = described(trees.laptop_on_battery(tmp_path), "x86_64")
    assert "i7-1165G7" in laptop.cpu
    governor, _ = findings
    assert "powersave" in governor.what
    assert all(finding.spoils for finding in findings)
    state = Sensors(tmp_path).read()
    assert (state.temperature_c, state.thermal_events) == (61.0, 12)  # without the disabled zone
    trees.write(tmp_path, {"sys/class/power_supply/BAT0/status": "Charging\n"})
    assert described(tmp_path, "x86_64")[1] == [governor]


@pytest.mark.parametrize(("version", "quota", "cores"), [(2, "150000", 1.5), (1, "50000", 0.5)])
def test_a_container_with_a_cpu_limit(tmp_path: Path, version: int, quota: str, cores: float) -> None:
    found, (finding,) = described(trees.container(tmp_path, version=version, quota=quota))
    assert found.cpu_limit == cores
    assert found.container
    assert cores in numbers_in(finding.what)
    assert "--cpus" in finding.remedy


@pytest.mark.parametrize(("version", "quota"), [(2, "max"), (1, "-1")])
def test_a_container_without_a_limit(tmp_path: Path, version: int, quota: str) -> None:
    found, findings = described(trees.container(tmp_path, version=version, quota=quota))
    assert found.cpu_limit is None
    assert findings == []


def test_a_limit_that_stopped_the_container_marks_the_trial(tmp_path: Path) -> None:
    sensors = Sensors(trees.container(tmp_path, version=2, quota="50000", throttled=3))
    before = sensors.read()
    assert throttling(before, sensors.read()) == []
    trees.container(tmp_path, version=2, quota="50000", throttled=4)
    (reason,) = throttling(before, sensors.read())
    assert "--cpus" in REMEDIES[reason]


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (0x50000, 0x50000, 0),  # only before the trial
        (0x0, 0x50000, 2),  # only between the two readings
        (0x4, 0x40000, 1),
        (0x0, 0x80008, 1),
    ],
)
def test_firmware_bits_count_if_they_are_set_or_were_set_in_between(before: int, after: int, reasons: int) -> None:
    assert len(throttling(MachineState(firmware=before), MachineState(firmware=after))) == reasons


def test_heat_on_a_pc_marks_the_trial() -> None:
    (reason,) = throttling(MachineState(thermal_events=7), MachineState(thermal_events=9))
    assert REMEDIES.get(reason, COOLING) == COOLING
    assert throttling(MachineState(thermal_events=9), MachineState(thermal_events=9)) == []


def test_sensors_of_an_emulators_host_are_not_read(tmp_path: Path) -> None:
    trees.laptop_on_battery(tmp_path)
    trees.write(tmp_path, {"sys/devices/system/cpu/modalias": "cpu:type:x86,ven0000:feature:,0000"})
    assert Sensors(tmp_path, emulated=True).read() == MachineState()
    found, findings = described(tmp_path, "aarch64")
    assert found.emulated
    assert (found.governor, found.frequency_mhz) == ("", None)
    (finding,) = findings
    assert finding.spoils
    assert found.emulation_signs
    assert all(sign in finding.what for sign in found.emulation_signs)


def trial(**fields: int) -> Trial:
    return msgspec.structs.replace(result("dynamic", "litert", 1.0).trials[0], elapsed_ns=1000 * MS, **fields)


def test_a_trial_is_disturbed_by_load_on_its_cores_and_by_steal_time() -> None:
    assert not disturbed(trial(), threads=1, cores=2)  # readings are missing
    assert not disturbed(trial(other_cpu_ns=900 * MS, steal_ns=0), threads=1, cores=2)  # on the core that is free
    assert disturbed(trial(other_cpu_ns=1100 * MS, steal_ns=0), threads=1, cores=2)
    assert disturbed(trial(other_cpu_ns=100 * MS, steal_ns=0), threads=2, cores=2)
    assert disturbed(trial(other_cpu_ns=0, steal_ns=60 * MS), threads=1, cores=4)
    assert not disturbed(trial(other_cpu_ns=0, steal_ns=30 * MS), threads=1, cores=4)  # within what ticks can tell


def with_trials(changed: int, **fields: object) -> Run:
    measured = result("dynamic", "litert", 1.0)
    trials = [
        msgspec.structs.replace(made, **(fields if number < changed else {}))
        for number, made in enumerate(measured.trials)
    ]
    return run(msgspec.structs.replace(measured, trials=trials))


def test_any_throttled_trial_spoils_the_run() -> None:
    under_voltage = FIRMWARE_BITS[0]
    (finding,) = trial_findings(with_trials(1, throttled=[under_voltage]).results, machine())
    assert {1, 30} <= set(numbers_in(finding.what))
    assert under_voltage in finding.what
    assert finding.remedy == REMEDIES[under_voltage]
    assert finding.spoils


@pytest.mark.parametrize(("count", "spoils"), [(3, False), (4, True)])
def test_load_spoils_a_run_if_it_disturbs_more_than_a_tenth_of_the_trials(count: int, spoils: bool) -> None:
    (finding,) = trial_findings(with_trials(count, other_cpu_ns=3_000 * MS, steal_ns=0).results, machine())
    assert {count, 30} <= set(numbers_in(finding.what))
    assert finding.remedy == LESS_LOAD
    assert finding.spoils is spoils


def test_a_wide_spread_spoils_the_run() -> None:
    results = run(result("dynamic", "litert", 1.0, noise=0.3), result("float32", "litert", 1.0)).results
    (finding,) = trial_findings(results, machine())
    assert {1, 2} <= set(numbers_in(finding.what))
    assert "dynamic" in finding.what
    assert "float32" not in finding.what
    assert finding.spoils


def test_a_run_is_trusted_if_it_is_complete_measured_and_not_spoiled() -> None:
    results = run(result("dynamic", "litert", 1.0)).results
    spoils = Finding(what="", remedy="", spoils=True)
    note = Finding(what="", remedy="", spoils=False)
    assert trusted([note], results, complete=True)
    assert not trusted([spoils], results, complete=True)
    assert not trusted([], results, complete=False)
    assert not trusted([], [], complete=True)


def test_present_load_is_measured_while_this_process_sleeps(tmp_path: Path) -> None:
    pi = describe_machine(trees.raspberry_pi_4(tmp_path), "aarch64")

    def others_work(ticks: int) -> list[Finding]:
        def sleep(_: float) -> None:
            trees.write(tmp_path, {"proc/stat": trees.STAT.format(busy=5_000 + ticks, steal=0)})

        trees.write(tmp_path, {"proc/stat": trees.STAT.format(busy=5_000, steal=0)})
        return load_now(pi, tmp_path, 1.0, sleep)

    assert others_work(3) == []
    (finding,) = others_work(152)
    assert {1.5, 4} <= set(numbers_in(finding.what))


@pytest.mark.slow
def test_a_real_run_records_its_cpu_time_and_whether_to_trust_it(digits_bundle: Bundle) -> None:
    made = measure(digits_bundle, Selection(variants=["dynamic"], runtimes=["litert"]))
    assert made.trusted is not any(finding.spoils for finding in made.findings)
    assert made.state_before is not None
    for each in made.results[0].trials:
        assert each.cpu_ns is not None
        assert 0 < each.cpu_ns < 3 * each.elapsed_ns
        assert each.other_cpu_ns is None or each.other_cpu_ns >= 0
    assert made.results[0].delegate == "XNNPACK"


def test_a_run_from_before_trust_was_recorded_can_still_be_read(tmp_path: Path) -> None:
    old = msgspec.json.decode(encode_record(run(result("dynamic", "litert", 1.0))))
    for name in ("trusted", "state_before", "state_after"):
        old.pop(name, None)
    for made in old["results"][0]["trials"]:
        for name in ("cpu_ns", "other_cpu_ns", "steal_ns", "temperature_c", "throttled"):
            made.pop(name, None)
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(old))
    assert read_run(tmp_path / "old.json").trusted is None
