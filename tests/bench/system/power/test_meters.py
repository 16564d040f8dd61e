"""Power of simulated machines with known joules, by every kind of meter."""

import threading
from pathlib import Path

import pytest

from edge_bench.bench.system.power.find import find_meter, why_no_sensor
from edge_bench.bench.system.power.meters import METER, PMIC, RAPL, REAL_TIME, Wattmeter
from edge_bench.bench.system.power.pmic import pmic_watts
from tests.bench.system.power.simulated import SimulatedMachine


@pytest.fixture
def computer(tmp_path: Path) -> SimulatedMachine:
    """Idle at 3 W."""
    return SimulatedMachine(tmp_path, 3.0)


def ina(computer: SimulatedMachine, number: int = 1, update_ms: str = "35") -> Path:
    """An INA226, as Linux' driver ina2xx shows it."""
    folder = f"sys/class/hwmon/hwmon{number}"
    computer.write(f"{folder}/name", "ina226\n")
    computer.write(f"{folder}/update_interval", f"{update_ms}\n")
    computer.write(f"{folder}/in1_input", "5012\n")
    computer.write(f"{folder}/curr1_input", "600\n")
    return computer.sensor(f"{folder}/power1_input")


def pi_5(computer: SimulatedMachine) -> None:
    computer.write("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")


def test_rapl_adds_the_packages_and_each_wraps_around(computer: SimulatedMachine) -> None:
    computer.rapl(0, "package-0", start_uj=262_143_000_000, share=0.75)  # wraps around after 0.33 J
    computer.rapl(1, "package-1-die-0", share=0.25)
    computer.rapl(2, "psys", share=2.0)  # the platform of a laptop includes the packages
    computer.counter("sys/class/powercap/intel-rapl:0:0/energy_uj", share=0.5)  # cores within package 0
    meter = computer.meter()
    assert meter.source == RAPL
    assert computer.trial(meter, 0.2, 10.0) == pytest.approx(10.0, rel=1e-5)
    assert computer.trial(meter, 0.2, 20.0) == pytest.approx(20.0, rel=1e-5)


def test_a_counter_is_read_often_enough_during_a_long_trial(computer: SimulatedMachine) -> None:
    computer.rapl(0, "package-0")
    end = 262_143_328_850
    # 9 hours at 20 W: it starts again twice, which its readings before and after do not show
    assert computer.trial(computer.meter(), 32_400, 20.0) == pytest.approx(20.0, rel=1e-6)
    assert 2 * end < 20e6 * 32_400 < 3 * end


def test_a_trial_with_too_few_updates_of_the_counter_is_refused(computer: SimulatedMachine) -> None:
    computer.rapl(0, "package-0")
    meter = computer.meter()
    assert computer.trial(meter, 0.9 * meter.least_trial_s, 10.0) is None
    assert computer.trial(meter, 1.1 * meter.least_trial_s, 10.0) == pytest.approx(10.0, rel=1e-4)


def test_waiting_of_the_worker_is_no_energy_of_the_trial(computer: SimulatedMachine) -> None:
    computer.rapl(0, "package-0")
    found = computer.trial(computer.meter(), 0.2, 10.0, margin=0.001)
    assert found == pytest.approx(10.0, rel=0.01)  # less than 1 % of it is at another power
    assert computer.trial(computer.meter(), 0.2, 10.0, margin=0.01) is None  # 10 % is


@pytest.mark.parametrize("text", ["", "broken", "-1", "1.5"])
def test_a_counter_that_gives_no_number_gives_no_power(computer: SimulatedMachine, text: str) -> None:
    path = computer.rapl(0, "package-0")
    meter = computer.meter()
    with meter.watch() as watched:
        began = computer.now_ns()
        computer.sleep(0.2)
        computer.replace(path, text)
    assert watched.mean_power_w(began, 200_000_000) is None


def test_a_counter_that_stands_still_gives_no_power(computer: SimulatedMachine) -> None:
    computer.rapl(0, "package-0", share=0.0)
    assert computer.trial(computer.meter(), 0.2, 10.0) is None


def test_an_impossible_power_is_refused(computer: SimulatedMachine) -> None:
    counter = computer.rapl(0, "package-0", start_uj=1_000_000)
    by_counter = computer.meter()
    with by_counter.watch() as watched:
        began = computer.now_ns()
        computer.sleep(0.2)
        computer.replace(counter, "0\n")  # reset elsewhere than at its end: no 262 kJ have passed
    assert watched.mean_power_w(began, computer.now_ns() - began) is None
    sensor = ina(computer)
    computer.replace(sensor, "99999999999999999999\n")
    assert computer.trial(computer.meter(str(sensor)), 1.0, 10.0) is None


def test_a_sensor_is_the_mean_power_of_the_trial_only(computer: SimulatedMachine) -> None:
    path = ina(computer, update_ms="10")
    meter = computer.meter()
    assert (meter.source, meter.name) == (METER, "hwmon ina226")
    # readings before and after the trial, of an idle machine, do not count
    assert computer.trial(meter, 0.4, 7.0, margin=0.2) == pytest.approx(7.0)
    assert computer.find(str(path)).meter is not None


def test_a_sensor_that_changes_is_averaged(computer: SimulatedMachine) -> None:
    ina(computer, update_ms="1")
    meter = computer.meter()
    with meter.watch() as watched:
        began = computer.now_ns()
        for watts in (4.0, 8.0) * 10:
            computer.watts = watts
            computer.sleep(0.2)
    assert watched.mean_power_w(began, computer.now_ns() - began) == pytest.approx(6.0, rel=0.01)


def test_readings_are_at_other_moments_of_each_trial(computer: SimulatedMachine) -> None:
    ina(computer)
    meter, offsets = computer.meter(), list[int]()
    for _ in range(20):
        with meter.watch() as watched:
            began = computer.now_ns()
            computer.sleep(0.2)
        offsets.append(watched.readings[0].began_ns - began)
    assert max(offsets) < 50_000_000
    assert len({offset // 5_000_000 for offset in offsets}) == 10  # in each tenth of the period


def test_a_sensor_that_averages_for_longer_than_the_trial_is_refused(computer: SimulatedMachine) -> None:
    computer.write("sys/class/hwmon/hwmon0/name", "power_meter\n")
    computer.sensor("sys/class/hwmon/hwmon0/power1_average")  # of ACPI; it does not state its interval
    meter = computer.meter()
    assert computer.trial(meter, 0.2, 10.0) is None
    assert computer.trial(meter, meter.least_trial_s, 10.0) == pytest.approx(10.0)


def test_the_power_chip_of_a_pi_5_is_the_sum_of_its_rails(computer: SimulatedMachine) -> None:
    pi_5(computer)
    meter = computer.meter()
    assert meter.source == PMIC
    assert computer.trial(meter, 1.0, 6.5) == pytest.approx(6.5, rel=1e-6)
    assert pmic_watts(computer.printed()) == pytest.approx(3.0, rel=1e-6)
    assert pmic_watts('error=1 error_msg="Command not registered"') is None
    assert pmic_watts(" X_A current(0)=1.1.1A\n X_V volt(1)=5.0V\n") is None


def test_a_pi_5_without_its_program_says_so(computer: SimulatedMachine) -> None:
    pi_5(computer)

    def missing() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    search = find_meter(computer.root, printed=missing)
    assert search.meter is None
    assert "vcgencmd" in search.problem
    assert search.remedy


def test_a_file_that_only_root_can_read_is_named_with_the_remedy(computer: SimulatedMachine) -> None:
    path = computer.rapl(0, "package-0")

    def read(file: Path) -> str:
        if file == path:
            raise PermissionError(13, "Permission denied")
        return computer.read(file)

    search = find_meter(computer.root, read=read)
    assert search.meter is None
    assert search.problem == "/sys/class/powercap/intel-rapl:0/energy_uj: Permission denied"
    assert "chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in search.remedy


def test_a_sensor_of_the_supply_is_preferred_and_sensors_of_parts_are_not_used(computer: SimulatedMachine) -> None:
    computer.rapl(0, "package-0")
    computer.write("sys/class/hwmon/hwmon0/name", "amdgpu\n")
    computer.sensor("sys/class/hwmon/hwmon0/power1_average")
    computer.write("sys/class/hwmon/hwmon3/name", "BAT0\n")
    computer.write("sys/class/hwmon/hwmon3/device/type", "Battery\n")
    computer.sensor("sys/class/hwmon/hwmon3/power1_input")
    assert computer.meter().source == RAPL
    ina(computer)
    assert computer.meter().source == METER


def test_of_several_sensors_the_user_has_to_choose(computer: SimulatedMachine) -> None:
    first, second = ina(computer, 1), ina(computer, 2)
    search = computer.find()
    assert search.meter is None
    assert "hwmon1" in search.problem
    assert "hwmon2" in search.problem
    assert "--power" in search.remedy
    computer.rapl(0, "package-0")
    search = computer.find()
    assert search.meter is not None
    assert search.meter.source == RAPL
    assert search.problem
    assert computer.meter(str(second)).source == METER
    assert why_no_sensor(str(first)) == ""
    assert why_no_sensor(str(first.with_name("in1_input")))
    assert why_no_sensor(str(first.with_name("power9_input")))


@pytest.mark.parametrize(("update_ms", "counts"), [("2", True), ("35", False)])
def test_an_energy_counter_is_used_if_it_is_fast_enough(
    computer: SimulatedMachine, update_ms: str, counts: bool
) -> None:
    ina(computer, update_ms=update_ms)
    computer.counter("sys/class/hwmon/hwmon1/energy1_input", start_uj=5)
    meter = computer.meter()
    before = computer.reads
    assert computer.trial(meter, 0.2, 9.0) == pytest.approx(9.0, rel=1e-4)
    assert (computer.reads - before == 2) is counts  # before and after the trial, never during it


def test_without_meters_there_is_none_and_nothing_to_say(tmp_path: Path) -> None:
    assert find_meter(tmp_path) == (None, "", "")


def test_a_thread_reads_a_sensor_in_real_time() -> None:
    values, done = iter([2.0, 4.0, 6.0]), threading.Event()

    def read() -> float | None:
        value = next(values, None)
        if value is None:
            done.set()
        return value

    meter = Wattmeter(METER, "m", read, period_s=1e-4)
    with meter.watch() as watched:
        began = REAL_TIME.now_ns()
        assert done.wait(30)
    assert watched.mean_power_w(0, 1 << 62) == pytest.approx(4.0)
    assert watched.mean_power_w(began - 10**12, 10**6) is None  # no reading is of this trial
