"""How options are declared: their environment variables, and options that several commands share."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import typer

__all__ = ["OptionGroup", "argument", "option", "with_options"]

#: Parameter name → (annotated type, default).
OptionGroup = Mapping[str, tuple[Any, Any]]
Command = Callable[..., None]


def option(*flags: str, env: str = "", **settings: Any) -> Any:
    """Return a typer option. Its environment variable is EDGE_BENCH_ and ``env``, or else the long flag's name."""
    name = env or max(flags, key=len).lstrip("-").upper().replace("-", "_")
    return typer.Option(*flags, envvar=f"EDGE_BENCH_{name}", **settings)


def argument(metavar: str, env: str, **settings: Any) -> Any:
    """Return a typer argument that may also come from the environment variable EDGE_BENCH_``env``."""
    return typer.Argument(metavar=metavar, envvar=f"EDGE_BENCH_{env}", **settings)


def with_options(command: Command, group: OptionGroup, *, before: str = "") -> Command:
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
