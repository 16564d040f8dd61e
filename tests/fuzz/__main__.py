"""Read thousands of damaged files: ``python -m tests.fuzz --cases 10000 --seed 1`` (``make fuzz``).

A case depends only on the seed, the kind of file and its number, so ``--only KIND --first NUMBER --cases 1`` repeats
it. The cases of a kind are read in one process. If the process dies, the current case is a finding, and a new process
continues with the next case. Files with findings are copied to the folder of ``--keep``.
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
    """The results of the cases of one kind."""

    cases: int = 0
    accepted: int = 0  # read without an error, because the damage is in unused bytes
    findings: list[tuple[str, int, str]] = field(default_factory=list)  # kind, number, description
    seconds: float = 0.0


def content_of(target: Target, seed: int, number: int) -> bytes:
    """Return the damaged file of a case."""
    draw = random.Random(f"{seed} {target.name} {number}")
    return target.damaged(draw.choice(target.seeds), draw)


def child(names: list[str], seed: int, first: int, cases: int, folder: Path) -> int:
    """Read the cases one after another; print one line when a case begins, and one for each finding."""
    os.environ |= {"EDGE_BENCH_CACHE": str(folder / "cache"), "MPLCONFIGDIR": str(folder / "matplotlib")}
    import matplotlib.font_manager  # noqa: F401 - its first import starts a program that lists fonts

    guard, out = Guard(folder), os.dup(1)
    chosen = [each for each in targets(folder) if each.name in names]

    def read(target: Target, number: int, content: bytes) -> None:
        path = folder / target.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        before = guard.accepted
        for finding in ["", *guard.findings(lambda: target.use(path))]:
            accepted = guard.accepted > before
            os.write(out, f"{json.dumps([target.name, number, finding, accepted])}\n".encode())

    for target in chosen:  # undamaged files first, so that everything is imported
        for seeded in target.seeds:
            read(target, -1, seeded)
    guard.limit_memory()
    for target in chosen:
        for number in range(first, first + cases):
            read(target, number, content_of(target, seed, number))
    return 0


def fuzzed(names: list[str], seed: int, first: int, cases: int, keep: Path | None = None) -> Tally:
    """Run ``cases`` cases of each kind in a child process; one that dies is restarted after the case that ended it."""
    tally, last, began = Tally(), first + cases, time.monotonic()
    while first < last:
        with tempfile.TemporaryDirectory(prefix="edge-bench-fuzz-") as named:
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz", "--child", ",".join(names), "--seed", str(seed),
                 "--first", str(first), "--cases", str(last - first), "--folder", named],
                cwd=ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
            found = [(name, number, finding) for name, number, finding, _ in lines if finding]
            at: tuple[str, int] = (lines[-1][0], lines[-1][1]) if lines else (names[0], first)
            if done.returncode:
                found.append((*at, f"the process ended with {done.returncode}: {done.stderr.strip()[-2000:]}"))
            places = {(name, number): accepted for name, number, _, accepted in lines}
            tally.cases += sum(number >= 0 for _, number in places)
            tally.accepted += sum(accepted for (_, number), accepted in places.items() if number >= 0)
            tally.findings += found
            if keep and found:
                _keep(keep, seed, {(name, number) for name, number, _ in found if number >= 0}, Path(named))
        first = max(at[1], first) + 1
    tally.seconds = time.monotonic() - began
    return tally


def _keep(keep: Path, seed: int, cases: set[tuple[str, int]], folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    kinds = {each.name: each for each in targets(folder)}
    keep.mkdir(parents=True, exist_ok=True)
    for name, number in sorted(cases):
        (keep / f"{name}-{seed}-{number}").write_bytes(content_of(kinds[name], seed, number))


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
        return child(asked.child.split(","), asked.seed, asked.first, asked.cases, asked.folder)
    with tempfile.TemporaryDirectory() as folder:
        kinds = [each for each in targets(Path(folder)) if asked.only in (None, each.name)]
    shares, tallies = sum(kind.share for kind in kinds), []
    for kind in kinds:
        tally = fuzzed([kind.name], asked.seed, asked.first, -(-asked.cases * kind.share // shares), asked.keep)
        tallies.append(tally)
        counted = f"{tally.cases:6,} cases, {tally.accepted:6,} accepted, {len(tally.findings)} findings"
        print(f"{kind.name:10}{counted} in {tally.seconds:.1f} s", flush=True)
        for name, number, finding in tally.findings[:20]:
            print(f"  {name} {number}: {finding.strip()}", file=sys.stderr)
    found = sum(len(tally.findings) for tally in tallies)
    cases, seconds = sum(tally.cases for tally in tallies), sum(tally.seconds for tally in tallies)
    print(f"{cases:,} cases, seed {asked.seed}, {seconds:.0f} s, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
