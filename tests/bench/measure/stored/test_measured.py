"""`history` and `compare --newest` give the same output with an index of the Runs as without one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.bench.analysis.over_time.measured import measured
from edge_bench.bench.errors import BadInput, GateNotMet, ResultsError
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.measure.stored import measured as stored
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Failure, Run, Settings, Sustained
from edge_bench.bench.records.run_files import store, write_run
from edge_bench.bench.system.sensors import MachineState
from tests.command_line import call_here
from tests.factories import group, machine, repeats, result, run
from tests.made.graph.output_runs import box_truth, detections, scores, task_run, true_values

SIZES = [(64, 64)] * 4
BOXES = [[(8, 8, 40, 40, 0, 0.9)], [(4, 4, 20, 30, 1, 0.8)], [], [(1, 1, 9, 9, 0, 0.7)]]
ONES = np.ones((4, 2), np.float32)
#: Runs of other tasks.
TASKS = (
    task_run(
        "detect", detections(SIZES, *BOXES), count=4, on=machine(hostname="boxes"),
        truth=box_truth(SIZES, ["cat", "dog"], *([row[:5] for row in rows] for rows in BOXES)),
    ),
    task_run(
        "regress", scores(ONES), scores(2 * ONES), count=4, truth=true_values(ONES.astype(float)),
        on=machine(hostname="values"),
    ),
)  # fmt: skip
FORMS: tuple[list[str], ...] = ([], ["--format", "jsonl"], ["--format", "csv"], ["--why", "--wide"])


def nights(host: str, count: int, *, slower_from: int = 99, **changes: Any) -> Iterator[Run]:
    """Runs of two configurations, one of them slower from some night on, with another kernel from night 12 on."""
    luck = np.random.default_rng(len(host)).normal(1, 0.01, count)
    checksums = np.arange(100, dtype=np.uint32)
    for night in range(count):
        seconds = luck[night] * (1.1 if night >= slower_from else 1)
        on = machine(hostname=host, kernel="6.1" if night < 12 else "6.2", load_average=night / 10)
        whole = run(result("dynamic", "litert", seconds), result("float32", "litert", 2.0, wrong=night % 3), on=on)
        whole = msgspec.structs.replace(
            whole,
            began=f"2026-03-{night + 1:02}T02:00:00+00:00",
            ended=f"2026-03-{night + 1:02}T03:00:00+00:00",
            images=msgspec.structs.replace(whole.images, checksums=pack(checksums + (night > 15) * (checksums < 7))),
            state_before=MachineState(temperature_c=40.0 + night),
            trusted=night % 4 > 0,
        )
        yield msgspec.structs.replace(whole, **changes)


def made_runs() -> list[Run]:
    """Runs with everything that history shows."""
    typical = [pack(np.random.default_rng(number).integers(900_000, 1_100_000, 100)) for number in range(30)]
    fast = [
        msgspec.structs.replace(
            each,
            results=[
                msgspec.structs.replace(
                    measured_result,
                    trials=[
                        msgspec.structs.replace(trial, latencies=latencies, temperature_c=50.0, throttled=["hot"])
                        for trial, latencies in zip(measured_result.trials, typical, strict=True)
                    ],
                )
                for measured_result in each.results
            ],
        )
        for each in nights("desk", 12)
    ]
    failure = Failure(kind="crashed", message="it crashed")
    failed = next(nights("failed", 1))
    failed = msgspec.structs.replace(
        failed, results=[failed.results[0], msgspec.structs.replace(failed.results[1], trials=[], failure=failure)]
    )
    sustained = next(nights("load", 1, settings=Settings(sustained=Sustained(duration_s=60))))
    tasks = [each for number, whole in enumerate(TASKS) for each in repeats(whole, 2, seed=number + 1)]
    return [*nights("pi", 28, slower_from=20), *fast, failed, sustained, *tasks, *group(list(nights("many", 3)))]


@pytest.fixture(scope="module")
def all_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for each in made_runs():
        write_run(each, folder)
    (folder / "run-broken.json").write_text("{}")
    shutil.copy(min(folder.glob("run-*-pi-*.json")), folder / "run-copy.json")
    (folder / "run-unfinished.journal").touch()
    return folder


@pytest.fixture
def runs(all_runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(all_runs, tmp_path / "results"))


def outputs(*arguments: object, cwd: Path, index: bool) -> list[tuple[int, str, str]]:
    """What the command prints in several forms, with an index or without a place for one."""
    (cwd / "no-folder").touch()
    where = {} if index else {"EDGE_BENCH_CACHE": str(cwd / "no-folder")}
    found = []
    for form in FORMS:
        done = call_here(*arguments, *form, cwd=cwd, **where)
        lines = [line for line in done.stderr.splitlines() if "new Runs" not in line and "index of" not in line]
        found.append((done.code, done.stdout, "\n".join(lines)))
    return found


def is_the_same(folder: Path) -> bool:
    """Whether `history` prints the same with an index that was just made or updated, then again, and without one."""
    first, second, without = (outputs("history", folder, cwd=folder.parent, index=each) for each in (True, True, False))
    assert all(code == 0 for code, _, _ in without), without
    return first == second == without


@pytest.mark.slow
def test_history_is_the_same_with_an_index(runs: Path) -> None:
    assert is_the_same(runs)
    (index,) = (runs.parent / "cache" / stored.INDEX_FOLDER).glob("*.sqlite")
    *_, last = nights("pi", 29, slower_from=20)
    write_run(last, runs)
    assert is_the_same(runs), "a Run more"
    some = sorted(runs.glob("run-*-pi-*.json"))
    before = some[0].stat()
    replaced = some[0].read_bytes().replace(b'"elapsed_ns": 9', b'"elapsed_ns": 8')
    some[0].write_bytes(replaced)
    os.utime(some[0], ns=(before.st_atime_ns, before.st_mtime_ns))
    some[1].write_bytes(some[2].read_bytes())  # now the same Run as another file
    some[3].write_bytes(some[3].read_bytes()[:-100])
    some[4].unlink()
    some[5].rename(runs / "run-renamed.json")
    assert is_the_same(runs), "changed, copied, damaged, removed and renamed"
    index.write_bytes(index.read_bytes()[:9000])
    assert is_the_same(runs), "a damaged index"
    for charts in index.parent.glob("*.charts"):
        charts.write_bytes(charts.read_bytes()[:-3] + b"abc")
    assert is_the_same(runs), "damaged charts"
    (runs.parent / "link").symlink_to(runs)
    assert len(call_here("history", runs.parent / "link", cwd=runs.parent).stdout) > 100
    assert len(list(index.parent.glob("*.sqlite"))) == 1, "a link to the folder has no index of its own"


class Counted(Silent):
    """Progress that counts."""

    def __init__(self) -> None:
        self.steps = self.done = self.advanced = 0

    def start(self, what: str, steps: int, done: int = 0) -> None:
        self.steps, self.done = steps, done

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.advanced += steps


def test_progress_counts_as_done_only_what_the_index_has(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(runs.parent / "cache"))
    monkeypatch.setattr(stored, "_SHOWN", 2)

    def read() -> Counted:
        progress = Counted()
        stored.read_measured_files([runs], progress, without_damaged=True)
        assert progress.done + progress.advanced == progress.steps
        return progress

    assert (first := read()).done == 0
    (index,) = (runs.parent / "cache" / stored.INDEX_FOLDER).glob("*.sqlite")
    index.write_bytes(b"no database")
    assert read().done == 0
    for number in range(3):
        store(next(nights("zz", 1, run_id=f"{number}" * 32)), runs / f"run-9{number}.json")
    after = read()
    assert after.steps == first.steps + 3
    assert 0 < after.done <= first.steps


def test_what_is_kept_of_a_run_is_the_same_from_the_index(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_BENCH_CACHE", str(runs.parent / "cache"))
    files = [stored.read_measured_files([runs], Silent(), without_damaged=True) for _ in range(2)]
    assert files[0] == files[1]
    monkeypatch.setattr(stored, "LEAST_FILES", 1000)
    assert files[0] == stored.read_measured_files([runs], Silent(), without_damaged=True)
    by_id = {each.run_id: measured(each) for each in made_runs()}
    assert len(files[0]) == len(by_id)
    with pytest.raises(ResultsError):
        stored.read_measured_files([runs], Silent())


@pytest.mark.slow
def test_the_newest_run_is_compared_with_the_one_before_it(runs: Path, tmp_path: Path) -> None:
    def compared(*more: object) -> Any:
        return call_here("compare", "--newest", runs, *more, "--format", "jsonl", cwd=tmp_path)

    pi = sorted(runs.glob("run-*-pi-*.json"))
    named = ["compare", pi[-1], "--baseline", pi[-2], "--format", "jsonl"]
    expected = call_here(*named, *(part for file in pi[:-1] for part in ("--history", file)), cwd=tmp_path)
    assert compared().stdout == expected.stdout != ""
    assert compared("--history", pi[0]).stdout == call_here(*named, "--history", pi[0], cwd=tmp_path).stdout
    *_, slow = nights("pi", 30, slower_from=29)
    slow = msgspec.structs.replace(slow, results=[result("dynamic", "litert", 2.0)])
    store(slow, runs / "run-slow.json")
    assert isinstance(compared("--fail-if-slower", "10%").error, GateNotMet)
    store(next(nights("alone", 1, began="2026-04-01T00:00:00+00:00")), runs / "run-alone.json")
    assert isinstance(compared().error, ResultsError)
    assert isinstance(compared("--baseline", pi[0]).error, BadInput)
