"""How options are declared: environment variables, sections of help, lists, and options that several commands share."""

import functools
import inspect
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import typer

__all__ = ["LIST", "OptionGroup", "Section", "argument", "list_option", "option", "with_options"]

#: Parameter name → (annotated type, default).
OptionGroup = Mapping[str, tuple[Any, Any]]
#: What help shows as the value of an option that is a list in one text, such as ``a,b``.
LIST = "LIST"


class Section(StrEnum):
    """Headings of help, in the order in which help shows them: common options first, rare ones last."""

    MAIN = "Options"
    TRAINING = "Training"
    GATE = "Gate (exit code 3 if not met)"
    OUTPUT = "Output"
    MEASURING = "Measuring"
    TRANSFER = "Transfer"
    MODEL = "Model inputs and outputs"
    IMAGES = "Image preprocessing"
    LABELS = "Labels and classes"
    DETECTION = "Detection and segmentation"
    ENGINES = "Engines and images"
    WORKERS = "Several workers"
    SECURITY = "Security"
    LIMITS = "Limits"
    GENERAL = "General"


def option(*flags: str, env: str = "", section: Section = Section.MAIN, **settings: Any) -> Any:
    """Return a typer option. Its environment variable is EDGE_BENCH_ and ``env``, or else the long flag's name.

    Help names the variable only if it does not follow from the flag.
    """
    name = env or max(flags, key=len).lstrip("-").upper().replace("-", "_")
    settings.setdefault("show_envvar", bool(env))
    return typer.Option(*flags, envvar=f"EDGE_BENCH_{name}", rich_help_panel=section.value, **settings)


def list_option(*flags: str, env: str = "", section: Section = Section.MAIN, **settings: Any) -> Any:
    """Return `option` for a list in one text, such as ``a,b``. Commands refuse it if it is given twice.

    Of an option that is given twice, the last value counts. Of two lists, a user would expect both.
    """
    return option(*flags, env=env, section=section, metavar=LIST, **settings)


def argument(metavar: str, env: str, **settings: Any) -> Any:
    """Return a typer argument that may also come from the environment variable EDGE_BENCH_``env``."""
    return typer.Argument(metavar=metavar, envvar=f"EDGE_BENCH_{env}", **settings)


def with_options(command: Callable[..., None], group: OptionGroup, *, before: str = "") -> Callable[..., None]:
    """Return the command with the options of ``group`` added before the parameter ``before``, or at the end.

    The command itself does not receive them: their callbacks act, or it reads them from the context.
    """
    signature = inspect.signature(command)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in group.items()
    ]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()]
    place = next((number for number, parameter in enumerate(own) if parameter.name == before), len(own))

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        command(**{name: value for name, value in values.items() if name not in group})

    parameters = [*own[:place], *added, *own[place:]]
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper
