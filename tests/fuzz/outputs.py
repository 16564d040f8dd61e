"""What the code does with hostile texts, and with files in folders that several users or processes share."""

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from unittest import mock
from zlib import crc32

from edge_bench.app.cli import console
from edge_bench.app.figures.drawing.canvas import render as drawn
from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.app.fleet.runs.state import DeviceState, FleetRecord
from edge_bench.app.render.escaping import markdown_text, visible
from edge_bench.app.render.formats import Format, Layout
from edge_bench.app.render.table import Table
from edge_bench.app.render.text.table import render
from edge_bench.app.report.bundle_section import bundle_sections
from edge_bench.app.tables.fleet import fleet_table
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.dataset.cache import decoded_images
from edge_bench.bench.errors import EdgeBenchError, ResultsError
from edge_bench.bench.io.files import PART
from edge_bench.bench.io.record_codec import decode_record, encode_record
from edge_bench.bench.preprocessing.presets import Geometry
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run_files import read_run, write_run
from edge_bench.bench.system.concurrent_runs import MAX_RUNS, concurrent_runs, detect_concurrent_runs
from edge_bench.bench.system.environment import concurrent_run_findings
from tests.app.render.hostile_text import HOSTILE, formula_cells
from tests.fuzz import seeds
from tests.struct_paths import with_every_text

__all__ = ["REGISTRY", "fleet_states", "names", "registries", "show", "use_cache", "use_fleet_state", "use_names",
           "use_registry"]  # fmt: skip

REGISTRY = f"shared/.measuring.forged{PART}"
_FIXED = ("schema_version", "began", "dtype", "data", "source", "run_id", "task")


def show(tables: Iterable[Table]) -> None:
    """Render tables in every format, and assert that nothing in them is a command, a formula or another column."""
    for table in tables:
        for form in Format:
            text = render(table, form, 100)
            text.encode("utf-8")
            assert visible(text) == text, form
            if form is Format.CSV:
                assert formula_cells(text) == []
                assert len({len(row) for row in csv.reader(io.StringIO(text))}) <= 1
            elif form is Format.JSON:
                assert len(json.loads(text)) == len(table.records)
            elif form is Format.HTML:
                assert "<script" not in text


def names() -> list[bytes]:
    """Return texts in UTF-8, or nearly."""
    return [name.encode("utf-8", "surrogateescape") for name in HOSTILE] + [b"n" * 70_000]


def use_names(path: Path) -> None:
    """Put a text into every text of a Run, write it, read it, and show it in every way."""
    name = path.read_bytes().decode("utf-8", "surrogateescape")
    run = with_every_text(seeds.runs()[0], name, but=_FIXED)
    (written := path.parent / "written").mkdir(exist_ok=True)
    found = read_run(write_run(run, written, again=True))
    assert found.results[0].trials[0].latencies == run.results[0].trials[0].latencies
    show([run_table(found), *console.comparison_tables(compare([found]))])
    assert "\n" not in markdown_text(name)
    console.print_error(EdgeBenchError(name, name))
    console.banner(name)
    if crc32(path.read_bytes()) % 30 == 0:
        for drawing in bundle_sections([found], [])[0].drawings:
            drawn(drawing, Layout.COLUMN, "svg")


def registries() -> list[bytes]:
    """Return the registry file of a run on this machine."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return [json.dumps({"run_id": "f" * 32, "process": 1, "host": "pi", "boot": boot}).encode() + b"\n"]


def use_registry(path: Path) -> None:
    """Look for concurrent runs with a forged and locked registry file present."""
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with detect_concurrent_runs("mine", "here", path.parent) as here:
            found = [*here.poll(), *concurrent_runs(path.parent)]
    finally:
        os.close(handle)
    assert len(found) <= MAX_RUNS
    for finding in concurrent_run_findings(found):
        assert len(finding.what) < 500
        assert visible(finding.what) == finding.what


def use_cache(path: Path, pngs: Path, files: list[str]) -> None:
    """Use the cache of decoded images with a damaged record."""
    cache = path.parent / "cache"
    with mock.patch.dict(os.environ, EDGE_BENCH_CACHE=str(cache)):
        decoded_images(pngs, files, Geometry(4, 4, 3), Silent())
        (record,) = (cache / "images").glob("*.json")
        record.write_bytes(path.read_bytes())
        found = decoded_images(pngs, files, Geometry(4, 4, 3), Silent())
    assert set(found.readable) <= set(range(len(files)))


def fleet_states() -> list[bytes]:
    """Return the state of a fleet command."""
    engine = EngineSetting(name="pi", url="ssh://pi@pi4.local")
    device = DeviceState(engine=engine, state="failed", reason="lost", remedy="plug it in", seconds={"run": 1.5})
    record = FleetRecord(
        fleet="f", began="2026-01-01T00:00:00+00:00", bundle_sha256="0" * 64, options=["--trials", "3"], image="",
        devices=[device],
    )  # fmt: skip
    return [encode_record(record)]


def use_fleet_state(path: Path) -> None:
    """Show a fleet's state, as a resumed command does."""
    show([fleet_table(decode_record(path, FleetRecord, ResultsError, "remove it").devices)])
