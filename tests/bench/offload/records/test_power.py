"""Energy from stated power or a meter, never assumed."""

from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.offload.measure.power_meters import Counter, Metered, Wattmeter, meter_of, pmic_watts
from edge_bench.bench.offload.records.power import DEVICES, local_joules, power_from, remote_joules


def test_stated_power_is_parsed() -> None:
    power = power_from("idle=2.7W,compute=5800mW,transmit=3.5")
    assert (power.idle_w, power.compute_w, power.transmit_w) == (2.7, 5.8, 3.5)


def test_devices_have_a_source() -> None:
    assert all(power.source != "stated" for power in DEVICES.values())
    assert power_from("pi4") is DEVICES["pi4"]


@pytest.mark.parametrize("text", ["", "idle=2W", "pi99", "idle=2W,compute=3W,transmit=lots", "idle=-1W"])
def test_invalid_power_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        power_from(text)
    assert "--power" in caught.value.problem


def test_local_inference_computes_and_remote_inference_mostly_waits() -> None:
    power = power_from("idle=2W,compute=6W,transmit=4W")
    assert local_joules(power, 0.5) == pytest.approx(3.0)
    # 0.1 s encoding and decoding, 0.2 s on the link, 0.7 s waiting
    assert remote_joules(power, 1.0, 0.1, 0.2) == pytest.approx(0.1 * 6 + 0.2 * 4 + 0.7 * 2)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def watched(meter: object, path: Path, after: str) -> float | None:
    assert isinstance(meter, Counter | Wattmeter)
    with meter.watch() as metered:
        write(path, after)
    assert isinstance(metered, Metered)
    return metered.joules


def test_rapl_counts_the_processor_packages_and_wraps_around(tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    write(zone / "energy_uj", "262143000000\n")
    write(zone / "max_energy_range_uj", "262144000000\n")
    write(tmp_path / "sys/class/powercap/intel-rapl:0:0/energy_uj", "5\n")  # the cores within the package
    meter = meter_of(tmp_path)
    assert meter is not None
    assert "RAPL" in meter.name
    assert watched(meter, zone / "energy_uj", "2000000\n") == pytest.approx(3.0)  # it has started again from zero


def test_a_counter_of_the_supply_is_preferred_to_rapl(tmp_path: Path) -> None:
    write(tmp_path / "sys/class/hwmon/hwmon2/name", "ina238\n")
    write(tmp_path / "sys/class/hwmon/hwmon2/energy1_input", "1000000\n")
    write(tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj", "1\n")
    meter = meter_of(tmp_path)
    assert meter is not None
    assert meter.name == "hwmon ina238"
    assert watched(meter, tmp_path / "sys/class/hwmon/hwmon2/energy1_input", "1500000\n") == pytest.approx(0.5)


def test_energy_of_a_power_sensor_is_power_times_time(tmp_path: Path) -> None:
    write(tmp_path / "sys/class/hwmon/hwmon0/name", "ina219\n")
    write(tmp_path / "sys/class/hwmon/hwmon0/power1_input", "4000000\n")
    meter = meter_of(tmp_path)
    assert isinstance(meter, Wattmeter)
    with meter.watch() as metered:
        pass
    assert metered.joules is not None
    assert 0 < metered.joules < 40  # 4 W over less than ten seconds


def test_without_a_valid_sensor_there_is_no_meter(tmp_path: Path) -> None:
    assert meter_of(tmp_path) is None
    write(tmp_path / "sys/class/hwmon/hwmon0/energy1_input", "not a number")
    assert meter_of(tmp_path) is None


def test_the_power_chip_of_a_pi_5_is_the_sum_of_its_rails() -> None:
    printed = (
        " 3V7_WL_SW_A current(0)=0.10000000A\n   VDD_CORE_A current(7)=2.00000000A\n"
        " 3V7_WL_SW_V volt(8)=3.70000000V\n   VDD_CORE_V volt(15)=0.90000000V\n     EXT5V_V volt(24)=5.15000000V\n"
    )
    assert pmic_watts(lambda: printed) == pytest.approx(0.1 * 3.7 + 2.0 * 0.9)
    assert pmic_watts(lambda: "error=1") is None


def test_parts_that_overlap_cost_no_more_than_the_whole_time() -> None:
    power = power_from("idle=2W,compute=6W,transmit=4W")
    assert remote_joules(power, 1.0, 3.0, 2.0) == pytest.approx(6.0)
    assert remote_joules(power, 1.0, 0.7, 2.0) == pytest.approx(0.7 * 6 + 0.3 * 4)
