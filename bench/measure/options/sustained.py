"""The options ``--duration`` and ``--cooldown`` of a run, checked."""

import re
from collections.abc import Collection

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options.values import duration
from edge_bench.bench.records.run import Settings, Sustained
from edge_bench.bench.system.emulation.signs import emulation_signs

__all__ = ["SUSTAINED_LIMIT", "with_duration"]

#: Images per pass, unless --limit is set: short passes, since only the time is of interest.
SUSTAINED_LIMIT = 100
#: Shorter loads warm nothing up, and have too few trials of 200 ms for an interval.
_MIN_SECONDS = 10.0
#: Processors switch off before. A higher --cooldown would have no effect.
_MAX_CELSIUS = 125.0
#: Options that contradict --duration, and why.
_CONTRADICTIONS = {
    "trials": "the duration determines how many trials there are",
    "processes": "each configuration runs in one process, without a pause",
    "budget": "the duration of each configuration is fixed",
    "repeat_runs": "the machine would be warm at the start of the next run",
    "find_fastest": "configurations run one after the other, and are not compared",
    "resample": "each pass has to do the same work",
}


def with_duration(
    settings: Settings, duration_text: str | float | None, cooldown: str | float | None, stated: Collection[str]
) -> Settings:
    """Return the settings of a sustained load; those of an ordinary run without ``--duration``.

    ``stated`` names the options that the user set. Raise BadInput for values that are no duration and no temperature,
    for options that contradict a sustained load, and on an emulated machine.
    """
    seconds = duration(duration_text, "--duration", _MIN_SECONDS)
    if seconds is None:
        if cooldown is not None and cooldown != "":
            raise BadInput("--cooldown without --duration: configurations are measured in turn", "add --duration 30m")
        return settings
    for name, reason in _CONTRADICTIONS.items():
        if name in stated:
            raise BadInput(f"--duration with --{name.replace('_', '-')}: {reason}", "omit one of them")
    if signs := emulation_signs():
        raise BadInput(
            f"--duration: times on this emulated machine are not valid ({signs[0]})", "measure on the device"
        )
    cooldown_c, cooldown_s = _cooldown(cooldown)
    load = Sustained(duration_s=seconds, cooldown_c=cooldown_c, cooldown_s=cooldown_s)
    return msgspec.structs.replace(settings, sustained=load, limit=settings.limit or SUSTAINED_LIMIT)


def _cooldown(value: str | float | None) -> tuple[float | None, float | None]:
    """Return ``60C`` as a temperature in °C, ``2m`` as seconds, the other as None.

    A text without a unit is refused, because it could be either. A number of Python is in seconds.
    """
    if isinstance(value, str) and re.fullmatch(r"[\d.]+", value.strip()):
        raise BadInput(
            f"--cooldown {value[:200]!r}: neither °C nor a unit of time", "for example --cooldown 60C or 60s"
        )
    found = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,3})?)\s*°?[Cc]\s*", str(value))
    if found:
        if float(found[1]) > _MAX_CELSIUS:
            problem = f"--cooldown {value}: above {_MAX_CELSIUS:g} °C, so it would have no effect"
            raise BadInput(problem, "for example --cooldown 60C")
        return float(found[1]), None
    try:
        return None, duration(value, "--cooldown")
    except BadInput as cause:
        raise BadInput(cause.problem.replace("not a duration", "not a temperature, and not a duration"),
                       "for example --cooldown 60C, or --cooldown 5m") from None  # fmt: skip
