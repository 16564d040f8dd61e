"""Write the reference of the command line: ``python -m tools.write_cli_reference docs/cli.md`` (``make schema``).

Everything in it comes from the commands that are registered in ``app/cli/main.py``, so that it cannot differ from them.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from typer.main import get_command

from edge_bench.app.cli.main import app
from edge_bench.app.cli.options.declare import Section
from edge_bench.bench.errors import BadInput, EdgeBenchError, GateNotMet, Interrupted, NotTrusted
from edge_bench.bench.io.files import write_atomically

__all__ = ["commands", "reference"]

_TITLE = """# Command line

<!-- Written by `make schema` from the code. Do not edit. -->

`edge-bench COMMAND --help` prints the same for one command. Results are printed on stdout, progress and warnings on
stderr."""

_VARIABLES = """## Environment variables

Every option has an environment variable, which the tables below name under it. An option on the command line takes
precedence. The value of a flag is `1` or `0`. An option that may be repeated takes several values, separated by spaces
(paths: by `:`).

These variables have no option:"""

_OTHER_VARIABLES = (
    (
        "EDGE_BENCH_CACHE",
        "Folder of data sets, decoded images and indexes of Runs",
        "the user's cache folder",
    ),
    ("EDGE_BENCH_DATA", "Folder of data sets, such as `fashion-mnist/`; searched before the cache", ""),
    (
        "EDGE_BENCH_DEFAULT_BUDGET",
        "`--budget` of `run` if neither `--budget` nor `--limit` is given",
        "10m in the edge image",
    ),
    ("EDGE_BENCH_FASHION_MNIST_URL", "Mirror of Fashion-MNIST's files", ""),
    ("EDGE_BENCH_RUNTIME_DIR", "Folder in which runs on one machine find each other", "`/run/lock`, or `/tmp`"),
    ("NO_COLOR", "If it is set, nothing is coloured", ""),
)

_EXIT_CODES = (
    (0, "success"),
    (EdgeBenchError.exit_code, "failure, for example a missing package or a full disk"),
    (BadInput.exit_code, "wrong options, or files that cannot be used"),
    (GateNotMet.exit_code, "a gate (`--fail-if-…`) was not met"),
    (NotTrusted.exit_code, "measured, but the times are not reliable (`--strict`), or an export has no reliable time"),
    (Interrupted.exit_code, "interrupted by Ctrl-C or SIGTERM; finished trials are kept"),
)

_TYPES = {int: "integer", float: "number", str: "text", Path: "path"}
_DEFAULT = re.compile(r"\s*\[default: ([^\[\]]*)\]\s*$")
_FLAG = re.compile(r"(?<![\w`-])--[a-z][a-z-]*")


def commands(group: Any = None, name: str = "edge-bench") -> Iterator[tuple[str, Any]]:
    """Yield every command that help lists, with its full name; groups come before their commands."""
    group = group or get_command(app)
    for each, command in group.commands.items():
        if not command.hidden:
            yield f"{name} {each}", command
            if hasattr(command, "commands"):
                yield from commands(command, f"{name} {each}")


def reference() -> str:
    """Return the page."""
    listed = list(commands())
    leaves = [command for _, command in listed if not hasattr(command, "commands")]
    common = [each for each in leaves[0].params if all(_has(command, each) for command in leaves)]
    parts = [
        _TITLE,
        _table(("command", "what it does"), [(_link(name), _summary(command)) for name, command in listed]),
        "## Exit codes\n\nAn error is one or two lines on stderr: what is wrong, and what to do.",
        _table(("code", "meaning"), [(str(code), meaning) for code, meaning in _EXIT_CODES]),
        _VARIABLES,
        _table(
            ("variable", "meaning", "default"),
            [(f"`{name}`", meaning, default) for name, meaning, default in _OTHER_VARIABLES],
        ),
        "## Common options\n\nThey are options of every command.",
        _options(common) + "\n| `-h`, `--help` | | | Print the help of the command. |",
        "`edge-bench --version` prints the version.",
    ]
    names = {each.name for each in common}
    for name, command in listed:
        parts += _command(name, command, names)
    return "\n\n".join(parts) + "\n"


def _has(command: Any, parameter: Any) -> bool:
    return any(each.opts == parameter.opts and each.help == parameter.help for each in command.params)


def _link(name: str) -> str:
    return f"[`{name}`](#{name.replace(' ', '-')})"


def _summary(command: Any) -> str:
    return _text(inspect.cleandoc(command.help or "").split("\n\n")[0])


def _command(name: str, command: Any, common: set[str]) -> Iterator[str]:
    """Yield the parts of the page that describe a command."""
    yield f"## {name}"
    yield "\n\n".join(_text(part) for part in inspect.cleandoc(command.help or "").split("\n\n"))
    if hasattr(command, "commands"):
        return
    shown = [each for each in command.params if not getattr(each, "hidden", False) and each.name not in common]
    arguments = [each for each in shown if each.param_type_name == "argument"]
    yield f"```text\n{' '.join([name, '[OPTIONS]', *map(_usage, arguments)])}\n```"
    if arguments:
        yield _table(("argument", "default", "meaning"), [_argument(each) for each in arguments])
    sections: dict[str, list[Any]] = {section.value: [] for section in Section}
    for each in shown:
        if each.param_type_name == "option":
            sections.setdefault(each.rich_help_panel or Section.GENERAL.value, []).append(each)
    for heading, options in sections.items():
        if options:
            yield f"**{heading}**"
            yield _options(options)
    if command.epilog:
        yield f"Examples:\n\n```sh\n{command.epilog.strip()}\n```"


def _usage(argument: Any) -> str:
    text = f"{argument.metavar or argument.name.upper()}{'...' if argument.nargs != 1 else ''}"
    return text if argument.required else f"[{text}]"


def _argument(argument: Any) -> tuple[str, str, str]:
    meaning, default = _meaning(argument)
    return _names([_metavar(argument)], argument), default, meaning


def _options(options: Sequence[Any]) -> str:
    return _table(("option", "value", "default", "meaning"), [_option(each) for each in options])


def _option(option: Any) -> tuple[str, str, str, str]:
    meaning, default = _meaning(option)
    flags = sorted(option.opts, key=len) + option.secondary_opts
    return _names(flags, option), "" if option.is_flag else _value(option), default, meaning


def _names(names: Sequence[str], parameter: Any) -> str:
    variable = parameter.envvar
    return ", ".join(f"`{name}`" for name in names) + (f"<br>`{variable}`" if variable else "")


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper()).replace("|", " or ")


def _value(option: Any) -> str:
    """Return what the value of an option may be."""
    kind = option.type_descriptor
    if kind.choices is not None:
        text = ", ".join(f"`{getattr(each, 'value', each)}`" for each in kind.choices)
    else:
        annotation = kind.annotation.__args__[0] if kind.is_list else kind.annotation
        text = option.metavar or _TYPES[annotation]
    if option.min is not None or option.max is not None:
        text += f", {_range(option.min, option.max)}"
    return f"{text}, repeatable" if option.multiple else text


def _range(least: float | None, most: float | None) -> str:
    if most is None:
        return f"from {_number(least)}"
    return f"up to {_number(most)}" if least is None else f"{_number(least)} to {_number(most)}"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _meaning(parameter: Any) -> tuple[str, str]:
    """Return the help text of a parameter and its default, which is at the end of some texts."""
    text = parameter.help or ""
    if found := _DEFAULT.search(text):
        text = text[: found.start()]
    default = _text(found[1]) if found else "required" if parameter.required else _default(parameter)
    return _text(text), default


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or callable(value) or isinstance(value, bool) or value in ("", (), []):
        return ""
    values = value if isinstance(value, list | tuple) else [value]
    return ", ".join(f"`{_shown(each)}`" for each in values)


def _shown(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    """Return help text as Markdown on one line, with flags as code."""
    parts = " ".join(text.split()).split("`")
    for number in range(0, len(parts), 2):  # what is between backticks is code already
        plain = re.sub(r"([*<|\\])", r"\\\1", parts[number])
        parts[number] = _FLAG.sub(lambda flag: f"`{flag[0]}`", plain)
    return "`".join(parts)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in cells) for cells in lines)


def main(path: Path) -> None:
    """Write the page."""
    write_atomically(path, reference().encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
