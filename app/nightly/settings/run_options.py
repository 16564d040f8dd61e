"""The table [run] as options of `run`, checked as `run` checks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

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
    _check(values)
    budget = duration(values.get("budget"), "run.budget")
    if budget is not None:  # chooses trials and processes
        values = {name: value for name, value in values.items() if name not in _CHOSEN_BY_BUDGET}
    options = {name: [f"--{name.replace('_', '-')}", _text(value)] for name, value in values.items()}
    stated = {name: values[name] for name in _STATED if name in values}
    return RunOptions(
        everywhere=[part for name, parts in options.items() if name not in _OWN for part in parts],
        this_machine=[part for name, parts in options.items() if name in _OWN for part in parts],
        stated=stated | {"budget_s": budget, "memory_limit": memory(values.get("memory_limit"), "run.memory_limit")},
        runs_per_night=runs_per_night,
    )


def _check(values: dict[str, Any]) -> None:
    try:
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
        raise BadInput(f"[run] {cause.problem.removeprefix('--')}", cause.remedy.replace("--", "")) from None


def _text(value: object) -> str:
    return (
        ",".join(map(str, value))
        if isinstance(value, list)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
