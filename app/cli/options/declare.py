"""How options are declared: their environment variables, lists, and options that several commands share."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperCommand

from edge_bench.bench.errors import BadInput

__all__ = ["Command", "OptionGroup", "argument", "list_option", "option", "with_options"]

#: Parameter name → (annotated type, default).
OptionGroup = Mapping[str, tuple[Any, Any]]
#: What help shows as the value of an option that is a list in one text, such as ``a,b``.
_LIST = "LIST"


def option(*flags: str, env: str = "", **settings: Any) -> Any:
    """Return a typer option. Its environment variable is EDGE_BENCH_ and ``env``, or else the long flag's name."""
    name = env or max(flags, key=len).lstrip("-").upper().replace("-", "_")
    return typer.Option(*flags, envvar=f"EDGE_BENCH_{name}", **settings)


def list_option(*flags: str, env: str = "", **settings: Any) -> Any:
    """Return `option` for a list in one text, such as ``a,b``. Commands refuse it if it is given twice.

    Of an option that is given twice, the last value counts. Of two lists, a user would expect both.
    """
    return option(*flags, env=env, metavar=_LIST, **settings)


class Command(TyperCommand):
    """A command that refuses a `list_option` that is given more than once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raise BadInput for a list that is given more than once."""
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in dict.fromkeys(given):
            if parameter.metavar == _LIST and given.count(parameter) > 1:
                flag = max(parameter.opts, key=len)
                raise BadInput(f"{flag} is given {given.count(parameter)} times", "give all its values in one list")
        return super().parse_args(ctx, args)


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
