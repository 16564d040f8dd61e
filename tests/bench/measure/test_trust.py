"""What spoils a measurement is found, said with a remedy, and not seen where it is not."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.measure.trust import disturbed, trial_findings, trusted
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run, Trial
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.environment import load_now, machine_findings
from edge_bench.bench.system.machine import Finding, Machine, describe_machine
from edge_bench.bench.system.sensors import MachineState, Sensors, throttling
from tests import trees
from tests.factories import machine, measure, result, run

MS = 1_000_000


def describe_model(root: Path, architecture: str = "aarch64") -> tuple[Machine, list[Finding]]:
    found = describe_machine(root, architecture)
    return found, machine_findings(found, root)


def test_a_pi_4_as_it_comes(tmp_path: Path) -> None:
    pi, (governor,) = describe_model(trees.raspberry_pi_4(tmp_path))
    assert (pi.hostname, pi.board, pi.cpu, pi.cores) == ("pi4", "Raspberry Pi 4 Model B Rev 1.5", "Cortex-A72", 4)
    assert (pi.frequency_mhz, pi.governor, pi.memory_bytes) == (1800, "ondemand", 3_885_396 * 1024)
    assert (pi.kernel, pi.os, pi.load_average) == ("6.12.25+rpt-rpi-v8", "Debian GNU/Linux 12 (bookworm)", 0.08)
    assert not pi.emulated
    assert "ondemand" in governor.what
    assert "performance" in governor.remedy
    assert governor.spoils


def test_a_pi_4_that_was_throttled_once_is_told_from_one_that_is_throttled_now(tmp_path: Path) -> None:
    _, once = describe_model(trees.raspberry_pi_4(tmp_path, governor="performance", throttled="50000"))
    assert [(finding.spoils, "since the machine was started" in finding.what) for finding in once] == [
        (False, True)
    ] * 2
    _, now = describe_model(trees.raspberry_pi_4(tmp_path, governor="performance", throttled="50005"))
    assert [finding.spoils for finding in now] == [True, True]
    assert "under-voltage" in now[0].what
    assert "power supply" in now[0].remedy
    assert "cool" in now[1].remedy


def test_a_pi_5_that_is_set_up_well_has_nothing_to_say(tmp_path: Path) -> None:
    pi, findings = describe_model(trees.raspberry_pi_5(tmp_path))
    assert (pi.cpu, pi.frequency_mhz) == ("Cortex-A76", 2400)
    assert findings == []
    state = Sensors(tmp_path).read()
    assert (state.temperature_c, state.frequency_low_mhz, state.frequency_high_mhz) == (48.2, 600, 1500)
    assert state.firmware == 0


def test_a_laptop_on_battery(tmp_path: Path) -> None:
    laptop, findings = describe_model(trees.laptop_on_battery(tmp_path), "x86_64")
    assert "i7-1165G7" in laptop.cpu
    assert ["powersave" in findings[0].what, "battery" in findings[1].what] == [True, True]
    assert all(finding.spoils for finding in findings)
    state = Sensors(tmp_path).read()
    assert (state.temperature_c, state.thermal_events) == (61.0, 12)  # a zone that is switched off says nothing


@pytest.mark.parametrize(("version", "quota", "cores"), [(2, "150000", 1.5), (1, "50000", 0.5)])
def test_a_container_with_a_cpu_limit(tmp_path: Path, version: int, quota: str, cores: float) -> None:
    found, (finding,) = describe_model(trees.container(tmp_path, version=version, quota=quota))
    assert found.cpu_limit == cores
    assert found.container
    assert f"{cores:.2f} cores" in finding.what
    assert "--cpus" in finding.remedy


@pytest.mark.parametrize(("version", "quota"), [(2, "max"), (1, "-1")])
def test_a_container_without_a_limit(tmp_path: Path, version: int, quota: str) -> None:
    found, findings = describe_model(trees.container(tmp_path, version=version, quota=quota))
    assert found.cpu_limit is None
    assert findings == []


def test_a_limit_that_stopped_the_container_marks_the_trial(tmp_path: Path) -> None:
    sensors = Sensors(trees.container(tmp_path, version=2, quota="50000", throttled=3))
    before = sensors.read()
    assert throttling(before, sensors.read()) == []
    trees.container(tmp_path, version=2, quota="50000", throttled=4)
    assert throttling(before, sensors.read()) == ["a CPU limit stopped this container"]


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (0x50000, 0x50000, 0),  # only once upon a time
        (0x0, 0x50000, 2),  # came and went in between
        (0x4, 0x40000, 1),
        (0x0, 0x80008, 1),
    ],
)
def test_firmware_bits_count_when_they_are_set_or_came_up_in_between(before: int, after: int, reasons: int) -> None:
    assert len(throttling(MachineState(firmware=before), MachineState(firmware=after))) == reasons


def test_heat_on_a_pc_marks_the_trial() -> None:
    assert throttling(MachineState(thermal_events=7), MachineState(thermal_events=9)) == [
        "the cores were throttled for heat"
    ]


def test_under_an_emulator_no_sensor_of_the_other_machine_is_read(tmp_path: Path) -> None:
    trees.laptop_on_battery(tmp_path)
    trees.write(tmp_path, {"sys/devices/system/cpu/modalias": "cpu:type:x86,ven0000:feature:,0000"})
    assert Sensors(tmp_path, emulated=True).read() == MachineState()
    found, findings = describe_model(tmp_path, "aarch64")
    assert found.emulated
    assert (found.governor, found.frequency_mhz) == ("", None)
    assert ["EMULATED" in finding.what for finding in findings] == [True]


def trial(**fields: int) -> Trial:
    return msgspec.structs.replace(result("dynamic", "litert", 1.0).trials[0], elapsed_ns=1000 * MS, **fields)


def test_a_trial_is_disturbed_by_who_takes_the_cores_it_needs_and_by_a_hypervisor() -> None:
    assert not disturbed(trial(), threads=1, cores=2)  # a machine that does not say
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
    (finding,) = trial_findings(with_trials(1, throttled=["under-voltage"]).results, machine())
    assert finding.what == "1 of 30 trials were throttled: under-voltage"
    assert "power supply" in finding.remedy
    assert finding.spoils


@pytest.mark.parametrize(("count", "spoils"), [(3, False), (4, True)])
def test_load_from_others_spoils_when_more_than_a_tenth_of_the_trials_felt_it(count: int, spoils: bool) -> None:
    (finding,) = trial_findings(with_trials(count, other_cpu_ns=3_000 * MS, steal_ns=0).results, machine())
    assert f"{count} of 30 trials" in finding.what
    assert "stop other programs" in finding.remedy
    assert finding.spoils is spoils


def test_a_wide_spread_spoils() -> None:
    results = run(result("dynamic", "litert", 1.0, noise=0.3), result("float32", "litert", 1.0)).results
    (finding,) = trial_findings(results, machine())
    assert "1 of 2 configurations" in finding.what
    assert "dynamic on litert" in finding.what
    assert finding.spoils


def test_trusted_is_what_is_whole_measured_and_not_spoiled() -> None:
    results = run(result("dynamic", "litert", 1.0)).results
    spoils = Finding(what="", remedy="", spoils=True)
    note = Finding(what="", remedy="", spoils=False)
    assert trusted([note], results, complete=True)
    assert not trusted([spoils], results, complete=True)
    assert not trusted([], results, complete=False)
    assert not trusted([], [], complete=True)


def test_what_others_use_at_this_moment_is_seen_while_this_process_sleeps(tmp_path: Path) -> None:
    pi = describe_machine(trees.raspberry_pi_4(tmp_path), "aarch64")

    def others_work(ticks: int) -> list[Finding]:
        def sleep(_: float) -> None:
            trees.write(tmp_path, {"proc/stat": trees.STAT.format(busy=5_000 + ticks, steal=0)})

        trees.write(tmp_path, {"proc/stat": trees.STAT.format(busy=5_000, steal=0)})
        return load_now(pi, tmp_path, 1.0, sleep)

    assert others_work(3) == []
    (finding,) = others_work(152)
    assert "1.5 of 4 cores" in finding.what


def test_a_real_run_says_what_it_used_and_whether_to_trust_it(digits_bundle: Bundle) -> None:
    from edge_bench.bench.measure.plan import Selection

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
