"""Time from an empty folder to the first answer, by step: ``python -m studies.cost.first_result`` (``--image IMAGE``).

Without an image it clones this repository, calls `make setup-host` with empty and then with filled caches of packages,
and `make bench`. With an image it calls `docker run IMAGE`: the steps of a device, emulated on another processor. With
``--archive FILE``, made by `docker save IMAGE | gzip`, it first loads the image, as a new device does: layers that the
engine has already take no time.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run

ROOT = Path(__file__).resolve().parent.parent.parent
#: The first word of a line of progress, such as "training: 3/30 …".
_STEP = re.compile(r"^(?P<step>[a-z][a-z -]*): \d")


def seconds_of(command: Sequence[object], folder: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Run a command, and return the seconds of each step that its progress names, and of what precedes and follows."""
    words = [str(each) for each in command]
    began = time.monotonic()
    with subprocess.Popen(
        words, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        reader = threading.Thread(target=process.stdout.read)  # not read, the command would stop writing
        reader.start()
        step, since, seconds, last = "start", began, dict[str, float](), ""
        for last in process.stderr:
            if (found := _STEP.match(last)) and found["step"] != step:
                now = time.monotonic()
                seconds[step] = seconds.get(step, 0.0) + now - since
                step, since = found["step"], now
        reader.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with exit code {process.returncode}: {last}")
    seconds[step] = seconds.get(step, 0.0) + time.monotonic() - since
    return seconds


def parts_of(run: Run) -> Iterator[tuple[str, float]]:
    """Yield the parts of a run and their seconds."""
    results = [result for result in run.results if result.trials]
    processes = max(len(result.processes) for result in results)
    slowest = (max(r.processes[number].import_ns for r in results) for number in range(processes))
    every = [process for result in results for process in result.processes]
    parts = {
        "imports (the slowest of each start, they overlap)": sum(slowest) / 1e9,
        "loading models, first inferences": sum(each.load_ns + each.first_inference_ns for each in every) / 1e9,
        "warm-up": sum(each.warm_up_ns for each in every) / 1e9,
        "trials": sum(trial.elapsed_ns for result in results for trial in result.trials) / 1e9,
    }
    yield from parts.items()
    yield "processes, files, analysis", run.wall_seconds - sum(parts.values())


def table(title: str, rows: Sequence[tuple[str, float]], run: Run | None) -> None:
    """Print a table of steps, as Markdown."""
    print(f"\n{title}\n\n| step | s |\n| --- | --- |")
    for step, seconds in rows:
        print(f"| {step} | {seconds:.1f} |")
    print(f"| **all** | **{sum(seconds for _, seconds in rows):.1f}** |")
    if run is None:
        return
    trials = sum(len(result.trials) for result in run.results)
    print(f"\nOf the measurement: {run.wall_seconds:.1f} s for {trials} trials\n\n| part | s |\n| --- | --- |")
    for part, seconds in parts_of(run):
        print(f"| {part} | {seconds:.1f} |")


def host(folder: Path, variables: Sequence[str]) -> None:
    """Print the steps of the installation and of `make bench` in a new clone."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    clone, results = folder / "clone", folder / "clone" / "results"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("EDGE_BENCH_", "PYTHON"))},
        "PIP_CACHE_DIR": str(folder / "pip"),
        "UV_CACHE_DIR": str(folder / "uv"),
        "EDGE_BENCH_CACHE": str(folder / "cache"),
    }
    installed = {}
    for caches in ("empty", "filled"):
        shutil.rmtree(clone / ".venv", ignore_errors=True)
        (installed[caches],) = seconds_of(["make", "setup-host"], clone, environment).values()
    steps = seconds_of(["make", "bench", *variables], clone, environment)
    (file,) = results.glob("run-*.json")
    print(f"install with empty caches of packages: {installed['empty']:.1f} s")
    rows = [("install with filled caches of packages", installed["filled"]), *steps.items()]
    table("`make bench` in a new clone", rows, read_run(file))


def device(folder: Path, image: str, platform: str, archive: Path | None, options: Sequence[str]) -> None:
    """Print the steps of `docker run` with an image that has a bundle."""
    results = folder / "results"
    results.mkdir()
    loaded = {}
    if archive:
        subprocess.run(["docker", "image", "rm", "--force", image], check=False, capture_output=True)
        (loaded["docker load"],) = seconds_of(["docker", "load", "--input", archive], folder, os.environ).values()
    container = ("docker", "run", "--rm", "--platform", platform, "--hostname", "measured")
    user = f"{os.getuid()}:{os.getgid()}"
    (started,) = seconds_of([*container, "--entrypoint", "true", image], folder, os.environ).values()
    command = [*container, "-v", f"{results}:/results", "--user", user, image, *options]
    steps = seconds_of(command, folder, os.environ)
    steps["start"] -= started
    (file,) = results.glob("run-*.json")
    run = read_run(file)
    title = f"`docker run {image}` on {run.machine.label}"
    table(title, [*loaded.items(), ("container", started), *steps.items()], run)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time from an empty folder to the first answer, by step.")
    parser.add_argument("--image", help="measure `docker run IMAGE` instead of `make bench`; it has a bundle")
    parser.add_argument("--platform", default="linux/arm64")
    parser.add_argument("--archive", type=Path, help="load the image from this file first: docker save IMAGE | gzip")
    options, rest = parser.parse_known_args(sys.argv[1:])
    print(f"load average of the last minute at the start: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="edge-bench-first-result-") as name:
        if options.image:
            device(Path(name), options.image, options.platform, options.archive and options.archive.resolve(), rest)
        else:
            host(Path(name), rest)


if __name__ == "__main__":
    main()
