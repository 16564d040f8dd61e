"""Parse the values of options."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli.options.data import DATA_OPTIONS
from edge_bench.bench.errors import BadInput

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

_MAX_COUNT = 10**9
_MAX_SECONDS = 30 * 24 * 3600


def names(text: str | None) -> list[str]:
    """Return ``a,b`` as a list; an empty one for None."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def counts(text: str | None, flag: str) -> list[int] | None:
    """Return ``1,2,4`` as positive integers, None for None. Raise BadInput for anything else."""
    if text is None:
        return None
    try:
        numbers = [int(part) for part in names(text)]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1 or max(numbers) > _MAX_COUNT:
        raise BadInput(f"{flag} {text[:200]!r}: not positive whole numbers", f"say, {flag} 1,2,4")
    return numbers


def baseline_files(baselines: Sequence[str] | None) -> list[Path]:
    """Return the Run files and folders that ``--baseline`` names; an empty list for a configuration.

    Raise BadInput for a missing file, several configurations, or both kinds at once.
    """
    named = [Path(each) for each in baselines or []]
    for path in named:
        if path.suffix == ".json" and not path.is_file():
            raise BadInput(f"{path}: no such file", "name a file that `edge-bench run` wrote, or VARIANT/RUNTIME")
    files = [path for path in named if path.is_file() or any(path.glob("run-*.json"))]
    if len(named) > 1 and len(files) < len(named):
        other = next(path for path in named if path not in files)
        raise BadInput(
            f"--baseline {other}: no such file", "give several only for Run files; a configuration stands alone"
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


def memory(text: str | None, flag: str = "--memory-limit") -> int | None:
    """Return ``512M`` or ``2G`` in bytes, None for None. Raise BadInput for anything else or less than 1 MiB."""
    if text is None:
        return None
    return size(text, flag, least=1 << 20)


def size(text: str, flag: str, *, least: int = 1, most: int = 1 << 60) -> int:
    """Return ``512M`` or ``2G`` in bytes. Raise BadInput for anything else."""
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    amount = int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " ")) if found else 0
    if not least <= amount <= most:
        raise BadInput(f"{flag} {text[:200]!r}: no amount of memory that can be meant", f"say, {flag} 128M")
    return amount


def duration(text: str | None, flag: str = "--budget") -> float | None:
    """Return ``90s``, ``5m``, ``1h`` or ``1h30m`` in seconds, None for None or an empty text.

    Raise BadInput for anything else, for less than a second and for more than 30 days.
    """
    if not text:
        return None
    found = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m(?:in)?)?(?:(\d{1,7})s?)?", re.sub(r"\s", "", text).lower())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    value = 3600.0 * hours + 60 * minutes + seconds
    if not 1 <= value <= _MAX_SECONDS:
        raise BadInput(f"{flag} {text[:80]!r}: not a duration from 1 s to 30 days", f"for example {flag} 5m, 90s or 1h")
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
    from edge_bench.bench.dataset import options as known
    from edge_bench.bench.inputs.random_values import parse_range
    from edge_bench.bench.interpretation.graphs.graph_model import stated_shapes
    from edge_bench.bench.preprocessing.presets import INTERPOLATIONS

    said = {name: context.params[name] for name in DATA_OPTIONS}
    choices = {
        "interpolation": INTERPOLATIONS, "channel_order": ("rgb", "bgr"), "head": known.HEADS,
        "class_order": (*known.CLASS_ORDERS, *known.BOX_CLASS_ORDERS), "coordinates": known.COORDINATES,
        "class_axis": known.CLASS_AXES, "task": known.TASK_NAMES,
    }  # fmt: skip
    for name, values in choices.items():
        _one_of(said[name], f"--{name.replace('_', '-')}", values)
    names_only = said["classes"] and said["task"] is not None  # of a model's classes, as random inputs have no labels
    if said["data"] is None and (said["labels"] or said["label_names"] or (said["classes"] and not names_only)):
        raise BadInput("labels and classes are of --data, which is missing", "name the images with --data")
    finite(said["threshold"], "--threshold")
    said |= {name: _numbers(said[name], f"--{name}") for name in ("scale", "offset")}
    lists = {"shapes": tuple(said.pop("shape") or ()), "ranges": tuple(said.pop("range") or ())}
    stated_shapes(lists["shapes"])
    for text in lists["ranges"]:
        parse_range(text)
    changed = {"image_size": _size(said["image_size"]), "signature": said["signature"] or ""}
    return known.DataOptions(**said | lists | changed)


def _one_of(value: str | None, flag: str, values: Sequence[str]) -> None:
    """Raise BadInput if an option is stated with another value than these."""
    if value is not None and value not in values:
        raise BadInput(f"{flag} {value[:80]!r} is not known", f"there are: {', '.join(values)}")


def finite(value: float | None, flag: str) -> float | None:
    """Return the value of an option; raise BadInput if it is infinite or not a number."""
    if value is not None and not math.isfinite(value):
        raise BadInput(f"{flag} {value}: not a finite number", "0.5 suits probabilities, 0 logits")
    return value


def _numbers(text: str | None, flag: str) -> list[float] | None:
    if text is None:
        return None
    try:
        numbers = [float(part) for part in names(text)]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise BadInput(f"{flag} {text[:200]!r}: not finite numbers", f"use {flag} 0.5 or {flag} 0.5,0.5,0.5")
    return numbers or None


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip())
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not height or not width:
        raise BadInput(f"--image-size {text!r}: no size", "say, --image-size 224x224")
    return height, width
