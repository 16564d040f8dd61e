"""Write the JSON Schemas of all records and rows: ``python -m tools.write_schemas docs/schema`` (``make schema``)."""

import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.nightly.settings.records import NightlyFile
from edge_bench.app.tables.rows.registry import ROWS
from edge_bench.bench.analysis.comparison.comparison import Comparison
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.manifest import History, Manifest
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.records.run import Run

__all__ = ["RECORDS", "schemas"]

RECORDS: dict[str, type[msgspec.Struct]] = {
    "manifest": Manifest,
    "history": History,
    "run": Run,
    "comparison": Comparison,
    "offload": Offload,
    "night": Night,
    "edge-bench-toml": NightlyFile,
}

_HEADING = """# JSON Schemas

<!-- Written by `make schema` from the code. Do not edit. -->

Of the records on disk, and of what commands print with `--format json`; with `--format jsonl`, each line is one row.

| schema | describes |
| --- | --- |"""
#: Commands with an option that changes the type of their rows.
_OPTION_OF_ROWS = {"run-repeats": "run --repeat-runs", "compare-baseline": "compare --baseline RUN"}


def schemas() -> dict[str, bytes]:
    """Return the JSON Schema (draft 2020-12) of each record and of each command's rows, and a list, by file name."""
    files = {f"{name}.schema.json": _schema(kind) for name, kind in RECORDS.items()}
    files |= {f"rows/{name}.schema.json": _rows_schema(kinds) for name, kinds in ROWS.items()}
    return files | {"README.md": _list().encode()}


def _list() -> str:
    records = [(f"{name}.schema.json", inspect.getdoc(kind) or "") for name, kind in RECORDS.items()]
    commands = {name: _OPTION_OF_ROWS.get(name, name.replace("-", " ")) for name in ROWS}
    rows = [(f"rows/{name}.schema.json", f"Rows of `{command} --format json`.") for name, command in commands.items()]
    lines = [f"| [{file}]({file}) | {text.splitlines()[0]} |" for file, text in records + rows]
    return "\n".join([_HEADING, *lines]) + "\n"


def _schema(kind: type[Any]) -> bytes:
    return _formatted(msgspec.json.schema(kind))


def _rows_schema(kinds: tuple[type[Any], ...]) -> bytes:
    """Return the schema of a list of rows, each of one of these types."""
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    items = schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
    return _formatted({"type": "array", "items": items, "$defs": components})


def _formatted(schema: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(schema), indent=1) + b"\n"


def main(folder: Path) -> None:
    """Write all schemas into a folder."""
    for name, content in schemas().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / name, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
