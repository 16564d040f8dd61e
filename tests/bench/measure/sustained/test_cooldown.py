"""Waiting until a machine has cooled down, on a clock of its own."""

from edge_bench.bench.measure.sustained.cooldown import MAX_COOLDOWN_SECONDS, cool_down
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Sustained
from edge_bench.bench.system.machine import Finding


class Cooling:
    """A machine that cools down by 1 °C in ten seconds to a lowest temperature, and its clock."""

    def __init__(self, now: float | None, lowest: float = 20.0) -> None:
        self.begin, self.lowest, self.waited = now, lowest, 0.0

    def temperature(self) -> float | None:
        return None if self.begin is None else max(self.lowest, self.begin - self.waited / 10)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds

    def wait(self, settings: Sustained, *, first: bool = False) -> Finding | None:
        return cool_down(settings, "int8", Silent(), self.temperature, first=first, sleep=self.sleep,
                         clock=lambda: self.waited)  # fmt: skip


def test_it_waits_until_the_machine_is_cool() -> None:
    machine = Cooling(70)
    assert machine.wait(Sustained(duration_s=60, cooldown_c=60), first=True) is None
    assert machine.waited == 100
    assert machine.wait(Sustained(duration_s=60, cooldown_c=60)) is None
    assert machine.waited == 100


def test_it_gives_up_with_a_finding() -> None:
    machine = Cooling(70, lowest=62)
    found = machine.wait(Sustained(duration_s=60, cooldown_c=60))
    assert found is not None
    assert not found.spoils
    assert "62 °C" in found.what
    assert "int8" in found.what
    assert machine.waited == MAX_COOLDOWN_SECONDS


def test_without_a_sensor_there_is_a_finding_and_no_wait() -> None:
    machine = Cooling(None)
    found = machine.wait(Sustained(duration_s=60, cooldown_c=60))
    assert found is not None
    assert found.remedy
    assert machine.waited == 0


def test_a_pause_is_between_configurations() -> None:
    machine = Cooling(None)
    assert machine.wait(Sustained(duration_s=60, cooldown_s=30), first=True) is None
    assert machine.waited == 0
    assert machine.wait(Sustained(duration_s=60, cooldown_s=30)) is None
    assert machine.waited == 30
