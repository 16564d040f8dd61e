"""What a fleet of so many machines costs the desk: `edge-bench fleet run` against recorded engines.

python -m studies.fleet.fleet_desk artifacts/bundle --engines 1,10,100 [--send] [--seconds 30]

The engines are recorded ones in a process of their own (`recorded_engine.py`); the command is the real one,
in a process of its own, and its processor time and peak memory are what the system says of it. With --send each engine
lacks the image (--image, a `docker save` file), and takes all of its bytes.
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
    parser.add_argument("--seconds", type=float, default=30.0, help="that each engine measures")
    parser.add_argument("--send", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="eb-desk-") as name:
        folder = Path(name)
        run = template(asked.bundle, folder)
        layers = list(cut(asked.image, "linux/amd64", str(asked.image), folder).layers)
        print("| engines | wall s | processor s | peak memory MB | sent MB | Runs |")
        print("| --- | --- | --- | --- | --- | --- |")
        for count in map(int, asked.engines.split(",")):
            print(one(folder / str(count), count, asked, run, layers), flush=True)


def template(bundle: Path, folder: Path) -> dict[str, Any]:
    """A Run that this machine made of the bundle, as its JSON says it."""
    settings = Settings(trials=2, processes=1, limit=200)
    selection = Selection(variants=["dynamic"], runtimes=["litert"])
    run, _ = measure(BenchmarkRequest.from_bundle(bundle, selection, settings, Silent()), folder / "template", Silent())
    built: dict[str, Any] = msgspec.to_builtins(run)
    return built


def run_of(run: dict[str, Any], name: str, number: int) -> bytes:
    """The same as if the machine of that name had made it."""
    mine = run | {"run_id": f"{number:032x}", "machine": run["machine"] | {"hostname": name}}
    return msgspec.json.encode(mine)


def _serve(
    folder: Path, count: int, asked: argparse.Namespace, run: dict[str, Any], layers: list[str], ready: Any
) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    engines = []
    for number in range(count):
        name = f"pi{number:03d}"
        data = {f"runs/run-{number:08x}.json": run_of(run, name, number)}
        engine = RecordedEngine(
            folder / f"{name}.sock", data, layers, "x86_64", has_image=not asked.send, seconds=asked.seconds
        )
        engine.start()
        engines.append(engine)
    ready.set()
    while True:
        time.sleep(0.2)
        (folder / "received").write_text(str(sum(engine.received for engine in engines)))


def one(folder: Path, count: int, asked: argparse.Namespace, run: dict[str, Any], layers: list[str]) -> str:
    """A row of the table."""
    folder.mkdir()
    ready = multiprocessing.Event()
    served = multiprocessing.Process(target=_serve, args=(folder, count, asked, run, layers, ready), daemon=True)
    served.start()
    ready.wait()
    urls = [word for number in range(count) for word in ("--engine", f"unix://{folder}/pi{number:03d}.sock")]
    command = [
        sys.executable, "-m", "edge_bench", "fleet", "run", str(asked.bundle), *urls, "--image", str(asked.image),
        "--trials", "2", "--processes", "1", "--limit", "200", "--variant", "dynamic", "--runtime", "litert",
        "--results", str(folder / "results"), "--quiet",
    ]  # fmt: skip
    began = time.monotonic()
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=os.environ)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    time.sleep(0.5)
    received = int((folder / "received").read_text())
    served.terminate()
    runs = len(list((folder / "results").glob("run-*.json")))
    if process.returncode:
        print((folder / "out").read_text()[-2000:], file=sys.stderr)
    cells = (
        count, f"{wall:.1f}", f"{used.ru_utime + used.ru_stime:.1f}", f"{used.ru_maxrss / 1024:.0f}",
        f"{received / 1e6:,.0f}", runs,
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
