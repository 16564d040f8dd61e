"""Weeks of nights with Runs that were measured: one engine dies in the fourth, one is slower from the fifth on.

`recorded` has six Runs of each of the two models of `studies.nights.models`, measured in turn on 2026-11-27 on a shared
virtual machine with 2 cores and a load of 15, with real-time priority:

    chrt -f 20 edge-bench run model40.onnx --runtime onnxruntime --limit 20 --trials 10

Their standard deviation from Run to Run is 0.8 %. The ratio of the medians of model42 and model40 is 1.046.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run
from studies.nights.fleet import as_night, drawn, nights_of, scaled

__all__ = ["DEAD", "SLOW", "Week", "week"]

NIGHTS, DEAD, SLOW = 7, 4, 5
_RECORDED = Path(__file__).parent / "recorded"


class Week(NamedTuple):
    """A week of nights."""

    nights: list[Night]
    results: Path
    told: list[Path]  # the notifications, as JSON


@contextmanager
def week(seed: int, *, slower: bool = True, deviation: float = 0.0, nights: int = NIGHTS) -> Iterator[Week]:
    """Run the nights of `edge-bench nightly` with three Runs each, and yield them.

    ``deviation`` is the standard deviation of the speed from night to night that is added to that of the Runs.
    """
    generator = np.random.default_rng(seed)
    fast, slow = ([read_run(path) for path in sorted((_RECORDED / name).iterdir())] for name in ("model40", "model42"))
    speed: dict[tuple[str, int], float] = {}

    def deliver(engine: str, night: int, now: datetime.datetime) -> Run | None:
        if slower and engine == "dying" and night >= DEAD:
            return None
        pool = slow if slower and engine == "slowing" and night >= SLOW else fast
        factor = speed.setdefault((engine, night), float(generator.lognormal(0, deviation)))
        return as_night(scaled(drawn(pool, generator), factor), fast[0], engine, now)

    with nights_of(deliver, nights, 3) as (made, told):
        yield Week(made, told.parent / "results", sorted(told.glob("*.json")))
