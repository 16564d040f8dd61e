"""Write the JSON Schema of every record: ``python -m tools.write_schemas docs/schema`` (``make schema``)."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.analysis.comparison.comparison import Comparison
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.manifest import History, Manifest
from edge_bench.bench.records.run import Run

__all__ = ["RECORDS", "schemas"]

RECORDS: dict[str, type[msgspec.Struct]] = {
    "manifest": Manifest,
    "history": History,
    "run": Run,
    "comparison": Comparison,
    "offload": Offload,
}


def schemas() -> dict[str, bytes]:
    """Return the JSON Schema (draft 2020-12) of each record, by file name."""
    return {f"{name}.schema.json": _schema(kind) for name, kind in RECORDS.items()}


def _schema(kind: type[Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(kind)), indent=1) + b"\n"


def main(folder: Path) -> None:
    """Write all schemas into a folder."""
    for name, content in schemas().items():
        write_atomically(folder / name, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
