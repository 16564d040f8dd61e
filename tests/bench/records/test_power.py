"""Power that the user states is parsed or refused, never assumed."""

import os
from pathlib import Path

import pytest

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options.power import power_option
from edge_bench.bench.records.power import DEVICES, NO_ENERGY, StatedPower, power_from, stated_power


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


def test_a_run_needs_no_power_of_transmitting() -> None:
    power = stated_power("idle=2.7W,compute=5800mW")
    assert power == stated_power("idle=2.7,compute=5.8,transmit=3.5") == StatedPower(idle_w=2.7, compute_w=5.8)
    assert stated_power("pi4").source == DEVICES["pi4"].source
    with pytest.raises(BadInput):
        stated_power("compute=5W")


def test_the_option_is_a_power_a_sensor_or_none(tmp_path: Path) -> None:
    assert power_option(None, stated_power) is power_option("", stated_power) is None
    assert power_option("none", stated_power) == NO_ENERGY
    assert power_option("idle=1W,compute=2W", stated_power) == StatedPower(idle_w=1, compute_w=2)
    pipe = tmp_path / "power1_input"
    os.mkfifo(pipe)  # reading it would wait forever
    zero, less, twice = "idle=0W,compute=0W", "idle=5W,compute=2W", "idle=1W,compute=2W,idle=1W"
    for wrong in ("/nowhere/power1_input", "/etc/hostname", "pi99", 5, str(pipe), zero, less, twice):
        with pytest.raises(BadInput) as caught:
            power_option(wrong, stated_power)  # type: ignore[arg-type]
        assert "--power" in caught.value.problem
