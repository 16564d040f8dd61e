"""Time of a night's comparison with earlier nights, with and without the index of Runs.

    python -m studies.nights.many RUN_FILE [--nights 500] [--engines 20]

It makes Runs of nights as `python -m studies.many_runs` does, with the records of their nights. Then it finds the
changes of the last night as `edge-bench nightly` does: without an index, with a new one, and with that one after
another night. Each is a process of its own. Figures: docs/nightly.md.
"""

import argparse
import os
import resource
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.records.nights.files import read_recent_nights, write_night
from edge_bench.bench.records.nights.night import Measurement, MeasurementState, Night, NightState
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run, run_file_name
from studies.many_runs import made_runs, write_runs

MODEL = "model"


def write_nights(results: Path, names: dict[int, list[Run]]) -> None:
    """Write the record of each night with the Runs that were made in it."""
    for number, runs in names.items():
        measurements = [
            Measurement(
                model=MODEL, engine=run.machine.hostname, state=MeasurementState.DELIVERED, run_id=run.run_id,
                run_file=run_file_name(run.began, run.machine.hostname, run.run_id), bundle_sha256=run.bundle.sha256,
            )
            for run in runs
        ]  # fmt: skip
        state = NightState.DONE
        write_night(Night(number=number, began=runs[0].began, state=state, measurements=measurements), results)


def compare(results: Path) -> None:
    """Find the changes of the last night, and print what that took."""
    from edge_bench.app.nightly.judging.against_last import compared_with_last
    from edge_bench.app.nightly.judging.candidates import Place, all_series, candidates_of
    from edge_bench.app.nightly.judging.series import NIGHTS, NightRuns

    began = time.perf_counter(), time.process_time()
    nights, _ = read_recent_nights(results, NIGHTS + 1)
    runs = NightRuns(nights, results)
    found = 0
    for engine in sorted({each.engine for each in nights[-1].measurements}):
        entries = runs.of(MODEL, engine)
        place = Place(MODEL, engine, nights[-1].number, nights[:-1], 0.02)
        found += len(candidates_of(entries, place, all_series(entries, place)))
        found += len(compared_with_last(entries, place, 0.0)[0])
    seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.1f} | {cpu:.1f} | {memory:.0f} | {found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a measured Run, or with --compare the folder of Runs")
    parser.add_argument("--nights", type=int, default=500)
    parser.add_argument("--engines", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="for temporary files")
    parser.add_argument("--compare", action="store_true", help="only find the changes of the last night")
    options = parser.parse_args()
    if options.compare:
        compare(options.run)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as named:
        measure(options, Path(named))


def measure(options: argparse.Namespace, place: Path) -> None:
    """Make the nights, and print a table of costs."""
    results, cache = place / "results", place / "cache"
    (results / "nights").mkdir(parents=True)
    (place / "file").touch()  # no cache can be in a file
    by_night = defaultdict[int, list[Run]](list)
    made = made_runs(read_run(options.run), options.nights * options.engines, options.engines, 10, 9, seed=1)
    for number, run in enumerate(made):
        write_runs(iter([run]), results)
        by_night[1 + number // options.engines].append(run)
    last = by_night.popitem() if len(by_night) > 1 else None
    moved = [results / run_file_name(run.began, run.machine.hostname, run.run_id) for run in (last[1] if last else [])]
    for path in moved:
        path.rename(place / path.name)
    write_nights(results, by_night)
    print(f"{len(by_night)} nights of {options.engines} engines; load average {os.getloadavg()[0]:.1f}")
    print("| comparison of a night | seconds | CPU seconds | MB of memory | changes |\n| --- | --- | --- | --- | --- |")
    for name, where in (("without an index", place / "file"), ("builds the index", cache), ("with the index", cache)):
        show(name, results, where)
    if last:
        for path in moved:
            (place / path.name).rename(path)
        write_nights(results, dict([last]))
        show("with the index, next night", results, cache)


def show(name: str, results: Path, cache: Path) -> None:
    command = [*module_command("studies.nights.many"), "--compare", str(results)]
    environment = module_environment() | {"EDGE_BENCH_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    print(f"| {name} | {done.stdout.strip()} |", flush=True)


if __name__ == "__main__":
    main()
