"""Messages of other commands, with keys of edge-bench.toml instead of options."""

import json
import re

import msgspec

from edge_bench.app.nightly.settings.records import FleetTable, ModelTable, NightlyFile, NotifyTable, RunTable
from edge_bench.bench.errors import EdgeBenchError

__all__ = ["as_keys", "with_keys"]

#: Commands in backticks stay as they are.
_COMMAND = re.compile(r"(`[^`]*`)")
#: An option, and a value that is a number, a list of numbers, or an amount such as 128M.
_OPTION = re.compile(r"(?<![\w-])--([a-z][a-z-]*[a-z])(?: (\d[\w.]*(?:,\d[\w.]*)*))?")
#: Options of `nightly` itself.
_OWN = ("dry-run", "notify-again", "resume", "daily-at", "format", "require-sandbox", "quiet", "debug", "help")


def _tables() -> dict[str, str]:
    """Return the table of each option that has a key; an empty text for keys outside the tables."""
    found = {"results": "", "fleet": "[fleet]"}
    kinds: dict[str, type[msgspec.Struct]] = {
        "[run]": RunTable,
        "[[model]]": ModelTable,
        "[fleet]": FleetTable,
        "[notify]": NotifyTable,
    }
    for table, kind in reversed(kinds.items()):  # [run] is more frequent than [notify], which has a timeout, too
        found |= dict.fromkeys((each.encode_name for each in msgspec.structs.fields(kind)), table)
    return found | {each.encode_name: "" for each in msgspec.structs.fields(NightlyFile) if each.type is str}


_TABLES = _tables()
#: Options whose key has another name.
_NAMES = {"fleet": "file"}
#: Options for which there is something else.
_OTHER = {
    "once": "the next `edge-bench nightly`",
    "resume": "the next `edge-bench nightly`",
    "engine": "[[fleet.engine]]",
    "tls": "tls in [[fleet.engine]]",
    "ssh-config": "ssh_config in [[fleet.engine]]",
}


def as_keys(text: str) -> str:
    """Return a message with the keys of edge-bench.toml in place of options that `nightly` does not have."""
    parts = _COMMAND.split(text)
    return "".join(part if part.startswith("`") else _OPTION.sub(_key, part) for part in parts)


def with_keys(error: EdgeBenchError) -> EdgeBenchError:
    """Return the same error with keys instead of options."""
    return type(error)(as_keys(error.problem), as_keys(error.remedy))


def _key(found: re.Match[str]) -> str:
    option, value = found[1], found[2]
    if option in _OWN:
        return found[0]
    if option in _OTHER:
        return f"{_OTHER[option]} {value}" if value else _OTHER[option]
    key = option.replace("-", "_")
    if key not in _TABLES:
        return f'options = ["--{option}", …] in [[model]]'
    name, table = _NAMES.get(key, key), _TABLES[key]
    if value is None:
        return f"{name} in {table or 'the settings'}"
    return f"{f'{table} ' if table else ''}{name} = {_toml(value)}"


def _toml(value: str) -> str:
    parts = value.split(",")
    if all(part.isdecimal() for part in parts):
        return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"
    return json.dumps(value)
