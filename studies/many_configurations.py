"""CPU seconds of compare, report and history for Runs with increasing numbers of configurations.

``python -m studies.many_configurations 300 1000`` writes artificial Runs to a temporary folder and runs each command in
a separate process. The work should grow with the number of configurations, not with its square.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.records.run_files import write_run
from tests.factories import result, run


def made_run(count: int, folder: Path) -> Path:
    """Write a Run of ``count`` configurations of 30 trials each, and return its path."""
    results = [
        result(f"model{number}", "litert", 0.2 + 0.001 * (number % 100), wrong=number % 7, noise=0.01)
        for number in range(count)
    ]
    return write_run(run(*results), folder)


def cpu_seconds(arguments: list[str], folder: Path) -> float:
    """Return the user and system time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*module_command("edge_bench"), *arguments]
    subprocess.run(command, cwd=folder, env=module_environment(), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m studies.many_configurations", description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[9, 300, 1000])
    print("| configurations | size, MB | compare, s | history, s | report, s |\n| --- | --- | --- | --- | --- |")
    for count in parser.parse_args().counts:
        with tempfile.TemporaryDirectory() as named:
            folder = Path(named)
            path = made_run(count, folder)
            commands = [["compare", str(path)], ["history", str(path)], ["report", str(path), "-o", "page.html"]]
            times = " | ".join(f"{cpu_seconds(command, folder):.1f}" for command in commands)
            print(f"| {count:,} | {path.stat().st_size / 1e6:.1f} | {times} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
