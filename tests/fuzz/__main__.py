"""Thousands of damaged files, read under guard: ``python -m tests.fuzz --cases 10000 --seed 1`` (``make fuzz``).

A case is made from the seed, the kind of file and its number alone, so that ``--only KIND --first NUMBER --cases 1``
repeats it. The cases of a kind are read in a process of their own; where that dies, its case is a finding, and a new
process goes on behind it. Files with findings are kept in the folder of ``--keep``.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.guard import Guard
from tests.fuzz.targets import Target, targets

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Tally:
    """What came of the cases of one kind."""

    cases: int = 0
    findings: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0


def content_of(target: Target, seed: int, number: int) -> bytes:
    """The file of a case."""
    draw = random.Random(f"{seed} {target.name} {number}")
    return target.damaged(draw.choice(target.seeds), draw)


def child(name: str, seed: int, first: int, cases: int, folder: Path) -> int:
    """Reads the cases one after another; a line on stdout for each finding, and for where it is."""
    os.environ["EDGE_BENCH_CACHE"] = str(folder / "cache")
    target = next(each for each in targets(folder) if each.name == name)
    path = folder / target.file
    path.parent.mkdir(parents=True, exist_ok=True)
    guard, out = Guard(folder), os.dup(1)
    for number in range(first - 3, first + cases):  # three whole files first, so that everything is imported
        path.write_bytes(target.seeds[0] if number < first else content_of(target, seed, number))
        os.write(out, f"{json.dumps([number, ''])}\n".encode())
        for said in guard.findings(lambda: target.use(path)):
            os.write(out, f"{json.dumps([number, said])}\n".encode())
        if number == first - 1:
            guard.limit_memory()
    return 0


def fuzzed(name: str, seed: int, first: int, cases: int, keep: Path | None = None) -> Tally:
    """So many cases of a kind, each in a child; a child that dies is begun anew behind the case that ended it."""
    tally, last = Tally(), first + cases
    began = time.monotonic()
    while first < last:
        with tempfile.TemporaryDirectory(prefix="edge-bench-fuzz-") as named:
            folder = Path(named)
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz", "--child", name, "--seed", str(seed), "--first", str(first),
                 "--cases", str(last - first), "--folder", str(folder)],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
            at = lines[-1][0] if lines else first
            found = [(number, said) for number, said in lines if said]
            if done.returncode:
                found.append((at, f"the process ended with {done.returncode}: {done.stderr.strip()[-2000:]}"))
            tally.findings += found
            if keep and found:
                _keep(keep, name, seed, [number for number, _ in found], folder)
        tally.cases += at + 1 - first
        first = max(at, first) + 1
    tally.seconds = time.monotonic() - began
    return tally


def _keep(keep: Path, name: str, seed: int, numbers: list[int], folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    target = next(each for each in targets(folder) if each.name == name)
    keep.mkdir(parents=True, exist_ok=True)
    for number in sorted(set(numbers)):
        (keep / f"{name}-{seed}-{number}").write_bytes(content_of(target, seed, number))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one kind of file")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        return child(asked.child, asked.seed, asked.first, asked.cases, asked.folder)
    with tempfile.TemporaryDirectory() as folder:
        kinds = [each for each in targets(Path(folder)) if asked.only in (None, each.name)]
    shares, tallies = sum(kind.share for kind in kinds), []
    for kind in kinds:
        tally = fuzzed(kind.name, asked.seed, asked.first, -(-asked.cases * kind.share // shares), asked.keep)
        tallies.append(tally)
        print(
            f"{kind.name:10} {tally.cases:6,} cases {tally.seconds:7.1f} s {len(tally.findings):4} findings", flush=True
        )
        for number, said in tally.findings[:20]:
            print(f"  {kind.name} {number}: {said.strip()}", file=sys.stderr)
    found = sum(len(tally.findings) for tally in tallies)
    print(
        f"{sum(t.cases for t in tallies):,} cases, seed {asked.seed}, {sum(t.seconds for t in tallies):.0f} s, {found} findings"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
