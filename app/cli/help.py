"""Help of commands as plain text: in sections, with examples, and readable at any width without colour.

Text is wrapped between words only, so that flags, paths and choices can be copied. It is printed without rich, whose
import would take longer than everything else that help needs.
"""

import inspect
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from typer.core import TyperCommand, TyperGroup

from edge_bench.app.cli.options.declare import LIST, Section
from edge_bench.app.render.text.wrapping import wrapped
from edge_bench.bench.errors import BadInput

__all__ = ["Command", "Group"]

#: Widest first column; longer flags have a line of their own.
_MAX_FLAGS = 24
_VARIABLES = (
    "Every option can also be set by an environment variable: --batch-size by EDGE_BENCH_BATCH_SIZE, unless its help "
    "names another variable."
)


class Command(TyperCommand):
    """A command with help in sections, which refuses empty values, and a list that is given more than once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; raise BadInput for an empty value, or a list that is given more than once."""
        values, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in dict.fromkeys(given):
            flag = max(parameter.opts, key=len)
            value = values.get(parameter.name)
            if flag.startswith("-") and any(
                isinstance(each, str) and not each.strip() for each in (value if isinstance(value, list) else [value])
            ):
                raise BadInput(f"{flag} has an empty value", f"give it a value, or omit {flag}")
            if parameter.metavar == LIST and given.count(parameter) > 1:
                raise BadInput(f"{flag} is given {given.count(parameter)} times", "give all its values in one list")
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(_help_text(self, ctx, formatter.width))


class Group(TyperGroup):
    """A group of commands with help in sections."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(_help_text(self, ctx, formatter.width))


def _help_text(command: Any, context: Any, width: int) -> str:
    usage = f"Usage: {context.command_path} {' '.join(command.collect_usage_pieces(context))}"
    parts = [wrapped(usage, width, indent=" " * len("Usage: "))]
    parts += [_indented(paragraph, width) for paragraph in inspect.cleandoc(command.help or "").split("\n\n")]
    parts += [[f"{heading}:", *_columns(rows, width)] for heading, rows in _sections(command, context).items() if rows]
    if command.epilog:
        heading = "Start with:" if isinstance(command, Group) else "Examples:"
        parts.append([heading, *(f"  {line}" for line in command.epilog.splitlines())])
    if isinstance(command, Command):
        parts.append(wrapped(_VARIABLES, width, indent=""))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _indented(paragraph: str, width: int) -> list[str]:
    return [f"  {line}" for line in wrapped(paragraph.replace("\n", " "), width - 2, indent="")]


def _sections(command: Any, context: Any) -> dict[str, list[tuple[str, str]]]:
    """Return the rows of each section: commands, then arguments, then options in the order of `Section`."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            summary = inspect.cleandoc(each.help or "").split("\n\n")[0].replace("\n", " ")
            sections.setdefault(each.rich_help_panel or "Commands", []).append((name, summary))
    sections["Arguments"] = []
    sections |= {section.value: [] for section in Section}
    for parameter in command.get_params(context):
        if parameter.hidden:
            continue
        is_argument = parameter.param_type_name == "argument"
        heading = "Arguments" if is_argument else parameter.rich_help_panel or Section.GENERAL.value
        sections.setdefault(heading, []).append((_flags(parameter), _explained(parameter)))
    return sections


def _flags(parameter: Any) -> str:
    """Return ``-o, --results PATH``, ``--exif-orientation / --no-exif-orientation`` or the name of an argument."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    flags = ", ".join(sorted(parameter.opts, key=len))
    if parameter.secondary_opts:
        return f"{flags} / {', '.join(parameter.secondary_opts)}"
    return flags if parameter.is_flag else f"{flags} {parameter.metavar or parameter.name.upper()}"


def _explained(parameter: Any) -> str:
    """Return the help of a parameter with its default, and its environment variable if help has to name it."""
    extras = []
    if parameter.required:
        extras.append("[required]")
    if default := _default(parameter):
        extras.append(f"[default: {default}]")
    if parameter.envvar and parameter.show_envvar:
        extras.append(f"[env: {parameter.envvar}]")
    return " ".join([(parameter.help or "").replace("\n", " "), *extras]).strip()


def _default(parameter: Any) -> str:
    default = parameter.default
    if not parameter.show_default or default is None or isinstance(default, bool) or callable(default):
        return ""
    values: Iterable[Any] = default if isinstance(default, list | tuple) else [default]
    return ", ".join(str(value.value if isinstance(value, Enum) else value).removesuffix(".0") for value in values)


def _columns(rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Return rows of names and texts in two columns."""
    first = min(max(len(name) for name, _ in rows), _MAX_FLAGS) + 2
    lines = []
    for name, text in rows:
        about = wrapped(text, max(width - first - 2, 20), indent="")
        if len(name) > first - 2 or not about:
            lines.append(f"  {name}")
        else:
            lines.append(f"  {name:<{first}}{about.pop(0)}")
        lines += [f"  {'':<{first}}{line}" for line in about]
    return lines
