"""Time, CPU time and peak memory of `edge-bench fleet run` on the controller, by number of engines.

    python -m studies.fleet.fleet_overhead artifacts/bundle --image edge.tar --engines 1,10,100 [--send] [--seconds 30]

The controller is the machine that runs the command. The command is real and runs in its own process. The operating
system reports its CPU time and peak memory. The engines are simulated in another process (`recorded_engine.py`).
With --send no engine has the image (--image, a `docker save` file), so each receives all of its bytes.
Takes about two and a half minutes for 1, 10 and 100 engines. Figures: docs/fleet.md.
"""

import argparse
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.fleet.docker.images import cut
from edge_bench.bench.measure.plan import Selection
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.session import measure
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Settings
from studies.fleet.recorded_engine import RecordedEngine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--image", type=Path, required=True, help="docker save edge-bench -o edge.tar")
    parser.add_argument("--engines", default="1,10,100")
    parser.add_argument("--seconds", type=float, default=30.0, help="duration of each engine's measurement")
    parser.add_argument("--send", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="eb-fleet-") as name:
        folder = Path(name)
        run = template(arguments.bundle, folder)
        layers = list(cut(arguments.image, "linux/amd64", str(arguments.image), folder).layers)
        print("| engines | wall s | processor s | peak memory MB | sent MB | Runs |")
        print("| --- | --- | --- | --- | --- | --- |")
        for count in map(int, arguments.engines.split(",")):
            print(measure_row(folder / str(count), count, arguments, run, layers), flush=True)


def template(bundle: Path, folder: Path) -> dict[str, Any]:
    """Measure the bundle on this machine; return the Run as decoded JSON."""
    settings = Settings(trials=2, processes=1, limit=200)
    selection = Selection(variants=["dynamic"], runtimes=["litert"])
    run, _ = measure(BenchmarkRequest.from_bundle(bundle, selection, settings, Silent()), folder / "template", Silent())
    built: dict[str, Any] = msgspec.to_builtins(run)
    return built


def run_of(run: dict[str, Any], name: str, number: int) -> bytes:
    """Return the Run as JSON, with run ID ``number`` and with ``name`` as the machine's hostname."""
    return msgspec.json.encode(run | {"run_id": f"{number:032x}", "machine": run["machine"] | {"hostname": name}})


def _serve(
    folder: Path, count: int, arguments: argparse.Namespace, run: dict[str, Any], layers: list[str], ready: Any
) -> None:
    """Serve ``count`` engines on sockets in the folder; write the bytes they received to its file ``received``."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    engines = []
    for number in range(count):
        name = f"pi{number:03d}"
        data = {f"runs/run-{number:08x}.json": run_of(run, name, number)}
        engine = RecordedEngine(
            folder / f"{name}.sock", data, layers, "x86_64", has_image=not arguments.send, seconds=arguments.seconds
        )
        engine.start()
        engines.append(engine)
    ready.set()
    while True:
        time.sleep(0.2)
        (folder / "received").write_text(str(sum(engine.received for engine in engines)))


def measure_row(folder: Path, count: int, arguments: argparse.Namespace, run: dict[str, Any], layers: list[str]) -> str:
    """Run the command with ``count`` engines and return its row of the table."""
    folder.mkdir()
    ready = multiprocessing.Event()
    engines = multiprocessing.Process(target=_serve, args=(folder, count, arguments, run, layers, ready), daemon=True)
    engines.start()
    ready.wait()
    urls = [part for number in range(count) for part in ("--engine", f"unix://{folder}/pi{number:03d}.sock")]
    command = [
        sys.executable, "-m", "edge_bench", "fleet", "run", str(arguments.bundle), *urls,
        "--image", str(arguments.image), "--trials", "2", "--processes", "1", "--limit", "200", "--variant", "dynamic",
        "--runtime", "litert", "--results", str(folder / "results"), "--quiet",
    ]  # fmt: skip
    began = time.monotonic()
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=os.environ)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    time.sleep(0.5)  # _serve updates the file every 0.2 s
    received = int((folder / "received").read_text())
    engines.terminate()
    runs = len(list((folder / "results").glob("run-*.json")))
    if process.returncode:
        print((folder / "out").read_text()[-2000:], file=sys.stderr)
    cells = (
        count, f"{wall:.1f}", f"{usage.ru_utime + usage.ru_stime:.1f}", f"{usage.ru_maxrss / 1024:.0f}",
        f"{received / 1e6:,.0f}", runs,
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
