"""How often `run --duration` is right about a model that slows down midway by a known share, and about a steady one.

    python -m studies.sustained.repeats [--slowdown 12] [--duration 60] [--repeats 10] [--seconds 1200] [--log FILE]

A test delegate keeps the processor busy in every invocation until that has lasted 2 ms. In half of the loads, it takes
longer by ``--slowdown`` percent from the middle on. Each load is a Run of its own with the settings of `run`, in a
fresh process. It is appended to the log, and later invocations continue it; ``--seconds`` starts no further load after
that time. Ten of each take 20 minutes with the default duration. It needs a C compiler and LiteRT. Figures:
docs/sustained.md.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from tabulate import tabulate

from edge_bench.bench.analysis.sustained.load import Load, Outcome, loads_of
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.measure.options.sustained import with_duration
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.runner import run_benchmark
from edge_bench.bench.models.delegates import delegates
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.power import NO_ENERGY
from edge_bench.bench.records.run import Settings
from tests.made.brightness import bright_inputs
from tests.made.delegate import FULLY_CONNECTED, built_delegate
from tests.made.tflite_models import brightness_tflite

__all__ = ["Repeat", "repeat", "summary"]

_LASTS_US = 2000
_CLASSES = 4


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one load."""

    slowdown: float  # percent; 0 for a steady load
    duration: float
    true_ratio: float  # of the end to the start
    outcome: Outcome
    ratio: float
    low: float
    high: float
    changed_after_s: float | None
    trusted: bool | None

    @property
    def covered(self) -> bool:
        """Whether the interval contains the true ratio."""
        return self.low <= self.true_ratio <= self.high


def repeat(folder: Path, library: Path, slowdown: float, duration: float) -> Repeat:
    """Return the verdict on one load of ``duration`` seconds, by ``slowdown`` percent slower from its middle on.

    ``folder`` is a writable one. Raise RuntimeError if the load fails.
    """
    later = round(_LASTS_US * (1 + slowdown / 100))
    options = f"operator={FULLY_CONNECTED},lasts_us={_LASTS_US},later_us={later},after_ms={round(500 * duration)}"
    inputs, labels = folder / "x.npy", folder / "y.npy"
    np.save(inputs, bright_inputs(range(_CLASSES), 8, 8, 3))
    np.save(labels, np.arange(_CLASSES))
    request = BenchmarkRequest.from_files(
        [brightness_tflite(folder / "bright.tflite", range(_CLASSES))],
        DataOptions(data=inputs, labels=labels),
        Selection(runtimes=["litert"], delegates=delegates([f"{library},{options}"])),
        with_duration(Settings(power=NO_ENERGY), duration, None, ()),
        Silent(),
    )
    run = run_benchmark(request.workload, request.planned, request.settings, Silent())
    if run.results[0].failure:
        raise RuntimeError(f"the load failed: {run.results[0].failure}")
    (load,) = loads_of(run)
    return _judged(load, slowdown, duration, (later - _LASTS_US) / 1e3, run.trusted)


def _judged(load: Load, slowdown: float, duration: float, added_ms: float, trusted: bool | None) -> Repeat:
    """Return the verdict; ``added_ms`` is what the delegate adds to an invocation, whose other parts stay the same."""
    if load.ratio is None or load.ratio.interval is None:
        raise RuntimeError(f"no interval: {load.reason}")
    return Repeat(
        slowdown=slowdown,
        duration=duration,
        true_ratio=1 + added_ms / load.start_ms,
        outcome=load.outcome,
        ratio=load.ratio.value,
        low=load.ratio.interval.low,
        high=load.ratio.interval.high,
        changed_after_s=load.changed_after_s,
        trusted=trusted,
    )


def summary(log: Sequence[Repeat]) -> str:
    """Return a Markdown table: what was called what, how often the interval had the true ratio, and the moments."""
    rows = []
    for slowdown, duration in sorted({(each.slowdown, each.duration) for each in log}):
        found = [each for each in log if (each.slowdown, each.duration) == (slowdown, duration)]
        moments = [each.changed_after_s for each in found if each.changed_after_s is not None]
        rows.append(
            (f"{slowdown:g} %", f"{duration:g} s", len(found),
             *(sum(each.outcome is outcome for each in found) for outcome in list(Outcome)[:4]),
             sum(each.covered for each in found),
             f"{min(each.ratio for each in found):.4f} to {max(each.ratio for each in found):.4f}",
             f"{min(moments):.1f} to {max(moments):.1f} s" if moments else "",
             sum(each.trusted is True for each in found))
        )  # fmt: skip
    header = ("slower by", "duration", "loads", "steady", "slower", "faster", "undecided", "true ratio in the interval",
              "ratios", "changed after", "times reliable")  # fmt: skip
    return tabulate(rows, header, tablefmt="github", disable_numparse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slowdown", type=float, default=12, help="percent")
    parser.add_argument("--duration", type=float, default=60, help="seconds of each load, at least 10")
    parser.add_argument("--repeats", type=int, default=10, help="of each kind of load")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no further load after this time")
    parser.add_argument("--log", type=Path, default=Path("results/sustained.jsonl"))
    arguments = parser.parse_args()
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    lines = arguments.log.read_bytes().splitlines() if arguments.log.exists() else []
    log, began = [msgspec.json.decode(line, type=Repeat) for line in lines], time.monotonic()
    with tempfile.TemporaryDirectory() as name, arguments.log.open("ab") as file:
        folder = Path(name)
        library = built_delegate(folder)
        for number in range(arguments.repeats):
            for slowdown in (0.0, arguments.slowdown):  # in turn, so that a drift of the machine affects both
                done = sum((each.slowdown, each.duration) == (slowdown, arguments.duration) for each in log)
                if done > number or time.monotonic() - began > arguments.seconds:
                    continue
                log.append(repeat(folder, library, slowdown, arguments.duration))
                file.write(msgspec.json.encode(log[-1]) + b"\n")
                file.flush()
    print(summary(log))


if __name__ == "__main__":
    main()
