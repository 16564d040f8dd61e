"""Time and memory of the dashboard's pages with thousands of Runs.

    python -m studies.dashboard_pages RUN_FILE [--runs 10000] [--devices 20]
    python -m studies.dashboard_pages --results FOLDER

The Runs are those of `studies.many_runs`, made from a measured one. The records of their nights are made, too. The
server is a process of its own. Its index and the Runs are in temporary folders. Each page is opened twice. Memory is
the maximum of the server up to then.
"""

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.records.nights.files import night_files, write_night
from edge_bench.bench.records.nights.night import (
    Finding,
    Level,
    Measurement,
    MeasurementState,
    Night,
    NightState,
    Rule,
    TimeRatio,
)
from edge_bench.bench.records.run_files import read_run
from studies.many_runs import made_runs, write_runs


@contextmanager
def dashboard(folder: Path, cache: Path) -> Iterator[tuple[str, int, float]]:
    """Start the server, and yield its URL, process id and the seconds until it listens."""
    command = [*module_command("edge_bench"), "dashboard", str(folder), "--port", "0"]
    environment = module_environment() | {"EDGE_BENCH_CACHE": str(cache)}
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr
    try:
        found = (re.search(r"https?://\S+:\d+$", line.rstrip()) for line in process.stderr)
        url = next(filter(None, found))[0]
        yield url, process.pid, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.stderr.close()
        process.wait(60)


def peak_mb(pid: int) -> float:
    """Return the maximum resident memory of a process in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fetched(url: str) -> tuple[bytes, float]:
    """Return the content at an address, and the seconds that it took."""
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=600) as answer:
        content: bytes = answer.read()
    return content, time.perf_counter() - began


def show(name: str, url: str, pid: int) -> bytes:
    """Open a page twice, print a row, and return its content."""
    before = cpu_seconds(pid)
    content, first = fetched(url)
    used = cpu_seconds(pid) - before
    _, second = fetched(url)
    size = len(content) / 1e6
    print(f"| {name} | {first:.2f} | {second:.2f} | {used:.2f} | {size:.1f} | {peak_mb(pid):.0f} |", flush=True)
    return content


def write_nights(folder: Path, devices: int) -> None:
    """Write a record for each night of the Runs in a folder. In the last one, every fifth engine is slower."""
    files = sorted(folder.glob("run-*.json"))
    runs = [read_run(path) for path in files[-devices:]]
    levels = [Level(configuration=each.configuration, seconds=0.1, trials=10) for each in runs[0].results]
    names = [f"engine{number:02}" for number in range(devices)]
    works = [
        Measurement(
            model="model", engine=name, state=MeasurementState.DELIVERED, run_id=run.run_id, run_file=path.name,
            levels=levels,
        )
        for name, run, path in zip(names, runs, files[-devices:], strict=True)
    ]  # fmt: skip
    last = len(files) // devices
    findings = [
        Finding(
            model="model", engine=name, machine=name, configuration=level.configuration, verdict="slower",
            rule=Rule.HISTORY, since_night=last, since=run.began, ratio=TimeRatio(1.05, 1.04, 1.06), nights_before=30,
            nights_after=2, run_id=run.run_id, reported=True,
        )
        for name, run in list(zip(names, runs, strict=True))[::5]
        for level in levels
    ]  # fmt: skip
    for number in range(1, last + 1):
        found = findings if number == last else []
        night = Night(
            number=number, began=files[number * devices - 1].name[4:20], state=NightState.DONE, judged=True,
            measurements=works, findings=found,
        )  # fmt: skip
        write_night(night, folder)


def measure(folder: Path, place: Path) -> None:
    """Print a table of the pages of the Runs in a folder."""
    files = list(folder.glob("run-*.json"))
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files):,} Runs, {size / 1e6:,.0f} MB; load average {os.getloadavg()[0]:.1f}\n")
    cache = place / "cache"
    with dashboard(folder, cache) as (_, pid, seconds):
        used = cpu_seconds(pid)
        print(f"First start, which builds the index: {seconds:.1f} s ({used:.1f} s of CPU), {peak_mb(pid):.0f} MB")
    with dashboard(folder, cache) as (url, pid, seconds):
        print(f"Later starts: {seconds:.1f} s ({cpu_seconds(pid):.1f} s of CPU), {peak_mb(pid):.0f} MB\n")
        print("| page | seconds | again | CPU seconds | size, MB | memory, MB |\n| --- | --- | --- | --- | --- | --- |")
        text = show("overview", url, pid).decode()
        night = re.findall(r'href="(/nights/\d+/\d+)"', text)[0]
        address = re.findall(r'href="(/series/[^"]+)"', text)[0]
        text = show("a configuration", url + address, pid).decode()
        show("a night", url + night, pid)
        show("a Run", url + re.findall(r'href="(/runs/[^"]+)"', text)[0], pid)
        for form in ("csv", "jsonl"):
            show(f"export as {form}", f"{url}/export/history.{form}", pid)
    print(f"\nLoad average at the end {os.getloadavg()[0]:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a measured Run")
    parser.add_argument("--results", type=Path, help="a folder of Runs made earlier, instead of making them")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="for temporary files")
    options = parser.parse_args()
    if not options.run and not options.results:
        parser.error("name a measured Run, or --results FOLDER")
    with tempfile.TemporaryDirectory(dir=options.folder) as named:
        place = Path(named)
        folder = options.results or place / "results"
        if not options.results:
            folder.mkdir()
            made = made_runs(read_run(options.run), options.runs, options.devices, 10, 9, seed=1)
            write_runs(itertools.islice(made, options.runs), folder)
        if not night_files(folder):
            write_nights(folder, options.devices)
        measure(folder, place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
