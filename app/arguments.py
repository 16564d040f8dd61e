"""From what a person typed behind an option to what it means."""

from pathlib import Path

import typer

from bench.errors import BadInput

__all__ = ["counts", "given", "is_file", "names", "share"]


def names(text: str | None) -> list[str]:
    """``a,b`` as a list; nothing as an empty one."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def counts(text: str | None, flag: str) -> list[int] | None:
    """``1,2,4`` as positive integers; None where nothing was said. BadInput for anything else."""
    if text is None:
        return None
    try:
        numbers = [int(part) for part in names(text)]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise BadInput(f"{flag} {text!r}: not positive whole numbers", f"say, {flag} 1,2,4")
    return numbers


def is_file(baseline: str) -> bool:
    """Whether ``--baseline`` names a Run's file rather than a configuration; BadInput for a file that is not there."""
    path = Path(baseline)
    if path.suffix == ".json" and not path.is_file():
        raise BadInput(f"{path}: no such file", "name a file that `edge-bench run` wrote, or VARIANT/RUNTIME")
    return path.is_file()


def share(text: str | None, flag: str) -> float | None:
    """``5%`` or ``5`` as 0.05; None where nothing was said. BadInput for anything else."""
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1000:
        raise BadInput(f"{flag} {text!r}: not a percentage", f"say, {flag} 5%")
    return value / 100


def given(context: typer.Context) -> set[str]:
    """Names of the options that the person stated, on the command line or in the environment."""
    stated = {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) and source.name not in ("DEFAULT", "DEFAULT_MAP")
    }
    return stated | ({"dropout"} if "no_dropout" in stated else set())
