"""Parse the values of options."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.bench.errors import BadInput
from edge_bench.bench.measure.options.values import counts, duration, finite, memory, names, size

if TYPE_CHECKING:
    from edge_bench.bench.dataset.options import DataOptions

__all__ = [
    "baseline_files",
    "counts",
    "data_options",
    "duration",
    "explicit_options",
    "finite",
    "memory",
    "names",
    "points",
    "share",
    "size",
]


def baseline_files(baselines: Sequence[str] | None) -> list[Path]:
    """Return the Run files and folders that ``--baseline`` names; an empty list for a configuration.

    Raise BadInput for a missing file, several configurations, or both kinds at once.
    """
    named = [Path(each) for each in baselines or []]
    for path in named:
        if path.suffix == ".json" and not path.is_file():
            raise BadInput(f"{path}: no such file", "give a Run file, or a configuration such as float32/litert")
    files = [path for path in named if path.is_file() or any(path.glob("run-*.json"))]
    if len(named) > 1 and len(files) < len(named):
        other = next(path for path in named if path not in files)
        raise BadInput(
            f"--baseline {other}: no such file", "repeat --baseline only for Run files; give only one configuration"
        )
    return files


def share(text: str | None, flag: str) -> float | None:
    """Return ``5%`` or ``5`` as 0.05, None for None. Raise BadInput for anything else."""
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1000:
        raise BadInput(f"{flag} {text!r}: not a percentage below 1000", f"for example {flag} 5%")
    return value / 100


def points(value: float | None, flag: str) -> float | None:
    """Return percentage points, None for None. Raise BadInput for values that are not between 0 and 100."""
    if value is not None and not 0 <= value <= 100:
        raise BadInput(f"{flag} {value}: not between 0 and 100 percentage points", f"for example {flag} 0.5")
    return value


def explicit_options(context: typer.Context) -> set[str]:
    """Return the names of the parameters that came from the command line or the environment, not from defaults."""
    stated = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) and source.name not in ("DEFAULT", "DEFAULT_MAP")
    }
    return stated | ({"dropout"} if "no_dropout" in stated else set())


def data_options(context: typer.Context) -> "DataOptions":
    """Return the options of ``options/data.py`` as a record.

    Raise BadInput for unknown values, and for options that need another option.
    """
    from edge_bench.bench.measure.options import data

    return data.data_options({name: context.params[name] for name in DATA_OPTIONS})
