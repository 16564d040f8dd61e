"""Runs of several devices over several nights, with known changes."""

import datetime
import zlib
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import write_run
from tests.factories import machine, result, run

__all__ = ["NOW", "fleet", "write_all"]

NOW = datetime.datetime(2026, 2, 1, 6, tzinfo=datetime.UTC)


def fleet(devices: int = 3, nights: int = 20, *, slower: str = "", silent: str = "", name: str = "pi{}") -> list[Run]:
    """One Run per device and night; the last night is that of `NOW`.

    ``slower`` takes 10 % longer in the last eight nights. ``silent`` has no Run in the last three.
    """
    runs = []
    for device in range(devices):
        hostname = name.format(device)
        luck = np.random.default_rng(device).normal(1, 0.004, nights)
        for night in range(nights - 3 * (hostname == silent)):
            began = NOW - datetime.timedelta(days=nights - 1 - night, hours=4)
            factor = 1.1 if hostname == slower and night >= nights - 8 else 1.0
            made = run(result("int8", "litert", 0.01 * factor * float(luck[night])), on=machine(hostname=hostname))
            runs.append(
                msgspec.structs.replace(
                    made,
                    began=began.isoformat(timespec="seconds"),
                    run_id=f"{zlib.crc32(hostname.encode()):016x}{night:016x}",
                    trusted=True,
                )
            )
    return runs


def write_all(runs: list[Run], folder: Path) -> Path:
    """Write the Runs as files, and return the folder."""
    folder.mkdir(exist_ok=True)
    for each in runs:
        write_run(each, folder)
    return folder
