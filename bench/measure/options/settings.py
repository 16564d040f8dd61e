"""Configurations and settings of a run as the user stated them, and their records."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options.power import power_option
from edge_bench.bench.measure.options.scenario import Scenario, batch_sizes_for
from edge_bench.bench.measure.options.values import counts, memory, names, one_of, within
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.models.delegates import delegates
from edge_bench.bench.records.power import stated_power
from edge_bench.bench.records.run import FirstRound, Settings
from edge_bench.bench.system.emulation.signs import emulation_signs

__all__ = ["run_settings", "searched", "selection", "unused_processes"]

#: The command line has the same limits, with its own messages.
_LIMITS: dict[str, tuple[float, float | None]] = {
    "trials": (1, None), "processes": (1, None), "limit": (1, None), "resample": (1, None), "timeout": (1, None),
    "seed": (0, 2**32 - 1),
}  # fmt: skip

#: Fewest trials and processes of a configuration with --find-fastest.
_MIN_SEARCHED = 2


def selection(
    variants: str | Sequence[str] | None,
    runtimes: str | Sequence[str] | None,
    threads: str | int | Sequence[int] | None,
    batch_sizes: str | int | Sequence[int] | None,
    scenario: str | None = None,
    delegate: str | Sequence[str] | None = None,
) -> Selection:
    """Return the selected configurations. Each list is a text such as ``1,2``, or a list.

    ``delegate`` is one delegate or a list of them, as each may contain commas.

    Raise BadInput for numbers that are not positive, an unknown scenario, batch sizes that do not fit the scenario, and
    for an empty list, which would select nothing.
    """
    one_of(scenario, "--scenario", [each.value for each in Scenario])
    return Selection(
        variants=_selected(variants, "--variant"),
        runtimes=_selected(runtimes, "--runtime"),
        threads=counts(threads, "--threads"),
        batch_sizes=batch_sizes_for(
            None if scenario is None else Scenario(scenario), counts(batch_sizes, "--batch-size")
        ),
        delegates=delegates(delegate),
    )


def _selected(value: str | Sequence[str] | None, flag: str) -> list[str]:
    if value is None or isinstance(value, str):
        return names(value)
    if not isinstance(value, Sequence) or not value or not all(isinstance(each, str) for each in value):
        raise BadInput(f"{flag} {repr(value)[:200]}: not a list of names", "omit it to measure all")
    return names(value)


def searched(configurations: Selection, settings: Settings, *, repeat_runs: int = 1) -> tuple[Selection, Settings]:
    """Return the configurations and the settings of --find-fastest.

    Raise BadInput for options that it does not support, and on an emulated machine.
    """
    flag = "--find-fastest"
    if signs := emulation_signs():
        raise BadInput(f"{flag}: times on this emulated machine are not valid ({signs[0]})", "measure on the device")
    if repeat_runs > 1:
        raise BadInput(f"{flag} with --repeat-runs: each run could have other finalists", "omit one of them")
    if settings.resample:
        raise BadInput(f"{flag} with --resample: finalists are compared on the same images", "omit one of them")
    if min(settings.trials, settings.processes) < _MIN_SEARCHED:
        raise BadInput(
            f"{flag} needs at least {_MIN_SEARCHED} trials in {_MIN_SEARCHED} processes, to know how much times vary",
            "increase --trials and --processes, or omit them",
        )
    first = FirstRound()
    trials = min(first.trials, settings.trials)
    first = msgspec.structs.replace(first, trials=trials, processes=min(first.processes, settings.processes, trials))
    return msgspec.structs.replace(configurations, searched=True), msgspec.structs.replace(settings, first_round=first)


def unused_processes(stated: Mapping[str, Any]) -> str:
    """Return a note if there are more processes than trials, each of which is in one process; otherwise nothing."""
    trials, processes = stated.get("trials"), stated.get("processes")
    if trials is None or processes is None or processes <= trials:
        return ""
    return f"--processes {processes} with --trials {trials}: each process needs a trial, so only {trials} can be used"


def run_settings(
    *, timeout: float, scenario: str | None, memory_limit: str | int | None, power: str | None = None, **stated: Any
) -> Settings:
    """Return the settings of a run. ``stated`` has the other fields of `Settings`.

    Raise BadInput for a number outside the limits of its option, and for a value of another type.
    """
    for name, limits in _LIMITS.items():
        within(stated.get(name, timeout if name == "timeout" else None), f"--{name}", *limits)
    fields = stated | {"timeout_s": timeout, "scenario": scenario or "", "memory_limit": memory(memory_limit)}
    fields["power"] = power_option(power, stated_power)
    try:
        return msgspec.convert(fields, Settings)
    except msgspec.ValidationError as cause:
        raise BadInput(f"invalid setting: {cause}", "see `edge-bench run --help`") from None
