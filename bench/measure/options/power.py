"""The option --power, of a run or an offload."""

from collections.abc import Callable
from typing import TypeVar

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.power import NO_ENERGY
from edge_bench.bench.system.power.find import why_no_sensor

__all__ = ["power_option"]

Stated = TypeVar("Stated")


def power_option(text: str | None, stated: Callable[[str], Stated]) -> Stated | str | None:
    """Return the power that the user states, "none", or the file of a sensor; None without a text: the best meter.

    ``stated`` parses a power. Raise BadInput for a file that is no sensor, and for anything else.
    """
    if not text or text == NO_ENERGY:
        return text or None
    if not isinstance(text, str):
        raise BadInput(f"--power {repr(text)[:200]}: not a text", "for example --power idle=2.7W,compute=5.8W")
    if "/" not in text:
        return stated(text)
    if problem := why_no_sensor(text):
        raise BadInput(f"--power {text}: {problem}", "use a file such as /sys/class/hwmon/hwmon1/power1_input")
    return text
