"""Time and memory of history and compare with thousands of Runs in a folder, with and without its index.

``python -m studies.many_runs RUN_FILE`` makes Runs of 20 devices from a Run that was measured: each has its own times,
drawn from the measured ones, with variation between devices, Runs, processes and trials, a slower time after some
night on every fifth device, and another kernel from some night on. Each command is a process of its own. The folder and
the cache are temporary.
"""

import argparse
import datetime
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.io.record_codec import encode_record, pack, unpack
from edge_bench.bench.records.run import Result, Run, Trial
from edge_bench.bench.records.run_files import read_run, run_file_name

__all__ = ["made_runs", "write_runs"]

_FIRST_NIGHT = datetime.datetime(2020, 1, 1, 2, tzinfo=datetime.UTC)


class Cost(NamedTuple):
    """What a command took."""

    seconds: float
    cpu_seconds: float
    megabytes: float  # maximum resident memory
    output: bytes


def made_runs(source: Run, count: int, devices: int, trials: int, configurations: int, seed: int) -> Iterator[Run]:
    """Yield Runs night by night, one of each device per night."""
    random = np.random.default_rng(seed)
    short = [
        msgspec.structs.replace(each, trials=_spread(each.trials, trials)) for each in source.results[:configurations]
    ]
    settings = msgspec.structs.replace(source.settings, trials=trials)
    speeds = random.lognormal(0, 0.3, devices)
    slower_from = random.integers(0, count // devices + 1, devices)
    for number in range(count):
        night, device = divmod(number, devices)
        slower = 1.05 if device % 5 == 0 and night >= slower_from[device] else 1.0
        speed = speeds[device] * slower * random.lognormal(0, 0.008)
        began = _FIRST_NIGHT + datetime.timedelta(days=night, minutes=int(random.integers(0, 30)))
        kernel = f"6.{6 + (night > slower_from[device])}.0"
        yield msgspec.structs.replace(
            source,
            run_id=random.bytes(16).hex(),
            began=began.isoformat(),
            ended=(began + datetime.timedelta(seconds=source.wall_seconds)).isoformat(),
            settings=settings,
            machine=msgspec.structs.replace(
                source.machine, hostname=f"pi-{device:02}", kernel=kernel, load_average=float(random.uniform(0, 1))
            ),
            results=[_varied(each, speed, random) for each in short],
        )


def _spread(trials: list[Trial], count: int) -> list[Trial]:
    """Return ``count`` of the trials, over all processes."""
    by_process: dict[int, list[Trial]] = {}
    for trial in trials:
        by_process.setdefault(trial.process, []).append(trial)
    each = max(1, count // max(len(by_process), 1))
    return [trial for some in by_process.values() for trial in some[:each]]


def _varied(result: Result, speed: float, random: np.random.Generator) -> Result:
    luck: dict[int, float] = {}
    trials = []
    for trial in result.trials:
        process = luck.setdefault(trial.process, float(random.lognormal(0, 0.004)))
        factor = speed * process * random.lognormal(0, 0.003)
        latencies = unpack(trial.latencies).astype(np.float64)
        drawn = (random.choice(latencies, len(latencies)) * factor).astype(np.int64) + 1
        changes: dict[str, Any] = {
            "latencies": pack(drawn),
            "elapsed_ns": max(1, int(trial.elapsed_ns * factor)),
            "temperature_c": round(float(random.normal(55, 2)), 1),
        }
        trials.append(msgspec.structs.replace(trial, **changes))
    return msgspec.structs.replace(result, trials=trials)


def write_runs(runs: Iterator[Run], folder: Path) -> int:
    """Write Run files, and return the size of all in bytes."""
    size = 0
    for run in runs:
        data = encode_record(run)
        size += len(data)
        (folder / run_file_name(run.began, run.machine.hostname, run.run_id)).write_bytes(data)
    return size


def cost_of(arguments: list[str], cache: Path) -> Cost:
    """Run a command, and return what it took."""
    environment = module_environment() | {"EDGE_BENCH_CACHE": str(cache)}
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        command = [*module_command("edge_bench"), *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        output.seek(0)
        content = output.read()
    if status:
        raise SystemExit(f"{arguments}: ended with {status}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, content)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.many_runs", description=__doc__)
    parser.add_argument("run", type=Path, help="a measured Run")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--trials", type=int, default=10, help="trials per configuration that are kept")
    parser.add_argument("--configurations", type=int, default=9)
    parser.add_argument("--without", action="store_true", help="also compare with the commands without an index")
    parser.add_argument("--results", type=Path, help="a folder of Runs made earlier, instead of making them")
    parser.add_argument("--folder", type=Path, help="for temporary files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as named:
        measure(options, Path(named))
    return 0


def measure(options: argparse.Namespace, place: Path) -> None:
    """Make the Runs, and print a table of costs."""
    folder, cache, no_cache = options.results or place / "results", place / "cache", place / "file"
    no_cache.touch()
    last: list[Run] = []
    if not options.results:
        folder.mkdir()
        kinds = (options.devices, options.trials, options.configurations)
        made = made_runs(read_run(options.run), options.runs + 1, *kinds, seed=1)
        write_runs(itertools.islice(made, options.runs), folder)
        last = list(made)
    sizes = [file.stat().st_size for file in folder.glob("run-*.json")]
    print(f"{len(sizes):,} Runs, {sum(sizes) / 1e6:,.0f} MB; load average {os.getloadavg()[0]:.1f}")
    print("| command | seconds | CPU seconds | MB of memory |\n| --- | --- | --- | --- |")

    def show(name: str, arguments: list[str], where: Path) -> bytes:
        cost = cost_of(arguments, where)
        print(f"| {name} | {cost.seconds:.1f} | {cost.cpu_seconds:.1f} | {cost.megabytes:.0f} |", flush=True)
        return cost.output

    history, rows = ["history", str(folder)], ["history", str(folder), "--format", "jsonl"]
    show("`history`, which builds the index", history, cache)
    shown = [show("`history`", history, cache), show("`history --format jsonl`", rows, cache)]
    show("`compare --newest`", ["compare", "--newest", str(folder)], cache)
    if options.without:
        alone = [
            show(f"`{' '.join([each[0], *each[2:]])}` without an index", each, no_cache) for each in (history, rows)
        ]
        print(f"\nThe outputs with and without the index are {'equal' if alone == shown else 'DIFFERENT'}.")
    if last:
        write_runs(iter(last), folder)
        show("`history` after another Run", history, cache)
    index = sum(file.stat().st_size for file in cache.rglob("*.*"))
    print(f"\nThe index takes {index / 1e6:.1f} MB.")


if __name__ == "__main__":
    sys.exit(main())
