"""What differs between two separate Runs, as phrases with both values."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.times.differences import differences, seconds_apart
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.outputs.decoding import BoxDecoding
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.system.sensors import MachineState
from tests.factories import machine, result, run

BASE = run(result("dynamic", "litert", 1.0))
LATER = "2026-01-04T00:00:00+00:00"


def between(first: Run, second: Run, **how: bool) -> list[str]:
    return differences(first, first.results[0], second, second.results[0], **how)


def changed(**changes: Any) -> Run:
    return msgspec.structs.replace(BASE, **({"began": LATER} | changes))


def with_result(**changes: Any) -> Run:
    return changed(results=[msgspec.structs.replace(BASE.results[0], **changes)])


def with_settings(**changes: Any) -> Run:
    return changed(settings=msgspec.structs.replace(BASE.settings, **changes))


def at_degrees(before: float | None, after: float | None) -> Run:
    return changed(state_before=MachineState(temperature_c=before), state_after=MachineState(temperature_c=after))


def test_a_run_does_not_differ_from_itself() -> None:
    assert between(BASE, BASE) == []


def test_equal_runs_differ_in_time_only() -> None:
    assert between(BASE, changed()) == ["measured 3 days apart"]
    assert between(changed(), BASE) == ["measured 3 days apart"]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (with_result(runtime_version="2.3"), "litert ? → 2.3"),
        (with_result(delegate="XNNPACK"), "delegate none → XNNPACK"),
        (changed(tool_version="2", tool_revision="abc"), "edge-bench ? → 2 (abc)"),
        (changed(machine=machine(python="3.12")), "Python 3.11 → 3.12"),
        (changed(machine=machine(kernel="7")), "kernel 6 → 7"),
        (changed(machine=machine(governor="powersave")), "governor ? → powersave"),
        (changed(machine=machine(cpu="other")), "CPU CPU → other"),
        (changed(machine=machine(cores=1)), "cores 2 → 1"),
        (changed(machine=machine(frequency_mhz=1500.0)), "highest clock ? → 1,500 MHz"),
        (changed(machine=machine(cpu_limit=1.5)), "CPU limit none → 1.5 cores"),
        (changed(machine=machine(container=True)), "container no → yes"),
        (changed(machine=machine(os="Debian 13")), "OS Linux → Debian 13"),
        (changed(sandbox=["seccomp", "landlock"]), "sandbox ? → landlock and seccomp"),
        (with_settings(trials=60), "trials 30 → 60"),
        (with_settings(processes=10), "processes 5 → 10"),
        (with_settings(seed=1), "seed 42 → 1"),
        (with_settings(scenario="offline"), "scenario none → offline"),
        (with_settings(memory_limit=1 << 30), "memory limit none → 1,024 MiB"),
        (with_settings(stateful=True), "stateful no → yes"),
    ],
)
def test_each_difference_has_both_values(other: Run, expected: str) -> None:
    assert between(BASE, other)[1:] == [expected]


def test_fewer_images_and_resampling_are_two_differences() -> None:
    assert between(BASE, with_settings(resample=50))[1:] == ["images 100 → 50", "resample no → 50"]


def test_temperatures_count_from_more_than_5_degrees() -> None:
    cool = at_degrees(40.0, 50.0)
    assert between(cool, at_degrees(45.0, 47.0)) == ["measured at the same time"]
    assert between(cool, at_degrees(46.0, 80.0))[1:] == [
        "temperature before the run 40 → 46 °C", "temperature after the run 50 → 80 °C",
    ]  # fmt: skip
    assert between(cool, at_degrees(None, None))[1:] == []
    assert between(BASE, at_degrees(80.0, 80.0))[1:] == []


def trials_at(degrees: float, throttled: int) -> Result:
    trials = [
        msgspec.structs.replace(trial, temperature_c=degrees, throttled=["hot"] if number < throttled else [])
        for number, trial in enumerate(BASE.results[0].trials)
    ]
    return msgspec.structs.replace(BASE.results[0], trials=trials)


def test_hot_and_throttled_trials_and_trust_are_differences() -> None:
    cool = changed(results=[trials_at(50.0, 0)], trusted=True)
    hot = changed(results=[trials_at(80.0, 4)], trusted=False, began=BASE.began)
    assert between(cool, hot)[1:] == [
        "temperature of the trials 50 → 80 °C", "throttled trials 0 → 4", "trusted yes → no",
    ]  # fmt: skip


def test_replaced_pixels_are_counted() -> None:
    images = BASE.images
    sums = np.arange(100)
    first = changed(images=msgspec.structs.replace(images, checksums=pack(sums)), began=BASE.began)
    second = changed(images=msgspec.structs.replace(images, checksums=pack(np.where(sums < 3, sums + 500, sums))))
    assert between(first, second)[1:] == ["pixels of 3 images"]


@pytest.mark.parametrize(
    ("began", "expected"),
    [
        ("2026-01-01T00:00:40+00:00", "measured 40 seconds apart"),
        ("2026-01-01T00:05:00+00:00", "measured 5 minutes apart"),
        ("2026-01-01T01:10:00+00:00", "measured 1 hour apart"),
        ("2026-01-02T05:00:00+00:00", "measured 1 day apart"),
        ("2026-01-01T01:00:00+01:00", "measured at the same time"),
    ],
)
def test_the_time_between_runs_is_in_its_largest_unit(began: str, expected: str) -> None:
    assert between(BASE, changed(began=began)) == [expected]


def test_an_unreadable_time_is_left_out() -> None:
    assert between(BASE, changed(began="yesterday")) == []
    assert seconds_apart(BASE, changed(began="yesterday")) is None
    assert seconds_apart(BASE, changed(began="2026-01-01T00:00:00")) is None  # without a time zone


def test_without_the_machine_only_software_and_settings_are_listed() -> None:
    pi = changed(machine=machine(hostname="pi", cpu="A72", cores=4, kernel="7"), settings=BASE.settings)
    assert between(BASE, pi, machine=False) == ["kernel 6 → 7"]
    whole = between(BASE, pi)
    assert [phrase.split()[0] for phrase in whole] == ["measured", "machine", "CPU", "cores", "kernel"]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"kernel": "7", "python": "3.12", "memory_bytes": 2, "container": True}, True),
        ({"hostname": "pi"}, False),
        ({"architecture": "aarch64"}, False),
        ({"emulated": True}, False),
    ],
)
def test_a_machine_is_recognised_by_hostname_and_architecture(changes: dict[str, Any], same: bool) -> None:
    assert (machine_key(machine()) == machine_key(machine(**changes))) is same


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"memory_bytes": 1 << 33}, False),
        ({"board": "Pi"}, False),
        ({"cpu": "other"}, False),
        ({"hostname": "desk"}, False),
        ({"emulated": True}, False),
    ],
)
def test_a_container_with_a_random_name_is_recognised_by_its_hardware(changes: dict[str, Any], same: bool) -> None:
    first = machine(hostname="0123456789ab", container=True)
    second = machine(**({"hostname": "fedcba987654", "container": True} | changes))
    assert (machine_key(first) == machine_key(second)) is same
    assert isinstance(hash(machine_key(first)), int)


def test_a_real_host_with_such_a_name_is_recognised_by_it() -> None:
    assert machine_key(machine(hostname="0123456789ab")) != machine_key(machine(hostname="fedcba987654"))


def with_decoding(variant: str = "dynamic", **changes: Any) -> Run:
    configuration = msgspec.structs.replace(BASE.results[0].configuration, variant=variant)
    decodings = {"dynamic": BoxDecoding(form="yolo", **changes)}
    return msgspec.structs.replace(with_result(configuration=configuration), decodings=decodings)


@pytest.mark.parametrize("variant", ["dynamic", "dynamic@abc"])  # the second was renamed for a comparison
def test_how_boxes_are_read_is_a_difference(variant: str) -> None:
    base = with_decoding()
    assert between(base, with_decoding(variant), apart=False) == []
    changes = with_decoding(variant, score_threshold=0.25, iou_threshold=0.5, letterbox=True)
    found = between(base, changes, apart=False)
    assert [phrase.rpartition(" ")[2] for phrase in found] == ["yes", "0.25", "0.5"]
    assert "0.001" in found[1]
