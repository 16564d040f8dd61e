"""The table [run] as options of `run`, checked as `run` checks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from edge_bench.app.nightly.settings.keys import as_keys
from edge_bench.app.nightly.settings.records import RunTable
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options.settings import run_settings, selection
from edge_bench.bench.measure.options.values import duration, memory

__all__ = ["RunOptions", "run_options"]

#: Options about this machine, which the containers of other engines do not get.
_OWN = ("cpus", "power")
#: Options that are fields of a Run's settings, by which a received Run is checked.
_STATED = ("trials", "processes", "limit", "seed")
_CHOSEN_BY_BUDGET = ("trials", "processes")


@dataclass(frozen=True)
class RunOptions:
    """Options as they are typed."""

    everywhere: Sequence[str]
    this_machine: Sequence[str]
    stated: dict[str, Any]  # values that the settings of every Run must have
    runs_per_night: int = 1


def run_options(table: RunTable) -> RunOptions:
    """Return the options. Raise BadInput for values that `run` would refuse."""
    values = {name: value for name, value in msgspec.structs.asdict(table).items() if value is not None}
    runs_per_night = values.pop("runs_per_night")
    budget, memory_limit = _check(values)
    if budget is not None:  # chooses trials and processes
        values = {name: value for name, value in values.items() if name not in _CHOSEN_BY_BUDGET}
    options = {name: [f"--{name.replace('_', '-')}", _text(value)] for name, value in values.items()}
    stated = {name: values[name] for name in _STATED if name in values}
    return RunOptions(
        everywhere=[part for name, parts in options.items() if name not in _OWN for part in parts],
        this_machine=[part for name, parts in options.items() if name in _OWN for part in parts],
        stated=stated | {"budget_s": budget, "memory_limit": memory_limit},
        runs_per_night=runs_per_night,
    )


def _about_run(cause: BadInput) -> BadInput:
    """Return an error about an option as one about the key of [run]."""
    flag, _, rest = cause.problem.partition(" ")
    problem = f"{flag[2:].replace('-', '_')} {rest}" if flag.startswith("--") else cause.problem
    return BadInput(f"[run] {as_keys(problem)}", as_keys(cause.remedy))


def _check(values: dict[str, Any]) -> tuple[float | None, int | None]:
    """Check the values as `run` does; return the budget in seconds and the limit of memory in bytes."""
    try:
        budget, memory_limit = duration(values.get("budget")), memory(values.get("memory_limit"))
        selection(
            values.get("variant"), values.get("runtime"), values.get("threads"), values.get("batch_size"),
            values.get("scenario"),
        )  # fmt: skip
        run_settings(
            trials=values["trials"], processes=values["processes"], limit=values.get("limit"), seed=values["seed"],
            timeout=values["timeout"], scenario=values.get("scenario"), memory_limit=values.get("memory_limit"),
            power=values.get("power"),
        )  # fmt: skip
    except BadInput as cause:
        raise _about_run(cause) from None
    return budget, memory_limit


def _text(value: object) -> str:
    return (
        ",".join(map(str, value))
        if isinstance(value, list)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
